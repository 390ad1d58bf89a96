/** Wrong arguments: every function says what is wrong with which of them, and has done nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as runtime from '../../runtime/index.ts';
import {
  BadArgError,
  type Behaviour,
  type Call,
  type Context,
  child,
  type GenServer,
  genServer,
  initOk,
  name,
  noreply,
  type Pid,
  reply,
  supervisor,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, reasonsOf, startTestSystem, watch } from '../support/test-system.ts';

interface Protocol {
  readonly call: { readonly get: Call<unknown, unknown> };
  readonly cast: { readonly go: unknown };
}

const Server: GenServer<Protocol, unknown> = genServer(import.meta, 'Server', {
  init: (next) => initOk('state', next as undefined),
  handleCall: { get: (state: string, next) => reply(state, state, next as undefined) },
  handleCast: { go: (state: string, next) => noreply(state, next as undefined) },
});
const server = child(Server, undefined, { name: 'server' });

/** Anything, and what programs give by mistake. */
const anything: fc.Arbitrary<any> = fc.oneof(
  fc.constantFrom(undefined, null, true, 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '', 'x', 1n),
  fc.constantFrom<any>(
    Symbol('s'),
    () => 1,
    {},
    [],
    [undefined],
    [null],
    { timeoutMs: 5 },
    Promise.resolve(),
    new Map(),
  ),
  fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }),
);

/** Loose, as a program in JavaScript is. */
type Try = (ctx: any, wrong: any) => unknown;
const { sys, pg, agent, task, genEvent, taskSupervisor } = runtime;
const meta = import.meta;
const init = (): number => 0;

/** Each function with something in the place of one of its arguments. */
const tries: Readonly<Record<string, Try>> = {
  'call: dest': (ctx, wrong) => ctx.call(wrong, 'get'),
  'call: options': (ctx, wrong) => ctx.call(name<any>('server'), 'get', undefined, wrong),
  'call: timeoutMs': (ctx, wrong) => ctx.call(name<any>('server'), 'get', undefined, { timeoutMs: wrong }),
  'call: tag': (ctx, wrong) => ctx.call(name<any>('nobody'), wrong),
  'cast: dest': (ctx, wrong) => ctx.cast(wrong, 'go'),
  'send: dest': (ctx, wrong) => ctx.send(wrong, 'go'),
  'sendRequest: dest': (ctx, wrong) => ctx.sendRequest(wrong, 'get'),
  'replyTo: from': (ctx, wrong) => ctx.replyTo(wrong, 1),
  'link: pid': (ctx, wrong) => ctx.link(wrong),
  'unlink: pid': (ctx, wrong) => ctx.unlink(wrong),
  'monitor: dest': (ctx, wrong) => ctx.monitor(wrong),
  'monitor: options': (ctx, wrong) => ctx.monitor(name('server'), wrong),
  'monitor: tag': (ctx, wrong) => ctx.monitor(name('server'), { tag: wrong }),
  'demonitor: options': (ctx, wrong) => ctx.demonitor(0, wrong),
  'alias: options': (ctx, wrong) => ctx.alias(wrong),
  'unalias: alias': (ctx, wrong) => ctx.unalias(wrong),
  'exitProcess: pid': (ctx, wrong) => ctx.exitProcess(wrong, 'why'),
  'isAlive: pid': (ctx, wrong) => ctx.isAlive(wrong),
  'processInfo: pid': (ctx, wrong) => ctx.processInfo(wrong),
  'whereis: name': (ctx, wrong) => ctx.whereis(wrong),
  'unregister: name': (ctx, wrong) => ctx.unregister(wrong),
  'register: pid': (ctx, wrong) => ctx.register(name('new'), wrong ?? 'nobody'),
  'trapExit: on': (ctx, wrong) => ctx.trapExit(wrong === false || wrong),
  'receive: match': (ctx, wrong) => ctx.receive(wrong, 0),
  'receive: timeoutMs': (ctx, wrong) => {
    ctx.send(ctx.self, 'there is always one'); // no time passes here: without it the wait would be for ever
    return ctx.receive(() => true, wrong);
  },
  'sendAfter: delayMs': (ctx, wrong) => ctx.sendAfter(wrong, 'tick'),
  'sendAfter: dest': (ctx, wrong) => ctx.sendAfter(1, 'tick', undefined, wrong),
  'startTimer: delayMs': (ctx, wrong) => ctx.startTimer(wrong),
  'sendInterval: periodMs': (ctx, wrong) => ctx.sendInterval(wrong, 'tick'),
  'sendInterval: dest': (ctx, wrong) => ctx.sendInterval(1, 'tick', undefined, wrong),
  'applyAfter: run': (ctx, wrong) => ctx.applyAfter(1, wrong, undefined),
  'openPort: port': (ctx, wrong) => ctx.openPort(wrong),
  'spawn: code': (ctx, wrong) => ctx.spawn(wrong, undefined),
  'spawn: options': (ctx, wrong) => ctx.spawn(init, undefined, wrong),
  'start: code': (ctx, wrong) => ctx.start(wrong, undefined),
  'start: options': (ctx, wrong) => ctx.start(Server, undefined, wrong),
  'start: name': (ctx, wrong) => ctx.start(Server, undefined, { name: wrong }),
  'startMonitor: debug': (ctx, wrong) => ctx.startMonitor(Server, undefined, { debug: wrong }),
  'sys.getState: dest': (ctx, wrong) => sys.getState(ctx, wrong),
  'sys.replaceState: f': (ctx, wrong) => sys.replaceState(ctx, name('server'), typeof wrong === 'function' ? 1 : wrong),
  'sys.statistics: flag': (ctx, wrong) => sys.statistics(ctx, name('server'), wrong),
  'sys.trace: flag': (ctx, wrong) => sys.trace(ctx, name('server'), wrong),
  'sys.log: flag': (ctx, wrong) => sys.log(ctx, name('server'), wrong),
  'sys.log: size': (ctx, wrong) => sys.log(ctx, name('server'), { size: wrong }),
  'sys.install': (ctx, wrong) => sys.install(ctx, name('server'), wrong),
  'sys.changeCode': (ctx, wrong) => sys.changeCode(ctx, name('server'), wrong),
  'stopServer: timeoutMs': (ctx, wrong) => runtime.stopServer(ctx, name('nobody'), 'normal', wrong),
  'multiCall: dests': (ctx, wrong) => runtime.multiCall<any, any>(ctx, wrong, 'get', undefined, 1),
  'abcast: dests': (ctx, wrong) => runtime.abcast<any, any>(ctx, wrong, 'go', undefined),
  'receiveResponse: id': (ctx, wrong) => runtime.receiveResponse(ctx, wrong, 0),
  'checkResponse: id': (_ctx, wrong) => runtime.checkResponse({}, wrong),
  'reqidsAdd: id': (_ctx, wrong) => runtime.reqidsAdd(wrong, 'label', runtime.reqidsNew<string>()),
  'reqidsSize: ids': (_ctx, wrong) => runtime.reqidsSize(wrong),
  'idleTimeout: timeoutMs': (_ctx, wrong) => runtime.idleTimeout(wrong),
  'enterLoop: behaviour': (_ctx, wrong) => runtime.enterLoop(wrong, 0),
  'genServer: meta': (_ctx, wrong) => genServer(wrong, 'S', { init }),
  'genServer: exportName': (_ctx, wrong) => genServer(meta, wrong, { init }),
  'genServer: callbacks': (_ctx, wrong) => genServer(meta, 'S', wrong),
  'genServer: terminate': (_ctx, wrong) => genServer(meta, 'S', { init, terminate: wrong }),
  'genServer: handleCall': (_ctx, wrong) => genServer(meta, 'S', { init, handleCall: wrong }),
  'genStatem: states': (_ctx, wrong) => runtime.genStatem<any, any>(meta, 'M', { init, states: wrong } as never),
  'genStatem: state': (_ctx, wrong) => runtime.genStatem<any, any>(meta, 'M', { init, states: { a: wrong } } as never),
  'genStatem: handleEvent': (_ctx, wrong) =>
    runtime.genStatem<any, any>(meta, 'M', { init, handleEvent: wrong } as never),
  'stateTimeout: time': (_ctx, wrong) => runtime.stateTimeout(wrong, 'x'),
  'stateTimeout: options': (_ctx, wrong) => runtime.stateTimeout(1, 'x', 0, wrong),
  'eventHandler: callbacks': (_ctx, wrong) => runtime.eventHandler(meta, 'H', wrong),
  'genEvent.child: options': (_ctx, wrong) => genEvent.child(wrong),
  'genEvent.notify: manager': (ctx, wrong) => genEvent.notify(ctx, wrong, 'x'),
  'genEvent.addHandler': (ctx, wrong) => genEvent.addHandler(ctx, name('manager'), wrong, 0),
  'genEvent.swapHandler: old': (ctx, wrong) =>
    genEvent.swapHandler(ctx, name('manager'), wrong, { handler: {} as never, arg: 0 }),
  'genEvent.swapHandler: next': (ctx, wrong) =>
    genEvent.swapHandler(ctx, name('manager'), { handler: {} as never, arg: 0 }, wrong),
  'child: behaviour': (ctx, wrong) => runtime.startChild(ctx, name('sup'), child(wrong, undefined as never)),
  'child: options': (_ctx, wrong) => child(Server, undefined, wrong),
  'startChild: spec': (ctx, wrong) => runtime.startChild(ctx, name('sup'), wrong),
  'startChild: sup': (ctx, wrong) => runtime.startChild(ctx, wrong, server),
  'terminateChild: id': (ctx, wrong) => runtime.terminateChild(ctx, name('sup'), wrong),
  'deleteChild: id': (ctx, wrong) => runtime.deleteChild(ctx, name('sup'), wrong),
  'supervisor: options': (_ctx, wrong) => supervisor('s', wrong, []),
  'supervisor: children': (ctx, wrong) => runtime.startChild(ctx, name('sup'), supervisor('s', {}, wrong)),
  'partitionSupervisor: options': (_ctx, wrong) => runtime.partitionSupervisor('p', wrong),
  'partitionSupervisor: child': (_ctx, wrong) => runtime.partitionSupervisor('p', { child: wrong, partitions: 2 }),
  'registry: name': (_ctx, wrong) => runtime.registry(wrong, { keys: 'unique' }),
  'registry: options': (_ctx, wrong) => runtime.registry('r', wrong),
  'registry: listeners': (_ctx, wrong) => runtime.registry('r', { keys: 'unique', listeners: wrong }),
  'pg.join: group': (ctx, wrong) => pg.join(ctx, wrong, ctx.self),
  'pg.join: pids': (ctx, wrong) => pg.join(ctx, 'g', wrong),
  'pg.getMembers: scope': (ctx, wrong) => pg.getMembers(ctx, 'g', wrong),
  'pg.monitor: group': (ctx, wrong) => pg.monitor(ctx, wrong),
  'agent.get: read': (ctx, wrong) => agent.get(ctx, name<any>('agent'), typeof wrong === 'function' ? 1 : wrong),
  'agent.update: change': (ctx, wrong) =>
    agent.update(ctx, name<any>('agent'), typeof wrong === 'function' ? 1 : wrong),
  'agent.cast: change': (ctx, wrong) => agent.cast(ctx, name<any>('agent'), typeof wrong === 'function' ? 1 : wrong),
  'agent.child: init': (_ctx, wrong) => agent.child(wrong),
  'task.async: run': (ctx, wrong) => task.async(ctx, wrong),
  'task.await: task': (ctx, wrong) => task.await(ctx, wrong),
  'task.await: options': (ctx, wrong) => task.await(ctx, task.async(ctx, init), wrong),
  'task.awaitMany: tasks': (ctx, wrong) => task.awaitMany(ctx, wrong),
  'task.yieldMany: timeoutMs': (ctx, wrong) => task.yieldMany(ctx, [task.async(ctx, init)], { timeoutMs: wrong }),
  'task.yieldMany: onTimeout': (ctx, wrong) => task.yieldMany(ctx, [task.async(ctx, init)], { onTimeout: wrong }),
  'task.yieldMany: limit': (ctx, wrong) => task.yieldMany(ctx, [task.async(ctx, init)], { limit: wrong }),
  'task.shutdown: how': (ctx, wrong) => task.shutdown(ctx, task.async(ctx, init), wrong),
  'task.asyncStream: items': (ctx, wrong) => task.asyncStream(ctx, wrong, init),
  'task.asyncStream: options': (ctx, wrong) => task.asyncStream(ctx, [1], init, wrong),
  'task.asyncStream: ordered': (ctx, wrong) => task.asyncStream(ctx, [1], init, { ordered: wrong }),
  'task.child: run': (_ctx, wrong) => task.child(wrong),
  'taskSupervisor: options': (_ctx, wrong) => taskSupervisor('t', wrong),
  'taskSupervisor.async: run': (ctx, wrong) => taskSupervisor.async(ctx, name('tasks'), wrong),
  'newTable: name': (ctx, wrong) => ctx.newTable(wrong).deleteTable(),
  'newTable: options': (ctx, wrong) => ctx.newTable('t', wrong).deleteTable(),
  'newTable: type': (ctx, wrong) => ctx.newTable('t', { type: wrong }).deleteTable(),
  'newTable: heir': (ctx, wrong) => ctx.newTable('t', { heir: wrong }).deleteTable(),
  'application: callbacks': (_ctx, wrong) => runtime.application('a', wrong),
  'application: applications': (_ctx, wrong) => runtime.application('a', { applications: wrong }),
  'applicationController: boot': (_ctx, wrong) => runtime.applicationController(wrong),
  startApplication: (ctx, wrong) => runtime.startApplication(ctx, wrong),
  stopApplication: (ctx, wrong) => runtime.stopApplication(ctx, wrong),
  ensureAllStarted: (ctx, wrong) => runtime.ensureAllStarted(ctx, wrong),
  'startSystem: options': (_ctx, wrong) => startAndStop(wrong),
  'startSystem: children': (_ctx, wrong) => startAndStop({ children: wrong }),
  'startSystem: signals': (_ctx, wrong) => startAndStop({ children: [], signals: wrong }),
  'startSystem: clock': (_ctx, wrong) => startAndStop({ children: [], clock: wrong }),
  'startSystem: onSend': (_ctx, wrong) => startAndStop({ children: [], onSend: wrong }),
};

async function startAndStop(options: any): Promise<void> {
  const system = await runtime.startSystem(options);
  await system.stop();
}

const children = [
  server,
  supervisor('sup', { name: 'sup' }, []),
  genEvent.child({ name: 'manager' }),
  agent.child(() => 0, { name: 'agent' }),
  taskSupervisor('tasks', { name: 'tasks' }),
  pg.childSpec(),
  runtime.applicationController(),
];

/** Its own error, with a code that a program can match; anything else came from somewhere deep inside. */
function assertOwnError(what: string, wrong: unknown, error: any): void {
  const own = error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_');
  if (!own) throw new Error(`${what} with ${fc.stringify(wrong)}: ${String(error)}`, { cause: error });
}

test('whatever is given to it, a function does what it says or throws an error with a code', async (t) => {
  const system = await startTestSystem(t, { children });
  const { ctx } = await openProcess(system, { trapExit: true });
  const held = await Promise.all(['server', 'sup', 'manager', 'agent', 'tasks'].map((who) => ctx.whereis(name(who))));
  for (const [what, attempt] of Object.entries(tries)) {
    await fc.assert(
      fc.asyncProperty(anything, async (wrong) => {
        try {
          await attempt(ctx, wrong);
        } catch (error) {
          assertOwnError(what, wrong, error);
        }
      }),
      { numRuns: 40 },
    );
  }
  await settle();
  for (const pid of held) assert.ok(pid !== undefined && system.system.isAlive(pid), 'nobody has ended of it');
});

test('a wrong option of a start is refused with the term of a supervisor, and nothing was started', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const before = system.processCount;
  const wrong: [option: string, term: string, values: unknown[]][] = [
    ['name', 'invalid_name', ['', 1, null, {}, { via: {}, name: 'x' }]],
    ['handlerTimeoutMs', 'invalid_handler_timeout', [-1, null, '5', Number.NaN]],
    ['attribute', 'invalid_attribute', [1, 'true', null]],
    ['mailboxMax', 'invalid_mailbox_max', [0, 1.5, null]],
    ['mailboxPolicy', 'invalid_mailbox_policy', ['drop', null]],
    ['hibernateAfterMs', 'invalid_hibernate_after', [0, null]],
    ['timeoutMs', 'invalid_timeout', [-1, null, 'infinity']],
    ['debug', 'invalid_debug', ['trace', ['loud'], null, {}]],
  ];
  for (const [option, term, values] of wrong) {
    for (const value of values) {
      const expected = { name: 'BadArgError', code: 'ERR_BADARG', reason: { [term]: value } };
      const options = { [option]: value };
      assert.throws(() => opener.spawn(Server, undefined, options), expected);
      assert.throws(() => opener.spawnLink(Server, undefined, options), expected);
      assert.throws(() => opener.spawnMonitor(Server, undefined, options), expected);
      await assert.rejects(opener.start(Server, undefined, options), expected);
      await assert.rejects(opener.startLink(Server, undefined, options), expected);
      await assert.rejects(opener.startMonitor(Server, undefined, options), expected);
    }
  }
  assert.throws(() => opener.spawn(init, undefined, { debug: ['trace'] }), /debug must be left out for a function/);
  assert.equal(system.processCount, before);
});

test('only a behaviour can be started, and only that or a function spawned', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const before = system.processCount;
  for (const code of [undefined, null, {}, [], 'Server', 1] as unknown as Behaviour[]) {
    assert.throws(() => opener.spawn(code, undefined), /^BadArgError: what a process runs must be a behaviour or a fu/);
    await assert.rejects(opener.start(code, undefined), /^BadArgError: what is started must be a behaviour/);
  }
  await assert.rejects(opener.start(init as never, undefined), /a behaviour \(a function is run with spawn\)/);
  assert.equal(system.processCount, before);
});

test('what is no destination is told apart from one where nobody is', async (t) => {
  const opener: any = (await startTestSystem(t)).opener;
  const nowhere = undefined;
  const expected = { code: 'ERR_BADARG', message: /^the destination must be a pid, a name, .* not undefined$/ };
  await assert.rejects(opener.call(nowhere, 'get'), expected);
  for (const attempt of [
    () => opener.cast(nowhere, 'go'),
    () => opener.send(nowhere, 'go'),
    () => opener.sendRequest(nowhere, 'get'),
    () => opener.monitor(nowhere),
  ]) {
    assert.throws(attempt, expected);
  }
  await assert.rejects(opener.call(name<any>('nobody'), 'get'), { code: 'ERR_CALL_NOPROC' });
  opener.cast(name<any>('nobody'), 'go');
});

test('a next that is none is a bad return value', async (t) => {
  const test = await startTestSystem(t);
  for (const wrong of [5, 'infinity', {}, { timeoutMs: 5 }] as never[]) {
    const { ctx } = await openProcess(test, { trapExit: true });
    const result: any = await ctx.start(Server, undefined);
    const { reasons } = await watch(test, result.ok);
    ctx.cast(result.ok as Pid<Protocol>, 'go', wrong);
    await settle();
    assert.deepEqual(Object.keys(reasons[0] as object), ['bad_return_value']);
    const failed: any = await ctx.start(Server, wrong);
    assert.deepEqual(Object.keys(failed.error), ['bad_return_value']);
  }
});

test('sys refuses what it cannot do before it asks, and the server goes on', async (t) => {
  const { system } = await startTestSystem(t, { children: [server] });
  const who = name<Protocol>('server');
  const refused: [attempt: () => unknown, message: RegExp][] = [
    [() => sys.log(system, who, null as never), /sys\.log: the flag must be true, false, 'get' or { size }, not null/],
    [() => sys.log(system, who, { size: 0 }), /sys\.log: size must be a whole number from 1 on, not 0/],
    [() => sys.trace(system, who, 'on' as never), /sys\.trace: the flag must be true or false, not 'on'/],
    [() => sys.statistics(system, who, 'all' as never), /sys\.statistics: the flag must be true, false or 'get'/],
    [() => sys.install(system, who, undefined as never), /sys\.install: what is installed must be an object/],
    [() => sys.install(system, who, { func: 1 as never }), /sys\.install: func must be a function, not 1/],
    [() => sys.changeCode(system, who, {} as never), /sys\.changeCode: the new code must be a behaviour, not {}/],
  ];
  for (const [attempt, message] of refused)
    assert.throws(attempt, { name: 'BadArgError', code: 'ERR_BADARG', message });
  assert.equal(await system.call(who, 'get', undefined), 'state');
});

test('the code of the runtime itself does not change, and nobody takes it over', async (t) => {
  const { system } = await startTestSystem(t, { children: [server, supervisor('sup', { name: 'sup' }, [])] });
  await sys.suspend(system, name('sup'));
  assert.deepEqual(await sys.changeCode(system, name('sup'), Server), { error: 'not_supported' });
  await sys.resume(system, name('sup'));
  await sys.suspend(system, name('server'));
  const other = supervisor('other', {}, []).start.behaviour;
  const answer: any = await sys.changeCode(system, name('server'), other);
  assert.equal(answer.error.error.code, 'ERR_BADARG');
  await sys.resume(system, name('server'));
  assert.equal(await system.call(name<Protocol>('server'), 'get', undefined), 'state');
  assert.deepEqual(await runtime.whichChildren(system, name('sup')), []);
});

test('an agent does not end of what its client gives', async (t) => {
  const { system, opener } = await startTestSystem(t, { children: [agent.child(() => 3, { name: 'counter' })] });
  const counter = name<runtime.AgentProtocol<number>>('counter');
  const pid = system.whereis(counter);
  for (const wrong of [undefined, 5, {}] as never[]) {
    for (const run of [agent.get, agent.update, agent.getAndUpdate, agent.cast] as ((...args: any[]) => unknown)[]) {
      assert.throws(() => run(opener, counter, wrong), BadArgError);
    }
  }
  assert.equal(await agent.get(system, counter, (state) => state), 3);
  assert.equal(system.whereis(counter), pid);
});

test('an uncaught wrong argument ends the process with an error that says so', async (t) => {
  const test = await startTestSystem(t);
  const parent = await openProcess(test, { trapExit: true });
  parent.ctx.spawnLink((_arg: undefined, ctx: Context) => ctx.sendAfter(-1, 'x'), undefined);
  const [reason] = (await reasonsOf(parent)) as [{ error: unknown }];
  assert.deepEqual(reason.error, {
    name: 'BadArgError',
    message: 'delayMs must be a number of milliseconds from 0 to 2147483647, not -1',
    code: 'ERR_BADARG',
  });
  assert.deepEqual(await mailboxOf(parent), []);
});
