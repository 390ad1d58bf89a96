/** Tools that are named by their modules: changed while they run on worker threads, without losing a call. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadId as here } from 'node:worker_threads';
import { changeServer, mcpNode, text, tool } from '../../../mcp/index.ts';
import { computePool } from '../../../runtime/compute/index.ts';
import { child, name, type System, startSystem } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { memory } from '../../../transports/memory.ts';
import faulty from '../../support/faulty-server.ts';
import { GateProcess, type GateProtocol } from '../../support/gate-process.ts';
import { startSimulatedNode } from '../../support/mcp-node.ts';
import { type Caller, ways } from '../../support/mcp-ways.ts';
import { type Cleanup, systemName } from '../../support/test-system.ts';

const address = { node: 'mcp', name: 'faulty' };
const modules = new URL('../../support/versioned-tool.js', import.meta.url).href;
const at = (version: number, exportName: string) => ({ module: `${modules}?v=${version}`, exportName });

interface Threaded {
  readonly system: System;
  readonly url: string;
  /** Who waits at the gate: their versions. */
  readonly entered: number[];
  until(enough: () => boolean): Promise<void>;
}

async function startThreaded(t: Cleanup): Promise<Threaded> {
  const entered: number[] = [];
  let look = (): void => {};
  const gate = {
    entered(version: number): void {
      entered.push(version);
      look();
    },
  };
  const pool = name('pool');
  const system = await startSystem({
    name: systemName(),
    threads: { cpu: 1 },
    workers: { busyMs: 0 },
    children: [
      child(GateProcess, gate, { id: 'gate', name: name('gate') }),
      computePool(pool, { threads: 1 }),
      mcpNode('mcp', {
        servers: [faulty],
        transports: [streamableHttp({ port: 0 }), memory()],
        computePool: pool,
      }),
    ],
  });
  t.after(() => system.stop());
  const { url } = await system.call(listenerName('http'), 'address');
  const until = (enough: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (enough()) resolve();
      };
      look();
    });
  return { system, url, entered, until };
}

async function told(caller: Caller, called: string): Promise<{ version: number; threadId: number }> {
  const { result, error } = await caller.call(called).answer;
  assert.equal(error, undefined, JSON.stringify(error));
  assert.notEqual(result.isError, true, JSON.stringify(result));
  return result.structuredContent;
}

for (const way of ways) {
  test(`tools from modules are added and replaced, and run where they ask for: ${way.name}`, async (t) => {
    const node = await startThreaded(t);
    const caller = await way.open(node as never);
    const places = ['tells', 'apart', 'here', 'computes'];
    for (const version of [1, 2]) {
      const tools = Object.fromEntries(places.map((place) => [place, at(version, place)]));
      await changeServer(node.system, address, { tools });
      const all = await Promise.all(places.map((place) => told(caller, place)));
      assert.deepEqual(
        all.map((each) => each.version),
        [version, version, version, version],
      );
      assert.deepEqual(
        all.map(({ threadId }) => threadId === here),
        [false, false, true, false],
      );
      assert.equal(new Set(all.map(({ threadId }) => threadId)).size, 4);
    }
    // A function cannot cross: it runs on the main thread. The module can take its place again.
    const closure = tool({ description: 'd', input: { type: 'object' } }, () => text(String(here)));
    await changeServer(node.system, address, { tools: { tells: closure } });
    assert.equal((await caller.call('tells').answer).result.content[0].text, String(here));
    await changeServer(node.system, address, { tools: { tells: at(1, 'tells'), apart: null } });
    assert.deepEqual(
      [(await told(caller, 'tells')).version, (await told(caller, 'tells')).threadId === here],
      [1, false],
    );
    assert.match((await caller.call('apart').answer).error.message, /unknown tool/);
    caller.leave();
  });
}

test('a tool puts the next version in its own place, from its thread', async (t) => {
  const node = await startThreaded(t);
  const caller = await ways[0]!.open(node as never);
  await changeServer(node.system, address, { tools: { renews: at(1, 'renews') } });
  for (const version of [1, 2, 3]) {
    const said = await told(caller, 'renews');
    assert.deepEqual([said.version, said.threadId === here], [version, false]);
  }
  caller.leave();
});

test('calls in flight on a worker thread finish on the version that they began with', async (t) => {
  const node = await startThreaded(t);
  const callers = await Promise.all(ways.map((way) => way.open(node as never)));
  await changeServer(node.system, address, { tools: { holds: at(1, 'holds') } });
  const old = callers.map((caller) => told(caller, 'holds'));
  await node.until(() => node.entered.length === 4);
  await changeServer(node.system, address, { tools: { holds: at(2, 'holds') } });
  const next = callers.map((caller) => told(caller, 'holds'));
  await node.until(() => node.entered.length === 8);
  node.system.cast(name<GateProtocol>('gate'), 'open');
  const versions = async (said: readonly Promise<{ version: number }>[]) =>
    (await Promise.all(said)).map(({ version }) => version);
  assert.deepEqual([await versions(old), await versions(next)], [Array(4).fill(1), Array(4).fill(2)]);
  for (const caller of callers) caller.leave();
});

test('under load, through 30 changes of a tool on a thread, each call has an answer of its time', async (t) => {
  const node = await startThreaded(t);
  let [current, wanted] = [1, 1];
  await changeServer(node.system, address, { tools: { tells: at(1, 'tells') } });
  let on = true;
  const answered: number[] = [];
  const asking = ways.map(async (way) => {
    const caller = await way.open(node as never);
    while (on) {
      const began = current;
      const { version, threadId } = await told(caller, 'tells');
      assert.ok(version >= began && version <= wanted, `${version}: it was ${began}, and is ${wanted}`);
      assert.notEqual(threadId, here);
      answered.push(version);
    }
    caller.leave();
  });
  for (let version = 2; version <= 30; version++) {
    wanted = version;
    await changeServer(node.system, address, { tools: { tells: at(version, 'tells') } });
    current = version;
    const before = answered.length;
    while (answered.length < before + ways.length) await new Promise((resolve) => setImmediate(resolve));
  }
  on = false;
  await Promise.all(asking);
  assert.ok(new Set(answered).size >= 15, `${new Set(answered).size} versions have answered`);
});

test('a module that cannot be had, or has no such tool, is refused by name and changes nothing', async (t) => {
  const node = await startThreaded(t);
  const caller = await ways[0]!.open(node as never);
  const refused = (given: object, message: RegExp) =>
    assert.rejects(changeServer(node.system, address, { tools: { echo: given as never, other: at(1, 'tells') } }), {
      code: 'ERR_TOOL',
      message,
    });
  await refused({ module: './here.js', exportName: 'a' }, /tool "echo": module must be a URL/);
  await refused({ module: modules }, /tool "echo": \{ module, exportName \}/);
  await refused({ ...at(1, 'tells'), run: 'main' }, /and nothing else/);
  await refused(
    { module: 'file:///no/such/module.js', exportName: 'a' },
    /cannot be imported: .*ERR_MODULE_NOT_FOUND/s,
  );
  await refused({ module: 'data:text/javascript,throw new Error("top")', exportName: 'a' }, /imported: Error: top/);
  await refused(at(1, 'noTool'), /does not export "noTool" as a tool/);
  await refused(at(1, 'constructor'), /does not export "constructor" as a tool/);
  assert.match((await caller.call('other').answer).error.message, /unknown tool "other"/);
  assert.equal((await caller.call('echo', { text: 'x' }).answer).result.content[0].text, 'x');
  caller.leave();
});

test('a module that does not end its import is given up after 30 s; other changes do not wait for it', async (t) => {
  const node = await startSimulatedNode(t);
  const server = { node: 'mcp', name: 'test' };
  const module = 'data:text/javascript,await new Promise(() => {}); export const a = 1;';
  const late = changeServer(node.system, server, { tools: { never: { module, exportName: 'a' } } });
  const refused = assert.rejects(late, {
    code: 'ERR_TOOL',
    message: /not imported within 30000 ms: tool "never": data:/,
  });
  const added = tool({ description: 'd', input: { type: 'object' } }, () => text('x'));
  await changeServer(node.system, server, { tools: { added } });
  await node.clock.advance(30_000);
  await refused;
  assert.deepEqual(node.events.crashes, []);
});
