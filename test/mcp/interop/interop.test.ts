/** The official clients against the demo server: as a child on its standard streams, and over HTTP. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import demo from '../../../examples/demo-server.ts';
import { HttpClient } from '../../support/mcp-http-client.ts';
import { nodesAt, startNode, type TestNode, wholeAgain, withoutRunner } from '../../support/mcp-node.ts';
import { peers, type Reach, type SdkClient, type SdkPeer } from '../../support/mcp-sdk.ts';
import { builtPath } from '../../support/repository.ts';

interface Reached {
  readonly reach: Reach;
  /** The node, if it runs in this program. */
  readonly node?: TestNode;
  /** The exit code of the child when the client has closed. */
  exitCode?(): number;
}

const carriers: Record<'stdio' | 'HTTP', (t: TestContext) => Promise<Reached>> = {
  async stdio(t) {
    const folder = mkdtempSync(join(tmpdir(), 'beamish-interop-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'exit-code');
    // The clients do not tell how their child ended: a shell around it does.
    const script = '"$@"; echo $? > "$0"';
    const serve = [builtPath('bin/beamish.ts'), 'serve', builtPath('examples/demo-server.ts'), '--stdio'];
    return {
      reach: { command: 'sh', args: ['-c', script, file, process.execPath, ...serve] },
      exitCode: () => Number(readFileSync(file, 'utf8')),
    };
  },
  async HTTP(t) {
    const node = await startNode(t, { servers: [demo] });
    return { reach: { url: node.url }, node };
  },
};

const textOf = (result: any): string => result.content[0].text;

/** What both carriers and all clients must be able to do, one after the other on one connection. */
async function conversation(peer: SdkPeer, client: SdkClient): Promise<void> {
  assert.equal(client.version, peer.version);
  assert.deepEqual([client.server?.name, client.server?.version], ['beamish-demo', '0.1.0']);
  assert.match(client.instructions ?? '', /^echo, add and count behave/);

  const tools = await client.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    [...demo.tools.keys()],
  );
  assert.deepEqual(tools[1].inputSchema.required, ['a', 'b']);
  assert.deepEqual(tools[1].outputSchema.properties, { sum: { type: 'number' } });

  assert.equal(textOf(await client.call('echo', { text: 'hé\n"ho" \u0001' })), 'hé\n"ho" \u0001');
  const added = await client.call('add', { a: 1, b: 41 });
  assert.deepEqual([added.structuredContent, JSON.parse(textOf(added))], [{ sum: 42 }, { sum: 42 }]);

  const steps: number[] = [];
  const counted = await client.call('count', { to: 3 }, { onprogress: ({ progress }) => steps.push(progress) });
  assert.equal(textOf(counted), 'counted to 3');
  growsUpTo(3, steps);
}

/**
 * These clients drop the progress that they read together with the answer, and a server what follows the last too
 * quickly, as it may on a machine that is busy. That all of it is on the wire is tested where the wire is seen.
 */
function growsUpTo(to: number, steps: readonly number[]): void {
  const all = Array.from({ length: to }, (_, n) => n + 1);
  assert.deepEqual(
    steps,
    all.filter((step) => steps.includes(step)),
  );
}

async function faults(client: SdkClient): Promise<void> {
  for (const tool of ['throws', 'rejects']) {
    const failed = await client.call(tool);
    assert.equal(failed.isError, true);
    assert.match(textOf(failed), /by the tool$/);
  }
  const wrong = await client.call('add', { a: 1 });
  assert.equal(wrong.isError, true);
  assert.match(textOf(wrong), /invalid arguments for tool "add": .*b/);
  await assert.rejects(client.call('no such tool'), { code: -32602, message: /unknown tool "no such tool"/ });
  await assert.rejects(client.call('refuses'), {
    code: -31_000,
    message: /refused/,
    data: { why: 'it always refuses' },
  });
  await assert.rejects(client.call('throwsLater'), { code: -32603, message: /thrown in a timer/ });
  await assert.rejects(client.call('floats'), { code: -32603, message: /a floating rejection/ });
  await assert.rejects(client.call('hangs'), { code: -32603, message: /did not finish within 500 ms/ });
  assert.equal(textOf(await client.call('echo', { text: 'still here' })), 'still here');
}

/** A call that its client gives up when its first progress is there. */
async function cancelledCall(client: SdkClient): Promise<void> {
  const controller = new AbortController();
  const call = client.call(
    'count',
    { to: 100 },
    { signal: controller.signal, onprogress: () => controller.abort(new Error('enough')) },
  );
  await assert.rejects(call, /enough|abort/i);
}

/** The work on the server has ended, not only the waiting of the client. */
async function cancelledRequest({ events }: TestNode): Promise<void> {
  await events.until(() =>
    events.exits.find(
      ({ initialCall, reason }) =>
        initialCall.endsWith('#Request') && (reason as { shutdown?: unknown }).shutdown === 'cancelled',
    ),
  );
}

for (const peer of peers) {
  for (const [carrier, reached] of Object.entries(carriers)) {
    test(`${peer.name} over ${carrier}: connect, list, call, progress, faults, many at once, close`, async (t) => {
      withoutRunner(t);
      const { reach, node, exitCode } = await reached(t);
      const client = await peer.connect(reach);
      await conversation(peer, client);
      await faults(client);
      const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
      const answers = await Promise.all(texts.map((text) => client.call('echo', { text })));
      assert.deepEqual(answers.map(textOf), texts);
      await client.close();
      if (exitCode !== undefined) assert.equal(exitCode(), 0);
      if (node !== undefined) await wholeAgain(node);
    });

    test(`${peer.name} over ${carrier}: an aborted call ends, and the connection serves on`, async (t) => {
      const { reach, node, exitCode } = await reached(t);
      const client = await peer.connect(reach);
      await cancelledCall(client);
      if (node !== undefined) await cancelledRequest(node);
      assert.equal(textOf(await client.call('echo', { text: 'next' })), 'next');
      await cancelledCall(client);
      await client.close();
      if (exitCode !== undefined) assert.equal(exitCode(), 0, 'what was cancelled does not hold the end');
    });
  }

  test(`${peer.name} over HTTP: several clients at once, one of which leaves`, async (t) => {
    const node = await startNode(t, { servers: [demo] });
    const clients = await Promise.all(Array.from({ length: 5 }, () => peer.connect({ url: node.url })));
    const sessions = peer.era === 'sessions' ? 5 : 0;
    assert.equal(new Set(clients.map(({ sessionId }) => sessionId)).size, Math.max(sessions, 1));
    const steps: number[][] = clients.map(() => []);
    const counted = clients.map((client, n) =>
      client.call('count', { to: n + 1 }, { onprogress: ({ progress }) => steps[n]!.push(progress) }),
    );
    const leaving = await peer.connect({ url: node.url });
    const lost = assert.rejects(leaving.call('count', { to: 100 }));
    await leaving.close();
    await lost;
    assert.deepEqual(
      (await Promise.all(counted)).map(textOf),
      ['1', '2', '3', '4', '5'].map((n) => `counted to ${n}`),
    );
    for (const [n, each] of steps.entries()) growsUpTo(n + 1, each);
    await Promise.all(clients.map((client) => client.close()));
  });
}

for (const peer of peers.filter(({ era }) => era === 'sessions')) {
  test(`${peer.name} over HTTP: DELETE ends the session`, async (t) => {
    const node = await startNode(t, { servers: [demo] });
    const client = await peer.connect({ url: node.url });
    assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 1);
    await client.endSession();
    await node.events.until(() => node.events.exits.find(({ initialCall }) => initialCall.endsWith('#Session')));
    assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0);
    await client.close();
  });

  test(`${peer.name} over HTTP: a session that is gone is 404, and a new one serves`, async (t) => {
    const node = await startNode(t, { servers: [demo] });
    const client = await peer.connect({ url: node.url });
    const raw = new HttpClient(node.url);
    const ended = await raw.exchange('DELETE', undefined, { 'mcp-session-id': client.sessionId! }).ended;
    assert.equal(ended.status, 204);
    await assert.rejects(client.call('echo', { text: 'stale' }), (error: any) => {
      assert.match(`${error.code} ${error.status} ${error.data?.status} ${error.message}`, /404/);
      return true;
    });
    await client.close();
    const again = await peer.connect({ url: node.url });
    assert.notEqual(again.sessionId, client.sessionId);
    assert.equal(textOf(await again.call('echo', { text: 'anew' })), 'anew');
    await again.close();
    raw.close();
  });

  test(`${peer.name} over HTTP: a session whose process is killed serves on, the client does not notice`, async (t) => {
    const node = await startNode(t, { servers: [demo] });
    const client = await peer.connect({ url: node.url });
    const [session] = await nodesAt(node, 'server_sup/session_sup/session');
    assert.ok(typeof session?.pid === 'object');
    node.system.exitProcess(session.pid, 'kill');
    await node.events.culprit(/^session /);
    assert.equal(textOf(await client.call('echo', { text: 'unharmed' })), 'unharmed');
    await client.close();
  });
}
