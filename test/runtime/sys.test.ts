import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  CallError,
  type Context,
  channels,
  child,
  continueWith,
  type DebugEvent,
  type GenServer,
  genServer,
  idleTimeout,
  name,
  noreply,
  type Pid,
  reply,
  type SysTrace,
  stop,
  supervisor,
  sys,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { eventsOf, startUnderRoot } from '../support/supervision-trace.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem, watch } from '../support/test-system.ts';

interface Protocol {
  readonly call: {
    readonly get: Call<void, number>;
    readonly later: Call<void, number>;
    readonly slow: Call<Promise<void>, number>;
  };
  readonly cast: { readonly add: number; readonly idle: number; readonly chain: void; readonly crash: void };
  readonly info: { readonly add: number };
  readonly continue: { readonly add: number };
}
interface State {
  readonly count: number;
  readonly log: unknown[];
}

const Counter: GenServer<Protocol, unknown[]> = genServer(import.meta, 'Counter', {
  init: (log: unknown[], ctx) => {
    ctx.trapExit(true);
    return { count: 0, log } as State;
  },
  handleCall: {
    get: (state: State) => reply(state.count, state),
    later: (state: State) => noreply(state),
    slow: async (state: State, until) => {
      await until;
      return reply(state.count, state);
    },
  },
  handleCast: {
    add: (state: State, by) => {
      state.log.push(`add ${by}`);
      return noreply({ ...state, count: state.count + by });
    },
    idle: (state: State, ms) => noreply(state, idleTimeout(ms)),
    chain: (state: State) => noreply(state, continueWith('add', 7)),
    crash: (state: State) => stop('boom', state),
  },
  handleInfo: {
    add: (state: State, by) => noreply({ ...state, count: state.count + by }),
    timeout: (state: State) => {
      state.log.push('timeout');
      return noreply(state);
    },
  },
  handleContinue: { add: (state: State, by) => noreply({ ...state, count: state.count + by }) },
  terminate: (reason, state: State) => {
    state.log.push(['terminate', reason]);
  },
  formatStatus: (state: State) => ({ shown: state.count }),
  codeChange: (oldVersion, state: { readonly total: number; readonly log: unknown[] }, extra): State => {
    if (extra === 'fail') throw new Error('cannot convert');
    return { count: state.total + (oldVersion as number), log: state.log };
  },
});

/** An older version of `Counter`. */
const OldCounter: GenServer<Protocol, unknown[]> = genServer(import.meta, 'OldCounter', {
  init: (log: unknown[]) => ({ total: 100, log }),
  handleCall: {
    get: (state) => reply(state.total, state),
    later: (state) => noreply(state),
    slow: (state) => noreply(state),
  },
  handleCast: {
    add: (state) => noreply(state),
    idle: (state) => noreply(state),
    chain: (state) => noreply(state),
    crash: (state) => noreply(state),
  },
  handleInfo: { add: (state) => noreply(state) },
  handleContinue: { add: (state) => noreply(state) },
});

interface Started {
  readonly pid: Pid<Protocol>;
  readonly log: unknown[];
}

async function startCounter(system: TestSystem, behaviour = Counter, options = {}): Promise<Started> {
  const log: unknown[] = [];
  const result = await system.opener.startLink(behaviour, log, options);
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { pid: result.ok, log };
}

test('getState gives the state, to a process and to the owner of the system, by pid and by name', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system, Counter, { name: 'counter' });
  system.system.cast(pid, 'add', 3);
  assert.equal((await sys.getState(system.system, pid)).count, 3);
  assert.equal((await sys.getState(system.opener, name('counter'))).count, 3);
});

test('replaceState replaces the state with what the function returns, and returns it', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const next = await sys.replaceState(system.system, pid, (state: State) => ({ ...state, count: 42 }));
  assert.equal(next.count, 42);
  assert.equal(await system.system.call(pid, 'get'), 42);
});

test('a function of replaceState that throws or is async fails the call and leaves the state as it was', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const failing = (): never => {
    throw new TypeError('no');
  };
  await assert.rejects(sys.replaceState(system.system, pid, failing), (error: CallError) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, 'ERR_SYS_CALLBACK');
    const { callback_failed: failed } = error.reason as { callback_failed: { error: unknown } };
    assert.deepEqual(failed.error, { name: 'TypeError', message: 'no' });
    return true;
  });
  await assert.rejects(
    sys.replaceState<any>(system.system, pid, async (state) => state),
    { code: 'ERR_SYS_CALLBACK' },
  );
  assert.equal(await system.system.call(pid, 'get'), 0);
  await assert.rejects(async () => sys.replaceState(system.system, pid, 5 as any), {
    code: 'ERR_BADARG',
    message: /sys\.replaceState: the function must be a function, not 5/,
  });
});

test('a suspended server handles nothing until it is resumed, then all in the order of arrival', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startCounter(system);
  assert.equal(await sys.suspend(system.system, pid), 'ok');
  const get = system.system.call(pid, 'get');
  system.system.cast(pid, 'add', 1);
  system.system.send(pid, 'add', 10);
  system.system.cast(pid, 'add', 2);
  await settle();
  assert.deepEqual(log, []);
  assert.equal((await sys.getState(system.system, pid)).count, 0, 'it still answers sys');
  assert.equal(await sys.suspend(system.system, pid), 'ok', 'twice is once');
  assert.equal(system.system.processInfo(pid)?.status, 'suspended');
  assert.equal(system.system.processInfo(pid)?.messageQueueLen, 4);
  assert.equal(await sys.resume(system.system, pid), 'ok');
  assert.equal(await get, 0, 'the call came first');
  assert.deepEqual(log, ['add 1', 'add 2']);
  assert.equal(await system.system.call(pid, 'get'), 13);
  assert.equal(await sys.resume(system.system, pid), 'ok');
});

test('requests that wait behind a suspend are answered: those of sys at once, others after the resume', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const suspended = sys.suspend(system.system, pid);
  system.system.cast(pid, 'add', 5);
  const during = sys.getState(system.system, pid);
  const resumed = sys.resume(system.system, pid);
  const after = system.system.call(pid, 'get');
  assert.deepEqual(await Promise.all([suspended, resumed, after]), ['ok', 'ok', 5]);
  assert.equal((await during).count, 0);
});

test('a long mailbox in front of a suspended server costs nothing for each message that comes', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  await sys.suspend(system.system, pid);
  for (let i = 0; i < 5_000; i++) {
    system.system.cast(pid, 'add', 1);
    if (i % 100 === 0) await settle(1);
  }
  const before = system.system.processInfo(pid)?.reductions;
  await settle();
  assert.equal(system.system.processInfo(pid)?.reductions, before);
  await sys.resume(system.system, pid);
  assert.equal(await system.system.call(pid, 'get', undefined), 5_000);
});

test('the parent can end a suspended server: terminate runs', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startCounter(system);
  const { reasons } = await watch(system, pid);
  await sys.suspend(system.system, pid);
  system.system.cast(pid, 'add', 1);
  const stranger = await openProcess(system);
  stranger.ctx.exitProcess(pid, 'boom');
  await settle();
  assert.deepEqual(reasons, [], 'an exit signal of anybody else waits');
  system.opener.exitProcess(pid, 'shutdown');
  await settle();
  assert.deepEqual(reasons, ['shutdown']);
  assert.deepEqual(log, [['terminate', 'shutdown']]);
});

test('a supervisor stops a suspended child, and a suspended supervisor is stopped by its own', async (t) => {
  const system = await startTestSystem(t);
  const inner = supervisor('inner', { name: 'inner' }, [child(Counter, [], { id: 'c', name: 'c' })]);
  await startUnderRoot(system, supervisor('outer', { name: 'outer' }, [inner]));
  const counter = system.system.whereis(name<Protocol>('c')) as Pid<Protocol>;
  const innerPid = system.system.whereis(name('inner')) as Pid;
  await sys.suspend(system.system, counter);
  await sys.suspend(system.system, innerPid);
  const asked = whichChildren(system.system, 'inner');
  await settle();
  assert.equal(system.system.processInfo(innerPid)?.messageQueueLen, 1);
  system.system.exitProcess(system.system.whereis(name('outer')) as Pid, 'kill');
  await assert.rejects(asked, { code: 'ERR_CALL_EXIT' });
  await settle();
  assert.equal(system.system.isAlive(innerPid), false);
  assert.equal(system.system.isAlive(counter), false);
});

test('kill ends a suspended process, and its waiting calls fail', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  await sys.suspend(system.system, pid);
  const get = system.system.call(pid, 'get');
  system.system.exitProcess(pid, 'kill');
  await assert.rejects(get, { code: 'ERR_CALL_EXIT', reason: 'killed' });
});

test('getStatus says who it is and whether it runs, and shows the state through formatStatus', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system, Counter, { name: 'counter' });
  assert.deepEqual(await sys.getStatus(system.system, pid), {
    status: 'running',
    pid,
    name: 'counter',
    parent: system.opener.self,
    initialCall: 'sys.test.js#Counter',
    debug: [],
    state: { shown: 0 },
  });
  await sys.suspend(system.system, pid);
  await sys.trace(system.system, pid, true);
  const { status, debug } = await sys.getStatus(system.system, pid);
  assert.deepEqual([status, debug], ['suspended', ['trace']]);
});

test('the status of a supervisor shows its children', async (t) => {
  const system = await startTestSystem(t);
  await startUnderRoot(system, supervisor('sup', { name: 'sup' }, [child(Counter, [], { id: 'c', name: 'c' })]));
  const { state } = await sys.getStatus(system.system, name('sup'));
  assert.deepEqual(state, {
    specs: 1,
    active: 1,
    supervisors: 0,
    workers: 1,
    children: [{ id: 'c', pid: system.system.whereis(name('c')), type: 'worker' }],
  });
});

test('statistics counts messages in and replies out, from when it is switched on', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  system.system.cast(pid, 'add', 1);
  assert.deepEqual(await sys.statistics(system.system, pid, 'get'), { ok: 'no_statistics' });
  assert.equal(await sys.statistics(system.system, pid, true), 'ok');
  const startTime = system.clock.now();
  await system.system.call(pid, 'get');
  system.system.cast(pid, 'add', 1);
  await system.clock.advance(250);
  const { ok } = await sys.statistics(system.system, pid, 'get');
  assert.ok(ok !== 'no_statistics');
  const { reductions, ...rest } = ok;
  assert.deepEqual(rest, { startTime, currentTime: startTime + 250, messagesIn: 2, messagesOut: 1 });
  assert.ok(reductions >= 2, `${reductions} messages were handled`);
  assert.equal(await sys.statistics(system.system, pid, false), 'ok');
  assert.deepEqual(await sys.statistics(system.system, pid, 'get'), { ok: 'no_statistics' });
});

test('trace publishes every message and reply of the process, and none of sys', async (t) => {
  const system = await startTestSystem(t);
  const events = eventsOf<SysTrace>(t, channels.sysTrace, system.system.name);
  const { pid } = await startCounter(system);
  const caller = await openProcess(system);
  await sys.trace(system.system, pid, true);
  await caller.ctx.call(pid, 'get');
  caller.ctx.cast(pid, 'add', 1);
  await sys.trace(system.system, pid, false);
  caller.ctx.cast(pid, 'add', 1);
  await settle();
  assert.deepEqual(
    events.map(({ event }) => event),
    [
      { type: 'in', message: { kind: 'call', tag: 'get', payload: undefined, from: caller.pid } },
      { type: 'out', to: caller.pid, value: 0 },
      { type: 'in', message: { kind: 'cast', tag: 'add', payload: 1 } },
      { type: 'noreply' },
    ],
  );
  assert.ok(events.every((event) => event.pid === pid));
});

test('trace sees what comes of async handlers, continues and the message at which a server stops', async (t) => {
  const system = await startTestSystem(t);
  const events = eventsOf<SysTrace>(t, channels.sysTrace, system.system.name);
  const { pid } = await startCounter(system);
  await sys.trace(system.system, pid, true);
  assert.equal(await system.system.call(pid, 'slow', Promise.resolve()), 0);
  system.system.cast(pid, 'chain');
  system.system.cast(pid, 'crash');
  await settle();
  const seen = events.map(({ event }) => (event.type === 'in' ? `in ${event.message?.tag}` : event.type));
  assert.deepEqual(seen, ['in slow', 'out', 'in chain', 'noreply', 'in add', 'noreply', 'in crash']);
});

test('log keeps the last events, ten unless told otherwise, the oldest first', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const payloads = async (): Promise<unknown[]> => {
    const { ok } = await sys.log(system.system, pid, 'get');
    return ok.filter(({ type }) => type === 'in').map(({ message }) => message?.payload);
  };
  assert.deepEqual(await sys.log(system.system, pid, 'get'), { ok: [] });
  await sys.log(system.system, pid, true);
  for (let i = 1; i <= 12; i++) system.system.cast(pid, 'add', i);
  assert.deepEqual(await payloads(), [8, 9, 10, 11, 12], 'each message makes two events');
  await sys.log(system.system, pid, { size: 2 });
  assert.deepEqual(await payloads(), [12]);
  await sys.log(system.system, pid, false);
  assert.deepEqual(await sys.log(system.system, pid, 'get'), { ok: [] });
  await assert.rejects(async () => sys.log(system.system, pid, { size: 0 }), { code: 'ERR_BADARG' });
});

test('install runs a function at each event with a state of its own, until it is done, throws or goes', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const seen: unknown[] = [];
  const func = (left: number, event: DebugEvent, state: unknown): unknown => {
    seen.push([left, event.type, (state as State).count]);
    return left === 0 ? 'done' : left - 1;
  };
  assert.equal(await sys.install(system.system, pid, { id: 'counter', func, state: 2 }), 'ok');
  assert.deepEqual(await sys.install(system.system, pid, { id: 'counter', func, state: 9 }), {
    error: 'already_installed',
  });
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, ['counter']);
  system.system.cast(pid, 'add', 1);
  system.system.cast(pid, 'add', 1);
  await settle();
  assert.deepEqual(seen, [
    [2, 'in', 0],
    [1, 'noreply', 1],
    [0, 'in', 1],
  ]);
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, []);

  const failing = (): never => {
    throw new Error('no');
  };
  await sys.install(system.system, pid, { func: failing });
  await sys.install(system.system, pid, { id: 'other', func: () => 0 });
  system.system.cast(pid, 'add', 1);
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, ['other'], 'a throw removes the function only');
  assert.equal(await sys.remove(system.system, pid, 'other'), 'ok');
  assert.equal(await sys.remove(system.system, pid, 'other'), 'ok', 'also if it is not there');
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, []);
});

test('noDebug ends all debugging', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system, Counter, { debug: ['trace', 'log', 'statistics'] });
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, ['trace', 'log', 'statistics'], 'from the start');
  assert.equal(await sys.noDebug(system.system, pid), 'ok');
  assert.deepEqual((await sys.getStatus(system.system, pid)).debug, []);
  assert.throws(
    () => system.opener.spawn(Counter, [], { debug: ['loud' as 'log'] }),
    /debug must be an array of 'trace', 'log' and/,
  );
});

test('terminate makes a server run terminate and exit with the reason, also while it is suspended', async (t) => {
  const system = await startTestSystem(t);
  for (const suspend of [false, true]) {
    const { pid, log } = await startCounter(system);
    const { reasons } = await watch(system, pid);
    if (suspend) await sys.suspend(system.system, pid);
    const waiting = suspend ? system.system.call(pid, 'get') : undefined;
    assert.equal(await sys.terminate(system.system, pid, 'enough'), 'ok');
    if (waiting !== undefined) await assert.rejects(waiting, { code: 'ERR_CALL_EXIT', reason: 'enough' });
    await settle();
    assert.deepEqual(reasons, ['enough']);
    assert.deepEqual(log, [['terminate', 'enough']]);
  }
});

test('changeCode goes on with the code of another behaviour, and codeChange makes its state', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system, OldCounter);
  assert.deepEqual(await sys.changeCode(system.system, pid, Counter, 1), { error: 'not_suspended' });
  await sys.suspend(system.system, pid);
  const failed = await sys.changeCode(system.system, pid, Counter, 1, 'fail');
  assert.ok(failed !== 'ok' && (failed.error as { error: { message: string } }).error.message === 'cannot convert');
  assert.deepEqual((await sys.getState(system.system, pid)).total, 100, 'the old code goes on');
  assert.equal(await sys.changeCode(system.system, pid, Counter, 1), 'ok');
  await sys.resume(system.system, pid);
  assert.equal(await system.system.call(pid, 'get'), 101);
});

test('changeCode without codeChange leaves the state as it is', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system, Counter);
  await sys.suspend(system.system, pid);
  await sys.replaceState(system.system, pid, () => ({ total: 5, log: [] }));
  assert.equal(await sys.changeCode(system.system, pid, OldCounter), 'ok');
  await sys.resume(system.system, pid);
  assert.equal(await system.system.call(pid, 'get'), 5);
});

test('a request to who is gone fails as a call does, and one to a plain function is never answered', async (t) => {
  const system = await startTestSystem(t);
  await assert.rejects(sys.getState(system.system, name('nobody')), { code: 'ERR_CALL_NOPROC' });
  const plain = await openProcess(system);
  const asked = assert.rejects(sys.getState(system.system, plain.pid, { timeoutMs: 100 }), {
    code: 'ERR_CALL_TIMEOUT',
  });
  await system.clock.advance(100);
  await asked;
});

test('a system request is no message: an idle time begins anew after it, and pauses with a suspend', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startCounter(system);
  system.system.cast(pid, 'idle', 100);
  await system.clock.advance(60);
  await sys.getState(system.system, pid);
  await system.clock.advance(99);
  assert.deepEqual(log, []);
  await system.clock.advance(1);
  assert.deepEqual(log, ['timeout']);

  system.system.cast(pid, 'idle', 100);
  await sys.suspend(system.system, pid);
  await system.clock.advance(1_000);
  assert.deepEqual(log, ['timeout']);
  await sys.resume(system.system, pid);
  await system.clock.advance(100);
  assert.deepEqual(log, ['timeout', 'timeout']);
});

test('a message ends the idle time also while somebody traces', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startCounter(system);
  await sys.trace(system.system, pid, true);
  system.system.cast(pid, 'idle', 100);
  await settle();
  system.system.cast(pid, 'add', 1);
  await system.clock.advance(1_000);
  assert.deepEqual(log, ['add 1']);
});

test('no clause may have the tag of system requests, and a forged request is a call without a clause', async (t) => {
  assert.throws(
    () => genServer(import.meta, 'Bad', { init: () => 0, handleCall: { $sys: () => {} } } as any),
    /handleCall\.\$sys is reserved/,
  );
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  const { reasons } = await watch(system, pid);
  const forged = system.system.call(pid as Pid, '$sys', { command: { request: 'get_state' } });
  await assert.rejects(forged, { code: 'ERR_CALL_EXIT' });
  assert.match(JSON.stringify(reasons), /ERR_FUNCTION_CLAUSE/);
});

test('a request that comes while a handler waits is answered when that has settled', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startCounter(system);
  let finish: () => void = () => {};
  const slow = system.system.call(pid, 'slow', new Promise<void>((resolve) => (finish = resolve)));
  let asked = false;
  const state = sys.getState(system.system, pid).then(() => (asked = true));
  await settle();
  assert.equal(asked, false);
  finish();
  await Promise.all([slow, state]);
});

test('a plain process may take a system request with receive, as any call', async (t) => {
  const system = await startTestSystem(t);
  const plain = await openProcess(system);
  const asked = sys.getState(system.system, plain.pid).catch((error: CallError) => error.code);
  const [message] = await mailboxOf(plain);
  assert.deepEqual([message?.kind, message?.tag], ['call', '$sys']);
  plain.ctx.replyTo(message?.from as never, 'mine');
  assert.equal(await asked, 'mine');
});

test('the state of a debug function is its own, whatever process runs it', async (t) => {
  const system = await startTestSystem(t);
  const servers = [await startCounter(system), await startCounter(system)];
  const totals: number[] = [];
  const func = (total: number, event: DebugEvent): number => {
    const by = event.type === 'in' ? (event.message?.payload as number) : 0;
    totals.push(total + by);
    return total + by;
  };
  for (const { pid } of servers) await sys.install(system.system, pid, { func, state: 0 });
  const ctx: Context = system.opener;
  servers.forEach(({ pid }, index) => {
    ctx.cast(pid, 'add', 10 ** index);
    ctx.cast(pid, 'add', 10 ** index);
  });
  await settle();
  assert.deepEqual(
    [...new Set(totals)].sort((a, b) => a - b),
    [1, 2, 10, 20],
  );
});
