import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BadArgError,
  CallError,
  channels,
  type Dest,
  type EventHandler,
  type EventHandlerReport,
  eventHandler,
  genEvent,
  type HandlerRef,
  ignore,
  initOk,
  isErrorExit,
  name,
  noreply,
  type Pid,
  reply,
  stopInit,
  sys,
  type UnexpectedMessage,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { actions, Probe, type ProbeState, startProbeSystem, swapTo } from '../support/probe-handler.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { openProcess, reasonsOf, startTestSystem, watch } from '../support/test-system.ts';

test('an event goes to every handler, the newest first, one after another also if they are async', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  for (const each of ['a', 'b', 'c']) await add(each);
  log.length = 0;
  genEvent.notify(system, manager, 'note', 1);
  genEvent.notify(system, manager, 'act', async (state) => {
    await settle(2);
    log.push([state.name, 'slow']);
    return noreply(state);
  });
  assert.equal(await genEvent.syncNotify(system, manager, 'note', 2), 'ok');
  const round = (what: string, ...rest: unknown[]): unknown[] => ['c', 'b', 'a'].map((each) => [each, what, ...rest]);
  assert.deepEqual(log, [...round('event', 1), ...round('slow'), ...round('event', 2)]);
});

test('notify does not wait for the handlers, syncNotify does', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  await add('a');
  log.length = 0;
  genEvent.notify(system, manager, 'note', 1);
  assert.deepEqual(log, []);
  await genEvent.syncNotify(system, manager, 'note', 2);
  assert.deepEqual(log, [
    ['a', 'event', 1],
    ['a', 'event', 2],
  ]);
});

test('notify to a dead manager is lost, to a free name it throws; syncNotify rejects in both cases', async (t) => {
  const { system, manager } = await startProbeSystem(t);
  system.exitProcess(manager as Pid, 'kill');
  genEvent.notify(system, manager, 'note', 1);
  assert.throws(() => genEvent.notify(system, name<any>('nobody'), 'note', 1), BadArgError);
  for (const dest of [manager, name<any>('nobody')] as Dest[]) {
    await assert.rejects(
      genEvent.syncNotify(system, dest, 'note', 1),
      (error) => error instanceof CallError && error.reason === 'noproc',
    );
  }
});

test('a handler may be added more than once; the newest of its name is called, and deleted first', async (t) => {
  const { system, manager, log } = await startProbeSystem(t);
  for (const each of ['first', 'second']) await genEvent.addHandler(system, manager, Probe, { name: each, log });
  assert.deepEqual(await genEvent.whichHandlers(system, manager), [Probe, Probe]);
  assert.deepEqual(await genEvent.call(system, manager, Probe, 'ask', 'who'), { ok: ['second', 'who'] });
  log.length = 0;
  assert.deepEqual(await genEvent.deleteHandler(system, manager, Probe, 'why'), { ok: "second's last word" });
  assert.deepEqual(await genEvent.call(system, manager, Probe, 'ask', 'who'), { ok: ['first', 'who'] });
  assert.deepEqual(await genEvent.deleteHandler(system, manager, Probe), { ok: "first's last word" });
  assert.deepEqual(await genEvent.deleteHandler(system, manager, Probe), { error: 'module_not_found' });
  assert.deepEqual(log, [
    ['second', 'terminate', 'why'],
    ['first', 'terminate', undefined],
  ]);
});

test('handlers with ids are told apart, and from the one without', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const [a, b] = [await add('a'), await add('b')];
  await genEvent.addHandler(system, manager, Probe, { name: 'plain', log });
  assert.deepEqual(await genEvent.whichHandlers(system, manager), [Probe, b, a]);
  for (const [ref, who] of [
    [a, 'a'],
    [b, 'b'],
    [Probe, 'plain'],
  ] as const) {
    assert.deepEqual(await genEvent.call(system, manager, ref, 'ask', '?'), { ok: [who, '?'] });
  }
  assert.deepEqual(await genEvent.call(system, manager, { handler: Probe, id: 'c' }, 'ask', '?'), {
    error: 'bad_module',
  });
});

test('init that declines or fails: the handler is not added, and the caller learns why', async (t) => {
  const { system, manager } = await startProbeSystem(t);
  const add = (start: () => object): Promise<unknown> => genEvent.addHandler(system, manager, Probe, start);
  assert.deepEqual(await add(() => stopInit('no')), { error: 'no' });
  assert.equal(await add(() => ignore()), 'ignore');
  assert.deepEqual(await add(() => initOk(1)), { error: { bad_return_value: initOk(1) } });
  assert.deepEqual(await add(() => noreply(1)), { error: { bad_return_value: noreply(1) } });
  const thrown = (await add(() => {
    throw new TypeError('bad start');
  })) as { error: unknown };
  assert.ok(isErrorExit(thrown.error) && (thrown.error.error as Error).message === 'bad start');
  assert.deepEqual(await genEvent.addHandler(system, manager, {} as typeof Probe, () => ({})), { error: 'bad_module' });
  assert.deepEqual(await genEvent.addHandler(system, manager, undefined as any, 1), { error: 'bad_module' });
  assert.deepEqual(await genEvent.whichHandlers(system, manager), []);
});

test('init may be async: the addition waits for it', async (t) => {
  const { system, manager, log } = await startProbeSystem(t);
  const slow = async (): Promise<ProbeState> => {
    await settle(2);
    return { name: 'slow', log };
  };
  assert.equal(await genEvent.addHandler(system, manager, Probe, slow), 'ok');
  assert.deepEqual(await genEvent.call(system, manager, Probe, 'ask', 1), { ok: ['slow', 1] });
});

test('a handler that throws, rejects, exits or returns nonsense is removed; the others go on', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const reports = eventsOf<EventHandlerReport>(t, channels.eventHandlerReport, system.name);
  await add('good');
  for (const [action, shows] of [
    ['fail', (reason: any) => reason.error.message === 'boom' && typeof reason.stack === 'string'],
    ['reject', (reason: any) => reason.error.message === 'boom later'],
    ['exit', (reason: any) => reason === 'enough'],
    ['bad', (reason: any) => reason.bad_return_value === 'nonsense'],
  ] as const) {
    await add('faulty');
    log.length = 0;
    reports.length = 0;
    await genEvent.syncNotify(system, manager, 'act', (state, ctx) =>
      state.name === 'faulty' ? actions[action]?.(state, ctx) : noreply(state),
    );
    assert.equal(log.length, 1, action);
    const [who, what, arg] = log[0] as [string, string, { error: unknown }];
    assert.deepEqual([who, what], ['faulty', 'terminate']);
    assert.ok(shows(arg.error), action);
    assert.deepEqual(await genEvent.whichHandlers(system, manager), [{ handler: Probe, id: 'good' }]);
    assert.equal(reports.length, 1);
    const [report] = reports as [EventHandlerReport];
    assert.deepEqual(report.handler, { module: Probe.module, exportName: 'Probe', id: 'faulty' });
    assert.deepEqual(report.reason, arg.error);
    assert.equal(report.lastMessage?.tag, 'act');
    assert.equal((report.state as ProbeState).name, 'faulty');
  }
});

test('an event or a call without a clause ends the handler, one of a prototype too', async (t) => {
  const { system, manager, add } = await startProbeSystem(t);
  for (const tag of ['unknown', 'constructor', '__proto__']) {
    await add('a');
    await genEvent.syncNotify(system, manager as Dest, tag, 1);
    assert.deepEqual(await genEvent.whichHandlers(system, manager), [], tag);
    const ref = await add('b');
    const answer = (await genEvent.call(system, manager, ref as HandlerRef, tag, 1)) as { error: any };
    assert.equal(answer.error.error.code, 'ERR_FUNCTION_CLAUSE');
    assert.deepEqual(await genEvent.whichHandlers(system, manager), [], tag);
  }
});

test('a handler with handleOtherEvent takes every event that has no clause', async (t) => {
  const { system, manager } = await startProbeSystem(t);
  const seen: unknown[] = [];
  const All: EventHandler<{ readonly event: { readonly note: unknown }; readonly otherEvents: true }, void> =
    eventHandler(import.meta, 'All', {
      init: () => 'state',
      handleEvent: { note: (state) => noreply(state) },
      handleOtherEvent: (state, event) => {
        seen.push([state, event]);
        return noreply(state);
      },
    });
  await genEvent.addHandler(system, manager, All, undefined);
  await genEvent.syncNotify(system, manager, 'note', 1);
  await genEvent.syncNotify(system, manager as Dest, 'constructor', 2);
  assert.deepEqual(seen, [['state', { tag: 'constructor', payload: 2 }]]);
});

test('a call that fails returns its reason, and the handler is removed; one that is answered is not', async (t) => {
  const { system, manager, add, log } = await startProbeSystem(t);
  const ref = await add('a');
  assert.deepEqual(await genEvent.call(system, manager, ref, 'act', (s) => reply('one', { ...s, name: 'renamed' })), {
    ok: 'one',
  });
  assert.deepEqual(await genEvent.call(system, manager, ref, 'ask', 1), { ok: ['renamed', 1] }, 'the state is kept');
  assert.deepEqual(await genEvent.call(system, manager, ref, 'act', () => 'nonsense'), {
    error: { bad_return_value: 'nonsense' },
  });
  assert.deepEqual(log.at(-1), ['renamed', 'terminate', { error: { bad_return_value: 'nonsense' } }]);
  assert.deepEqual(await genEvent.whichHandlers(system, manager), []);
  const unanswered = await add('b');
  const answer = await genEvent.call(system, manager, unanswered, 'act', (state) => noreply(state));
  assert.ok('error' in answer, 'a call must be answered');
});

test('a call has a deadline; other requests wait for ever', async (t) => {
  const { system, clock, manager, add } = await startProbeSystem(t);
  const ref = await add('a');
  const never = genEvent.call(system, manager, ref, 'act', () => new Promise(() => {}), { timeoutMs: 10 });
  const which = genEvent.whichHandlers(system, manager);
  const rejected = assert.rejects(never, (error) => error instanceof CallError && error.code === 'ERR_CALL_TIMEOUT');
  await clock.advance(10);
  await rejected;
  await clock.advance(60_000);
  system.exitProcess(manager as Pid, 'kill');
  await assert.rejects(which, (error) => error instanceof CallError && error.reason === 'killed');
});

test('a handler may remove itself: terminate gets remove_handler, and a call is answered', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  await add('a');
  await genEvent.syncNotify(system, manager, 'act', () => actions['remove']?.({} as never, {} as never));
  assert.deepEqual(log.at(-1), ['a', 'terminate', 'remove_handler']);
  const b = await add('b');
  assert.deepEqual(
    await genEvent.call(system, manager, b, 'act', () => actions['removeReply']?.({} as never, {} as never)),
    { ok: 'bye' },
  );
  assert.deepEqual(log.at(-1), ['b', 'terminate', 'remove_handler']);
  assert.deepEqual(await genEvent.whichHandlers(system, manager), []);
});

test('swapHandler: what terminate returns feeds the init of the new one, which comes to the front', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const a = await add('a');
  await add('b');
  log.length = 0;
  const next = { handler: Probe, id: 'c' };
  const swapped = genEvent.swapHandler(
    system,
    manager,
    { handler: a, arg: 'x' },
    { handler: next, arg: { name: 'c', log } },
  );
  assert.equal(await swapped, 'ok');
  assert.deepEqual(log, [
    ['a', 'terminate', 'x'],
    ['c', 'init after', "a's last word"],
  ]);
  assert.deepEqual(await genEvent.whichHandlers(system, manager), [next, { handler: Probe, id: 'b' }]);
});

test('swapHandler with an old one that is not there: the new one is told error', async (t) => {
  const { system, manager, log } = await startProbeSystem(t);
  await genEvent.swapHandler(system, manager, { handler: Probe, arg: 1 }, { handler: Probe, arg: { name: 'c', log } });
  assert.deepEqual(log, [['c', 'init after', 'error']]);
});

test('swapHandler whose new handler declines leaves neither', async (t) => {
  const { system, manager, add } = await startProbeSystem(t);
  const old = { handler: await add('a'), arg: 1 };
  assert.deepEqual(await genEvent.swapHandler(system, manager, old, { handler: Probe, arg: () => stopInit('no') }), {
    error: 'no',
  });
  assert.deepEqual(await genEvent.whichHandlers(system, manager), []);
});

test('a handler may let another take its place among the others, with an event or with a call', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  for (const each of ['a', 'b', 'c']) await add(each);
  log.length = 0;
  await genEvent.syncNotify(system, manager, 'act', (state, ctx) =>
    state.name === 'b' ? swapTo('d', { name: 'd', log }).event(state, ctx) : noreply(state),
  );
  assert.deepEqual(log, [
    ['b', 'terminate', 'swap'],
    ['d', 'init after', "b's last word"],
  ]);
  const d = { handler: Probe, id: 'd' };
  const swap = swapTo('e', { name: 'e', log }).call;
  assert.deepEqual(await genEvent.call(system, manager, d, 'act', swap), { ok: 'swapped' });
  const ids = (await genEvent.whichHandlers(system, manager)).map((ref) => 'id' in ref && ref.id);
  assert.deepEqual(ids, ['c', 'e', 'a']);
});

test('a swap by the handler whose new handler fails removes both and is reported; a call is answered', async (t) => {
  const { system, manager, add } = await startProbeSystem(t);
  const reports = eventsOf<EventHandlerReport>(t, channels.eventHandlerReport, system.name);
  const a = await add('a');
  const swap = swapTo('b', () => stopInit('no')).call;
  assert.deepEqual(await genEvent.call(system, manager, a, 'act', swap), { ok: 'swapped' });
  assert.deepEqual(await genEvent.whichHandlers(system, manager), []);
  assert.deepEqual(
    reports.map(({ handler, reason }) => [handler.id, reason]),
    [['b', 'no']],
  );
});

test('a terminate that fails is reported; deleteHandler returns its reason, and a swap hands it on', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const reports = eventsOf<EventHandlerReport>(t, channels.eventHandlerReport, system.name);
  const last = (): never => {
    throw 'torn';
  };
  const a = await add('a', { last });
  const deleted = (await genEvent.deleteHandler(system, manager, a)) as { error: { error: unknown } };
  assert.equal(deleted.error.error, 'torn');
  const b = await add('b', { last });
  await genEvent.swapHandler(system, manager, { handler: b, arg: 1 }, { handler: Probe, arg: { name: 'c', log } });
  assert.deepEqual(log.at(-1)?.slice(0, 2), ['c', 'init after']);
  assert.equal((log.at(-1) as any)[2].error.error, 'torn');
  assert.deepEqual(
    reports.map(({ handler, lastMessage }) => [handler.id, lastMessage]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
  );
});

test('a plain message goes to the handlers that have a clause; one that nobody knows is published', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const unexpected = eventsOf<UnexpectedMessage>(t, channels.unexpectedMessage, system.name);
  await add('a');
  await add('b');
  log.length = 0;
  system.send(manager, 'hello', 'world');
  system.send(manager as Dest, 'unknown', 1);
  system.send(manager as Dest, 'constructor', 2);
  await settle();
  assert.deepEqual(log, [
    ['b', 'info', 'world'],
    ['a', 'info', 'world'],
  ]);
  assert.deepEqual(
    unexpected.map(({ tag, payload }) => [tag, payload]),
    [
      ['unknown', 1],
      ['constructor', 2],
    ],
  );
  assert.equal((await genEvent.whichHandlers(system, manager)).length, 2);
});

test('a manager that ends runs terminate of its handlers with stop', async (t) => {
  const { system, opener, log, ...probes } = await startProbeSystem(t);
  const parent = await openProcess({ opener }, { trapExit: true });
  const started = await genEvent.startLink(parent.ctx);
  assert.ok(started !== 'ignore' && 'ok' in started);
  for (const each of ['a', 'b']) {
    await genEvent.addHandler(system, started.ok, { handler: Probe, id: each }, { name: each, log });
  }
  assert.deepEqual(log.splice(0), [
    ['a', 'init'],
    ['b', 'init'],
  ]);
  parent.ctx.exitProcess(started.ok, 'shutdown');
  assert.deepEqual(await reasonsOf(parent), ['shutdown']);
  assert.deepEqual(log, [
    ['b', 'terminate', 'stop'],
    ['a', 'terminate', 'stop'],
  ]);
  const { reasons } = await watch({ opener }, probes.manager as Pid);
  system.exitProcess(probes.manager as Pid, 'shutdown');
  await settle();
  assert.deepEqual(reasons, [], 'an exit signal of another process is an info message for the handlers');
});

test('a supervised manager is restarted without its handlers', async (t) => {
  const bus = name<any>('bus');
  const { system } = await startTestSystem(t, { children: [genEvent.child({ name: bus })], intensity: 1 });
  await genEvent.addHandler(system, bus, Probe, { name: 'a', log: [] });
  system.exitProcess(system.whereis(bus) ?? assert.fail(), 'kill');
  await settle();
  assert.deepEqual(await genEvent.whichHandlers(system, bus), []);
});

test('sys shows and replaces the states of the handlers one by one', async (t) => {
  const { system, manager, log, add } = await startProbeSystem(t);
  const a = await add('a');
  await add('b');
  const state = (who: string): unknown => ({ handler: 'Probe', id: who, state: { name: who, log } });
  assert.deepEqual(await sys.getState(system, manager), [state('b'), state('a')]);
  const replaced = await sys.replaceState<any>(system, manager, (each) => {
    if (each.id === 'b') throw new Error('not this one');
    return { ...each, state: { ...each.state, name: 'new' } };
  });
  assert.deepEqual(replaced, [state('b'), { handler: 'Probe', id: 'a', state: { name: 'new', log } }]);
  assert.deepEqual(await genEvent.call(system, manager, a, 'ask', 1), { ok: ['new', 1] });
  const status = await sys.getStatus(system, manager);
  assert.equal(status.initialCall, 'event-manager.js#EventManager');
  assert.equal((status.state as any)[0].id, 'b');
});

test('reports and sys.getStatus show the state of a handler through its formatStatus', async (t) => {
  const { system, manager } = await startProbeSystem(t);
  const reports = eventsOf<EventHandlerReport>(t, channels.eventHandlerReport, system.name);
  const Secret: EventHandler<{ readonly event: { readonly note: number } }, string> = eventHandler(
    import.meta,
    'Secret',
    {
      init: (secret) => secret,
      handleEvent: { note: () => assert.fail('boom') },
      formatStatus: (secret) => '*'.repeat(secret.length),
    },
  );
  await genEvent.addHandler(system, manager as Dest, Secret, 'key');
  assert.deepEqual((await sys.getStatus(system, manager)).state, [{ handler: 'Secret', id: undefined, state: '***' }]);
  await genEvent.syncNotify(system, manager, 'note', 1);
  assert.equal(reports[0]?.state, '***');
});

test('a malformed handler is refused where it is defined', () => {
  assert.throws(() => eventHandler(import.meta, 'X', {} as never), /eventHandler 'X': init must be a function/);
  assert.throws(
    () => eventHandler(import.meta, 'X', { init: () => 1, handleEvent: { a: 1 } } as never),
    /eventHandler 'X': handleEvent.a must be a function/,
  );
});
