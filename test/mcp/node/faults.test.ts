/** Five sessions are open, one of them has bad luck: the other four, and the node, must not notice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isErrorExit,
  isNormalExit,
  name,
  type Pid,
  restartChild,
  type SupervisorReport,
  terminateChild,
} from '../../../runtime/index.ts';
import { listenerName } from '../../../transports/http/index.ts';
import { type Exchange, HttpClient, HttpSession, initialize, STATELESS } from '../../support/mcp-http-client.ts';
import {
  kill,
  killAt,
  nodesAt,
  processAt,
  startNode,
  startSimulatedNode,
  type TestNode,
  WHOLE_TREE,
  wholeAgain,
  withoutRunner,
} from '../../support/mcp-node.ts';
import { echoed, HANG_MS } from '../../support/mcp-tools.ts';
import { ways } from '../../support/mcp-ways.ts';
import type { Cleanup } from '../../support/test-system.ts';

interface Scene extends TestNode {
  readonly victim: HttpSession;
  others: HttpSession[];
}

async function fiveSessions(t: Cleanup, start: typeof startNode = startNode): Promise<Scene> {
  const node = await start(t);
  const [victim, ...others] = await Promise.all(Array.from({ length: 5 }, () => HttpSession.open(node.url)));
  const scene: Scene = { ...node, victim: victim!, others };
  t.after(() => {
    for (const { client } of [scene.victim, ...scene.others]) client.close();
  });
  return scene;
}

/** A session gets the answer that nobody else could get. */
async function serves(session: HttpSession, text = 'still there'): Promise<void> {
  const exchange = session.tool('echo', { text }, { id: `${text} of ${session.id}` });
  const { status, messages } = await exchange.ended;
  assert.equal(status, 200, JSON.stringify(messages));
  const { id, result } = messages[0];
  assert.deepEqual(messages.length, 1);
  assert.equal(result?.content[0].text, echoed(text, 'test', session.id, id), JSON.stringify(messages));
}

/** The four others are served, and the tree is what it was. */
async function unharmed(scene: Scene): Promise<void> {
  await wholeAgain(scene);
  await Promise.all(scene.others.map((session) => serves(session)));
}

/** The transport was restarted: clients connect again, with the sessions they have. */
async function reconnect(scene: Scene): Promise<HttpSession> {
  const { url } = await scene.system.call(listenerName('http'), 'address');
  assert.equal(url, scene.url, 'clients know no other address');
  scene.others = scene.others.map((session) => session.reconnected(url));
  return scene.victim.reconnected(url);
}

const sessionPid = (scene: Scene, session: HttpSession): Pid => {
  const pid = scene.system.whereis(name(`mcp_session:${session.id}`));
  assert.ok(pid, 'the session has a process');
  return pid;
};

// ---- what a tool may do

interface ToolFault {
  readonly tool: string;
  /** What its caller is told. */
  readonly answered: (message: any) => void;
  /** What its process exits with; undefined if it ends in order. */
  readonly reported?: RegExp;
}

const failedResult = (text: string) => (message: any) => {
  assert.deepEqual(message.result, { content: [{ type: 'text', text }], isError: true });
};
const internalError = (text: RegExp) => (message: any) => {
  assert.equal(message.error?.code, -32603, JSON.stringify(message));
  assert.match(message.error.message, text);
};

const toolFaults: readonly ToolFault[] = [
  { tool: 'throws', answered: failedResult('thrown at once'), reported: /thrown at once/ },
  { tool: 'rejects', answered: failedResult('rejected'), reported: /rejected/ },
  { tool: 'throwsLater', answered: internalError(/"throwsLater" failed: .*thrown in a timer/), reported: /timer/ },
  { tool: 'throwsNextTurn', answered: internalError(/thrown in a callback/), reported: /thrown in a callback/ },
  { tool: 'floats', answered: internalError(/"floats" failed: .*floating/), reported: /floating/ },
  {
    tool: 'hangs',
    answered: (message) => {
      internalError(/"hangs" did not finish within/)(message);
      assert.deepEqual(message.error.data, { reason: 'timeout', timeoutMs: HANG_MS });
    },
    reported: /request_timeout/,
  },
  { tool: 'lies', answered: internalError(/"lies": its result does not satisfy its output schema/) },
  { tool: 'returnsNothing', answered: internalError(/"returnsNothing": it returned no result/) },
];

function reasonText({ reason }: SupervisorReport): string {
  return isErrorExit(reason)
    ? String((reason as { error: { message: string } }).error.message)
    : JSON.stringify(reason);
}

for (const { tool, answered, reported } of toolFaults) {
  test(`a tool that ${tool}: its caller is told, nobody else notices`, async (t) => {
    withoutRunner(t);
    const scene = await fiveSessions(t);
    const message = await scene.victim.tool(tool, {}, { id: 'bad luck' }).answer();
    assert.equal(message.id, 'bad luck');
    answered(message);
    if (reported !== undefined) {
      const report = await scene.events.culprit(new RegExp(`tools/call ${tool}\\b`));
      assert.equal(report.supervisor, 'mcp_request_sup');
      assert.equal(report.offender.label, `tools/call ${tool}, request "bad luck", session ${scene.victim.id}`);
      assert.match(reasonText(report), reported);
    }
    await unharmed(scene);
    await serves(scene.victim);
  });
}

test('a tool that throws after it has answered: the answer stands, the report names the request', async (t) => {
  withoutRunner(t);
  const scene = await fiveSessions(t);
  const message = await scene.victim.tool('answersThenThrows', {}, { id: 7 }).answer();
  assert.deepEqual(message, {
    jsonrpc: '2.0',
    id: 7,
    result: { content: [{ type: 'text', text: 'answered first' }] },
  });
  const crash = await scene.events.crash(/thrown after the answer/);
  assert.equal(crash.late, true);
  assert.equal(crash.label, `tools/call answersThenThrows, request 7, session ${scene.victim.id}`);
  await unharmed(scene);
  await serves(scene.victim);
});

/** Ways in which a call ends before its tool, and what its caller is told. */
const aborts: Record<string, (scene: Scene, exchange: Exchange) => Promise<unknown>> = {
  async 'its cancellation'({ victim }, exchange) {
    await victim.notify('notifications/cancelled', { requestId: 8 });
    return (await exchange.answer()).error.code;
  },
  async 'the end of its session'({ victim }, exchange) {
    await victim.end();
    return (await exchange.answer()).error.code;
  },
  async 'the kill of its process'(scene, exchange) {
    await killAt(scene, 'server_sup/request_sup/request');
    return (await exchange.answer()).error.code;
  },
};

for (const [end, abort] of Object.entries(aborts)) {
  test(`an abort listener throws at ${end}: the call ends, the report names the request`, async (t) => {
    withoutRunner(t);
    const scene = await fiveSessions(t);
    const exchange = scene.victim.tool('throwsOnAbort', { key: 'a' }, { id: 8 });
    await scene.gate.held('a');
    assert.ok([-32600, -32603].includes((await abort(scene, exchange)) as number));
    const crash = await scene.events.crash(/thrown in an abort listener/);
    assert.equal(crash.label, `tools/call throwsOnAbort, request 8, session ${scene.victim.id}`);
    await unharmed(scene);
  });
}

test('an abort listener throws when the client of a stateless call has left: the request is named', async (t) => {
  withoutRunner(t);
  const scene = await fiveSessions(t);
  const client = new HttpClient(scene.url);
  const exchange = client.stateless('tools/call', { name: 'throwsOnAbort', arguments: { key: 'a' } }, { id: 9 });
  await scene.gate.held('a');
  exchange.leave();
  const crash = await scene.events.crash(/thrown in an abort listener/);
  assert.equal(crash.label, 'tools/call throwsOnAbort, request 9');
  await unharmed(scene);
  client.close();
});

// ---- what may be killed

interface Kill {
  /** Below the supervisor `mcp`. */
  readonly path: string;
  /** Whether the sockets of clients outlive it. */
  readonly keepsSockets: boolean;
  /** What becomes of calls that are under way; `'either'` where the end of a call and that of its tier run a race. */
  readonly inFlight: 'answered' | 'error' | 'either';
  readonly reporter: string;
}

const kills: readonly Kill[] = [
  { path: 'registry_sup/registry', keepsSockets: true, inFlight: 'answered', reporter: 'registry_sup' },
  {
    path: 'infrastructure_sup/session_store',
    keepsSockets: true,
    inFlight: 'answered',
    reporter: 'infrastructure_sup',
  },
  {
    path: 'infrastructure_sup/session_manager',
    keepsSockets: true,
    inFlight: 'answered',
    reporter: 'infrastructure_sup',
  },
  {
    path: 'infrastructure_sup/task_manager',
    keepsSockets: true,
    inFlight: 'answered',
    reporter: 'infrastructure_sup',
  },
  { path: 'server_sup/session_sup', keepsSockets: true, inFlight: 'answered', reporter: 'server_sup' },
  { path: 'server_sup/task_sup', keepsSockets: true, inFlight: 'answered', reporter: 'server_sup' },
  { path: 'server_sup/request_sup', keepsSockets: true, inFlight: 'error', reporter: 'server_sup' },
  { path: 'transport_sup/http/listener', keepsSockets: true, inFlight: 'answered', reporter: 'http' },
  { path: 'transport_sup/http/connections', keepsSockets: false, inFlight: 'error', reporter: 'http' },
  { path: 'transport_sup/http', keepsSockets: false, inFlight: 'answered', reporter: 'transport_sup' },
  { path: 'transport_sup/memory', keepsSockets: true, inFlight: 'answered', reporter: 'transport_sup' },
  { path: 'registry_sup', keepsSockets: false, inFlight: 'answered', reporter: 'mcp' },
  { path: 'infrastructure_sup', keepsSockets: false, inFlight: 'answered', reporter: 'mcp' },
  { path: 'server_sup', keepsSockets: false, inFlight: 'either', reporter: 'mcp' },
  { path: 'transport_sup', keepsSockets: false, inFlight: 'answered', reporter: 'mcp' },
  { path: '', keepsSockets: false, inFlight: 'either', reporter: 'root' },
];

for (const { path, keepsSockets, inFlight, reporter } of kills) {
  const id = path === '' ? 'mcp' : path.split('/').at(-1)!;
  const afterwards = async (scene: Scene, killed: Pid): Promise<void> => {
    const report = await scene.events.culprit(new RegExp(`^${id}$`));
    assert.equal(report.supervisor, reporter);
    assert.equal(report.errorContext, 'child_terminated');
    assert.equal(report.reason, 'killed');
    assert.equal(report.offender.pid, killed);
    await wholeAgain(scene);
    const victim = keepsSockets ? scene.victim : await reconnect(scene);
    await unharmed(scene);
    await serves(victim);
    const newcomer = await HttpSession.open(victim.client.url);
    await serves(newcomer);
    for (const { client } of [victim, newcomer]) client.close();
  };

  test(`${path || 'mcp'} is killed while all is quiet`, async (t) => {
    const scene = await fiveSessions(t);
    await afterwards(scene, await killAt(scene, path));
  });

  test(`${path || 'mcp'} is killed with calls in flight: each is answered`, async (t) => {
    const scene = await fiveSessions(t);
    const callers = await Promise.all(ways.map((way) => way.open(scene)));
    const calls = callers.map((caller, n) => caller.call('hold', { key: `${n}` }, { id: `call ${n}` }));
    const held = await Promise.all(calls.map((_, n) => scene.gate.held(`${n}`)));
    const killed = await killAt(scene, path);
    for (const { release } of held) release();
    for (const [n, { answer }] of calls.entries()) {
      const message = await answer;
      const said = `${ways[n]!.name}: ${JSON.stringify(message)}`;
      const beside = ways[n]!.carrier === 'stream' && id === 'connections';
      const answered = message.result !== undefined;
      if (inFlight !== 'either') assert.equal(answered, inFlight === 'answered' || beside, said);
      if (answered)
        assert.deepEqual([message.id, message.result.content[0].text], [`call ${n}`, `released ${n}`], said);
      else assert.equal(message.error?.code, -32603, said);
    }
    for (const caller of callers) caller.leave();
    await afterwards(scene, killed);
  });
}

test('the process of an idle session is killed: its next request brings it back under its id', async (t) => {
  const scene = await fiveSessions(t);
  const before = sessionPid(scene, scene.victim);
  await kill(scene, before);
  const report = await scene.events.culprit(/^session /);
  assert.equal(report.supervisor, 'mcp_session_sup');
  assert.equal(report.offender.label, `session ${scene.victim.id}`);
  assert.equal(report.offender.restart, 'temporary');
  await unharmed(scene);
  assert.equal(scene.system.whereis(name(`mcp_session:${scene.victim.id}`)), undefined);
  await serves(scene.victim);
  assert.notEqual(sessionPid(scene, scene.victim), before);
  assert.equal((await nodesAt(scene, 'server_sup/session_sup/session')).length, 5);
});

test('a session is killed with a call in flight: the call is answered', async (t) => {
  const scene = await fiveSessions(t);
  const exchange = scene.victim.tool('hold', { key: 'a' });
  const call = await scene.gate.held('a');
  await kill(scene, sessionPid(scene, scene.victim));
  await serves(scene.victim, 'meanwhile');
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a');
  await unharmed(scene);
});

test('many requests of a killed session at once bring back one process', async (t) => {
  const scene = await fiveSessions(t);
  await kill(scene, sessionPid(scene, scene.victim));
  await Promise.all(Array.from({ length: 8 }, (_, n) => serves(scene.victim, `text ${n}`)));
  assert.equal((await nodesAt(scene, 'server_sup/session_sup/session')).length, 5);
  await unharmed(scene);
});

test('a request is killed: its caller gets an error that names the tool', async (t) => {
  const scene = await fiveSessions(t);
  const exchange = scene.victim.tool('hold', { key: 'a' }, { id: 3 });
  await scene.gate.held('a');
  await killAt(scene, 'server_sup/request_sup/request');
  assert.deepEqual(await exchange.answer(), {
    jsonrpc: '2.0',
    id: 3,
    error: { code: -32603, message: 'tool "hold" failed: killed' },
  });
  const report = await scene.events.culprit(/^tools\/call/);
  assert.equal(report.offender.label, `tools/call hold, request 3, session ${scene.victim.id}`);
  await unharmed(scene);
});

/** The connection that carries the calls of `hold` in flight: that of a client which has come last. */
async function newestConnection(scene: Scene, before: readonly Pid[]): Promise<Pid> {
  const now = (await nodesAt(scene, 'transport_sup/http/connections/HttpConnection')).map(({ pid }) => pid as Pid);
  const added = now.filter((pid) => !before.includes(pid));
  assert.equal(added.length, 1);
  return added[0]!;
}

async function connectionsOf(scene: Scene): Promise<Pid[]> {
  return (await nodesAt(scene, 'transport_sup/http/connections/HttpConnection')).map(({ pid }) => pid as Pid);
}

test('a connection is killed with a call in flight: the caller gets an error, its session lives on', async (t) => {
  const scene = await fiveSessions(t);
  const before = await connectionsOf(scene);
  const victim = HttpSession.named(scene.url, scene.victim.id);
  const exchange = victim.tool('hold', { key: 'a' });
  const call = await scene.gate.held('a');
  await kill(scene, await newestConnection(scene, before));
  const { status, messages } = await exchange.ended;
  assert.equal(status, 500);
  assert.equal(messages[0].error.code, -32603);
  assert.equal((await scene.events.culprit(/^http connection of 127\.0\.0\.1/)).supervisor, 'http_connections');
  assert.equal(call.ctx.signal.aborted, false, 'in a session the loss of a connection cancels nothing');
  call.release();
  await serves(victim);
  await unharmed(scene);
  victim.client.close();
});

test('a connection is killed with a stateless call in flight: nobody can be answered, the call ends', async (t) => {
  const scene = await fiveSessions(t);
  const before = await connectionsOf(scene);
  const client = new HttpClient(scene.url);
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } });
  const call = await scene.gate.held('a');
  const aborted = new Promise((resolve) => call.ctx.signal.addEventListener('abort', resolve));
  await kill(scene, await newestConnection(scene, before));
  assert.equal((await exchange.answer()).error.code, -32603);
  await aborted;
  await unharmed(scene);
  client.close();
});

// ---- more faults than a tier takes

const tiers = ['registry_sup', 'infrastructure_sup', 'server_sup', 'transport_sup'] as const;
/** Crashes within ten seconds that a tier absorbs. */
const TIER_INTENSITY = 10;

async function tierPids(scene: Scene): Promise<Pid[]> {
  return Promise.all(tiers.map((tier) => processAt(scene, tier)));
}

const often: readonly { readonly path: string; readonly tier: number }[] = [
  { path: 'registry_sup/registry', tier: 0 },
  { path: 'infrastructure_sup/session_manager', tier: 1 },
  { path: 'server_sup/request_sup', tier: 2 },
  { path: 'transport_sup/http', tier: 3 },
];

for (const { path, tier } of often) {
  test(`${path} is killed more often than its tier takes: that tier and those after it start anew`, async (t) => {
    const scene = await fiveSessions(t, startSimulatedNode);
    const before = await tierPids(scene);
    for (let n = 0; n < TIER_INTENSITY; n++) {
      await killAt(scene, path);
      await wholeAgain(scene);
    }
    assert.deepEqual(await tierPids(scene), before, `${TIER_INTENSITY} are absorbed`);
    await killAt(scene, path);
    await scene.events.until(() => scene.events.exits.find(({ pid }) => pid === before[tier]));
    await wholeAgain(scene);
    const after = await tierPids(scene);
    assert.deepEqual(after.slice(0, tier), before.slice(0, tier), 'tiers before it are left alone');
    for (let later = tier; later < tiers.length; later++) assert.notEqual(after[later], before[later], tiers[later]);
    const given = scene.events.reports.filter(({ errorContext }) => errorContext === 'shutdown');
    assert.deepEqual(
      given.map(({ supervisor, offender }) => [supervisor, offender.id]),
      [[tiers[tier], path.split('/').at(-1)]],
    );
    await reconnect(scene);
    await unharmed(scene);
  });
}

test('a monitor sees the end of each process of the tree once, with its reason', async (t) => {
  const scene = await fiveSessions(t);
  const watched = [
    sessionPid(scene, scene.victim),
    await processAt(scene, 'registry_sup/registry'),
    await processAt(scene, 'infrastructure_sup/session_manager'),
    await processAt(scene, 'server_sup/request_sup'),
  ];
  const downs: [unknown, unknown][] = [];
  const watching = new Promise<void>((set) => {
    scene.system.spawn(async (_, ctx) => {
      for (const pid of watched) ctx.monitor(pid);
      set();
      for (;;) {
        const down = await ctx.receive(({ tag }) => tag === 'DOWN', 'infinity');
        const { object, reason } = (down as { payload: { object: unknown; reason: unknown } }).payload;
        downs.push([object, reason]);
      }
    }, undefined);
  });
  await watching;
  for (const pid of watched) await kill(scene, pid);
  await unharmed(scene);
  assert.deepEqual(
    downs,
    watched.map((pid) => [pid, 'killed']),
  );
});

// ---- parts that are away for longer

/** Stops a child of a tier by hand, which nobody restarts; returns how to start it again. */
async function stopped({ system, events }: Scene, tier: Pid, id: string): Promise<() => Promise<void>> {
  assert.equal(await terminateChild(system, tier, id), 'ok');
  const exits = events.exits.length;
  return async () => {
    assert.ok('ok' in (await restartChild(system, tier, id)));
    assert.deepEqual(
      events.exits.slice(exits).filter(({ reason }) => !isNormalExit(reason)),
      [],
      'nothing has crashed meanwhile',
    );
  };
}

const away = [
  { tier: 'registry_sup', id: 'registry' },
  { tier: 'infrastructure_sup', id: 'session_manager' },
  { tier: 'server_sup', id: 'session_sup' },
  { tier: 'server_sup', id: 'request_sup' },
] as const;

for (const { tier, id } of away) {
  test(`while ${id} is away what needs it is 503, and nothing crashes for it`, async (t) => {
    const scene = await fiveSessions(t);
    const restart = await stopped(scene, await processAt(scene, tier), id);
    const client = new HttpClient(scene.url);
    for (let n = 0; n < TIER_INTENSITY + 2; n++) {
      const opening = await client.post(initialize(n)).ended;
      const calling = await scene.victim.tool('echo', { text: 'x' }, { id: n }).ended;
      const stateless = await client.stateless('tools/call', { name: 'whoami' }, { id: n }).ended;
      for (const { status, messages } of [opening, calling, stateless]) {
        assert.equal(messages[0].id, n);
        if (messages[0].result !== undefined) continue;
        assert.equal(status, 503);
        assert.equal(messages[0].error.code, -32603);
        assert.match(messages[0].error.message, /try again/);
      }
      if (id === 'request_sup') assert.deepEqual([opening.status, calling.status, stateless.status], [200, 503, 503]);
      if (id === 'session_manager') assert.deepEqual([opening.status, stateless.status], [503, 200]);
      if (id === 'session_sup') assert.deepEqual([opening.status, calling.status, stateless.status], [503, 503, 200]);
      if (id === 'registry') assert.deepEqual([opening.status, calling.status, stateless.status], [503, 503, 503]);
    }
    await restart();
    client.close();
    await unharmed(scene);
    await serves(scene.victim);
  });
}

// ---- under load

/** Every request of a client gets an answer of its own: a right result, or an error that says to try again. */
async function answered(exchange: Exchange, expected: string): Promise<'result' | 'unavailable'> {
  const { status, messages } = await exchange.ended;
  assert.equal(messages.length, 1);
  const [message] = messages;
  if (message.result !== undefined) {
    assert.equal(status, 200);
    assert.equal(message.result.content[0].text, expected);
    return 'result';
  }
  assert.equal(message.error.code, -32603, JSON.stringify(message));
  assert.match(message.error.message, /try again|failed/);
  return 'unavailable';
}

test('16 connections at once, each with the answers to its own questions', async (t) => {
  const node = await startNode(t);
  const sessions = await Promise.all(Array.from({ length: 16 }, () => HttpSession.open(node.url)));
  await Promise.all(
    sessions.map(async (session, n) => {
      for (let i = 0; i < 25; i++) {
        const exchange = session.tool('echo', { text: `${n}.${i}` }, { id: i });
        assert.equal(await answered(exchange, echoed(`${n}.${i}`, 'test', session.id, i)), 'result');
      }
    }),
  );
  assert.equal((await nodesAt(node, 'transport_sup/http/connections/HttpConnection')).length, 16);
  for (const { client } of sessions) client.close();
});

/** What the five sessions are answered, which ask on and on while `body` runs. */
async function underLoad(scene: Scene, body: () => Promise<void>): Promise<string[]> {
  let on = true;
  const sessions = [scene.victim, ...scene.others];
  const asking = sessions.map(async (session) => {
    const outcomes: string[] = [];
    for (let round = 0; on; round++) {
      const texts = Array.from({ length: 4 }, (_, n) => `${round}.${n}`);
      const ask = (id: string): Promise<string> =>
        answered(session.tool('echo', { text: id }, { id }), echoed(id, 'test', session.id, id));
      outcomes.push(...(await Promise.all(texts.map(ask))));
    }
    return outcomes;
  });
  await Promise.race([body(), Promise.all(asking)]); // an answer that is wrong ends the test at once
  on = false;
  return (await Promise.all(asking)).flat();
}

const restless: readonly { readonly paths: readonly string[]; readonly times: number }[] = [
  { paths: ['registry_sup/registry'], times: TIER_INTENSITY },
  { paths: ['server_sup/session_sup', 'infrastructure_sup/session_manager', 'server_sup/request_sup'], times: 5 },
];

for (const { paths, times } of restless) {
  test(`under load ${paths.join(', ')} are killed ${times} times: every request gets an answer`, async (t) => {
    const scene = await fiveSessions(t);
    const outcomes = await underLoad(scene, async () => {
      for (let n = 0; n < times; n++) {
        for (const path of paths) {
          await killAt(scene, path);
          await wholeAgain(scene);
          const newcomer = await HttpSession.open(scene.url);
          await serves(newcomer);
          newcomer.client.close();
        }
      }
    });
    assert.ok(outcomes.includes('result'));
    await unharmed(scene);
  });
}

test('the whole tree is what the faults above are measured against', async (t) => {
  const node = await startNode(t);
  assert.equal(WHOLE_TREE.length, 22);
  await wholeAgain(node);
  const client = new HttpClient(node.url);
  const answer = await client.stateless('server/discover').answer();
  assert.ok(answer.result.supportedVersions.includes(STATELESS));
  client.close();
});
