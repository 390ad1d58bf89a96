import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  type Context,
  type CrashReport,
  channels,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  reply,
  stop,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { runProgram } from '../support/child-program.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, type TestSystem, watch } from '../support/test-system.ts';

type Step = (ctx: Context) => unknown;
interface Protocol {
  readonly call: { readonly run: Call<Step, unknown> };
  readonly cast: { readonly run: Step };
}

/** A state; its terminate is noted, so that a test sees whether it ran. */
interface State {
  readonly terminated: unknown[];
  readonly init?: Step;
}

const Server: GenServer<Protocol, State> = genServer(import.meta, 'Server', {
  init: async (state: State, ctx) => {
    await state.init?.(ctx);
    return state;
  },
  handleCall: { run: async (state: State, step, ctx) => reply(await step(ctx), state) },
  handleCast: {
    run: (state: State, step, ctx) => {
      const result = step(ctx);
      return result instanceof Promise ? result.then(() => noreply(state)) : noreply(state);
    },
  },
  terminate: (reason, state: State) => state.terminated.push(reason),
});

interface Started {
  readonly pid: Pid<Protocol>;
  readonly terminated: unknown[];
  readonly reasons: readonly unknown[];
}

async function startServer(system: TestSystem, handlerTimeoutMs: number): Promise<Started> {
  const terminated: unknown[] = [];
  const result = await system.opener.start(Server, { terminated }, { handlerTimeoutMs });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { pid: result.ok, terminated, reasons: (await watch(system, result.ok)).reasons };
}

const never = (): Promise<void> => new Promise(() => {});

test('a fault in one process leaves its siblings alone', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await startServer(system, 0), await startServer(system, 0)];
  system.system.cast(a.pid, 'run', () => {
    throw new Error('boom');
  });
  await settle();
  assert.equal(a.reasons.length, 1);
  assert.equal(await system.system.call(b.pid, 'run', () => 'fine'), 'fine');
});

test('a handler that does not settle within handlerTimeoutMs costs the process; terminate does not run', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const { pid, terminated, reasons } = await startServer(system, 100);
  system.system.cast(pid, 'run', never);
  const queued = assert.rejects(
    system.system.call(pid, 'run', () => 0),
    { code: 'ERR_CALL_EXIT' },
  );
  await system.clock.advance(99);
  assert.deepEqual(reasons, []);
  await system.clock.advance(1);
  await queued;
  assert.deepEqual(reasons, [{ handler_timeout: 'run' }]);
  assert.deepEqual(terminated, []);
  assert.deepEqual(
    crashes.map(({ reason }) => reason),
    [{ handler_timeout: 'run' }],
  );
});

test('handlerTimeoutMs counts for each message anew, and not between messages', async (t) => {
  const system = await startTestSystem(t);
  const { pid, reasons } = await startServer(system, 100);
  for (let i = 0; i < 5; i++) {
    let finish: () => void = () => {};
    const step: Step = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    system.system.cast(pid, 'run', step);
    await system.clock.advance(90);
    finish();
    await system.clock.advance(500);
  }
  assert.deepEqual(reasons, []);
  assert.equal(system.system.isAlive(pid), true);
});

test('handlerTimeoutMs holds for init and for a plain function too', async (t) => {
  const system = await startTestSystem(t);
  const starting = system.opener.start(Server, { terminated: [], init: never }, { handlerTimeoutMs: 100 });
  const run = system.opener.spawn(never, undefined, { handlerTimeoutMs: 100 });
  const { reasons } = await watch(system, run);
  await system.clock.advance(100);
  assert.deepEqual(await starting, { error: { handler_timeout: 'init' } });
  assert.deepEqual(reasons, [{ handler_timeout: 'run' }]);
});

test('terminate has a time of its own', async (t) => {
  const system = await startTestSystem(t);
  const wait = (ctx: Context, ms: number): Promise<unknown> => ctx.receive(() => false, ms);
  const Slow: GenServer<any, number> = genServer(import.meta, 'Slow', {
    init: (terminateMs: number) => terminateMs,
    handleCast: {
      stop: async (state: number, _payload: unknown, ctx: Context) => {
        await wait(ctx, 90);
        return stop('normal', state);
      },
    },
    terminate: (_reason: unknown, terminateMs: number, ctx: Context) => wait(ctx, terminateMs),
  } as never);
  for (const [terminateMs, expected] of [
    [90, 'normal'],
    [110, { handler_timeout: 'stop' }],
  ] as const) {
    const result = await system.opener.start(Slow, terminateMs, { handlerTimeoutMs: 100 });
    assert.ok(result !== 'ignore' && 'ok' in result);
    const { reasons } = await watch(system, result.ok);
    system.system.cast(result.ok, 'stop');
    await system.clock.advance(500);
    assert.deepEqual(reasons, [expected]);
  }
});

test('by default a handler has no limit', async (t) => {
  const system = await startTestSystem(t);
  const { pid, reasons } = await startServer(system, 0);
  system.system.cast(pid, 'run', never);
  await system.clock.advance(1_000_000_000);
  assert.deepEqual(reasons, []);
});

test('a result that comes after the death of its process reaches nobody', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system, 100);
  const bystander = await openProcess(system, { trapExit: true });
  const errors: unknown[] = [];
  let finish: (value: unknown) => void = () => {};
  const late: Step = async (ctx) => {
    const value = await new Promise((resolve) => {
      finish = resolve;
    });
    try {
      ctx.send(bystander.pid, 'late', value);
    } catch (error) {
      errors.push((error as { code: string }).code);
    }
    return value;
  };
  const call = system.system.call(pid, 'run', late);
  const outcome = assert.rejects(call, { code: 'ERR_CALL_EXIT', reason: { handler_timeout: 'run' } });
  await system.clock.advance(100);
  await outcome;
  finish('late');
  await settle();
  assert.deepEqual(errors, ['ERR_EXITED']);
  assert.equal(await bystander.ctx.receive(() => true, 0), 'timeout');
});

test('a handler may return any thenable; one that throws from then costs its process only', async (t) => {
  const system = await startTestSystem(t);
  type Done = (result: unknown) => void;
  const thenable = (then: (done: Done) => void): unknown => Object.defineProperty({}, 'then', { value: then });
  const Thenable: GenServer<any, undefined> = genServer(import.meta, 'Thenable', {
    init: () => 0,
    handleCast: {
      good: (state: number) => thenable((done) => done(noreply(state + 1))),
      twice: (state: number) =>
        thenable((done) => {
          done(noreply(state + 1));
          done(noreply(state + 100));
        }),
      bad: () =>
        thenable(() => {
          throw new Error('evil');
        }),
    },
    handleCall: { get: (state: number) => reply(state, state) },
  } as never);
  const result = await system.opener.start(Thenable, undefined);
  assert.ok(result !== 'ignore' && 'ok' in result);
  system.system.cast(result.ok, 'good');
  system.system.cast(result.ok, 'twice');
  system.system.cast(result.ok, 'good');
  assert.equal(await system.system.call(result.ok, 'get'), 3);
  system.system.cast(result.ok, 'bad');
  await settle();
  assert.equal(system.system.isAlive(result.ok), false);
  assert.equal((await openProcess(system)).ctx.isAlive(system.system.root), true, 'the system goes on');
});

/** Prints how each process ended, and each crash report of code that a dead process left behind. */
const program = (body: string, options = ''): string => `
  const steps = {
    timer: (ctx) => { setTimeout(() => { throw new Error('boom'); }, 0); },
    immediate: (ctx) => { setImmediate(() => { throw new Error('boom'); }); },
    tick: (ctx) => { process.nextTick(() => { throw new Error('boom'); }); },
    microtask: (ctx) => { queueMicrotask(() => { throw new Error('boom'); }); },
    rejection: (ctx) => { Promise.reject(new Error('boom')); },
    notAnError: (ctx) => { Promise.reject('boom'); },
    nested: (ctx) => { setTimeout(() => { void (async () => { await null; throw new Error('boom'); })(); }, 0); },
    later: async (ctx) => {
      await new Promise((done) => setImmediate(done));
      setTimeout(() => { throw new Error('boom'); }, 0);
    },
    call: (ctx) => { void ctx.call('nobody', 'x'); },
    fine: (ctx) => {},
    afterExit: (ctx) => { setTimeout(() => { throw new Error('boom'); }, 0); ctx.exit('first'); },
    castAfterExit: (ctx) => { setTimeout(() => { ctx.cast('b', 'run', 'fine'); }, 0); ctx.exit('first'); },
    through: (ctx) => { ctx.cast('plain', 'run', 'timer'); },
    throughLater: (ctx) => { setTimeout(() => { ctx.cast('plain', 'run', 'timer'); }, 0); },
  };
  const Server = beamish.genServer(meta, 'Server', {
    init: (label, ctx) => { ctx.setLabel(label); return label; },
    handleCall: { ping: (s) => beamish.reply('pong ' + s, s) },
    handleCast: { run: (s, step, ctx) => {
      const result = steps[step](ctx);
      return result instanceof Promise ? result.then(() => beamish.noreply(s)) : beamish.noreply(s);
    } },
  });
  const short = (reason) =>
    beamish.isErrorExit(reason) ? 'error ' + (reason.error?.message ?? reason.error) : JSON.stringify(reason);
  subscribe('beamish:process-exit', ({ label, reason }) => {
    if (label) console.log('exit', label, short(reason));
  });
  subscribe('beamish:crash-report', ({ label, reason, late }) => {
    if (late) console.log('late', label, short(reason));
  });
  const spec = (id, options) => beamish.child(Server, id, { id, name: id, ...options });
  const children = [spec('a', { attribute: true }), spec('b', { attribute: true }), spec('plain', {})];
  const system = await beamish.startSystem({ intensity: 100, children, ${options} });
  const quiet = async () => { for (let i = 0; i < 6; i++) await new Promise((done) => setTimeout(done, 0)); };
  ${body}
`;

test('with attribute, a throw in a timer and a floating rejection end their process', async () => {
  const steps = ['timer', 'immediate', 'tick', 'rejection', 'notAnError', 'nested', 'later'];
  const end = await runProgram(
    program(`
      for (const step of ${JSON.stringify(steps)}) {
        system.cast('a', 'run', step);
        await quiet();
        console.log(await system.call('a', 'ping'), await system.call('b', 'ping'));
      }
      system.cast('a', 'run', 'call');
      await quiet();
      await system.stop();
    `),
  );
  assert.equal(end.errors, '');
  assert.equal(end.code, 0);
  const noproc = 'exit a {"reason":"noproc","call":{"dest":"nobody","tag":"x"}}';
  const stopped = ['plain', 'b', 'a'].map((id) => `exit ${id} "shutdown"`);
  assert.deepEqual(end.lines, [...steps.flatMap(() => ['exit a error boom', 'pong a pong b']), noproc, ...stopped]);
});

test('with attribute, a throw in queueMicrotask is attributed from Node 24 on', async () => {
  const end = await runProgram(
    program(
      `
      system.cast('a', 'run', 'microtask');
      await quiet();
      await system.stop();
    `,
      "onUnattributedError: (error, origin) => console.log('unattributed', error.message)",
    ),
  );
  const attributed = Number(process.versions.node.split('.')[0]) >= 24;
  assert.equal(end.lines[0], attributed ? 'exit a error boom' : 'unattributed boom');
});

test('what the code of a dead process throws is reported as late and ends nobody', async () => {
  const end = await runProgram(
    program(`
      system.cast('a', 'run', 'afterExit');
      await quiet();
      system.cast('a', 'run', 'castAfterExit');
      await quiet();
      console.log(await system.call('a', 'ping'), await system.call('b', 'ping'));
      await system.stop();
    `),
  );
  assert.equal(end.errors, '');
  assert.deepEqual(end.lines.slice(0, 4), ['exit a "first"', 'late a error boom', 'exit a "first"', 'pong a pong b']);
});

test('what a message makes another process do is not blamed on the sender', async () => {
  const end = await runProgram(
    program(
      `
      for (const step of ['through', 'throughLater']) {
        system.cast('a', 'run', step);
        await quiet();
        console.log(await system.call('a', 'ping'), await system.call('plain', 'ping'));
      }
      await system.stop();
    `,
      "onUnattributedError: (error, origin) => console.log('unattributed', origin, error.message)",
    ),
  );
  assert.equal(end.errors, '');
  const each = ['unattributed uncaughtException boom', 'pong a pong plain'];
  assert.deepEqual(end.lines.slice(0, 4), [...each, ...each]);
});

for (const step of ['timer', 'rejection', 'notAnError']) {
  test(`an error that belongs to no process (${step}) ends the program with exit code 1`, async () => {
    const end = await runProgram(
      program(`system.cast('plain', 'run', '${step}'); await quiet(); console.log('not reached');`),
    );
    assert.equal(end.code, 1);
    assert.deepEqual(end.lines, []);
    assert.match(end.errors, /boom/);
  });

  test(`with onUnattributedError the program goes on after an error that belongs to no process (${step})`, async () => {
    const end = await runProgram(
      program(
        `
        system.cast('plain', 'run', '${step}');
        await quiet();
        console.log(await system.call('plain', 'ping'));
        await system.stop();
      `,
        "onUnattributedError: (error, origin) => console.log('unattributed', origin, error.message ?? error)",
      ),
    );
    const origin = step === 'timer' ? 'uncaughtException' : 'unhandledRejection';
    assert.deepEqual([end.code, end.errors], [0, '']);
    assert.deepEqual(end.lines.slice(0, 2), [`unattributed ${origin} boom`, 'pong plain']);
  });

  test(`a listener of the program gets an error that belongs to no process (${step}), and only such`, async () => {
    const end = await runProgram(
      program(`
        process.on('uncaughtException', (error) => console.log('own', error.message));
        process.on('unhandledRejection', (error) => console.log('own', error.message ?? error));
        system.cast('plain', 'run', '${step}');
        await quiet();
        console.log(await system.call('plain', 'ping'));
        await system.stop();
      `),
    );
    assert.deepEqual([end.code, end.errors], [0, '']);
    assert.deepEqual(end.lines.slice(0, 2), ['own boom', 'pong plain']);
  });
}

test('with two systems in a program each error goes to its own process', async () => {
  const end = await runProgram(
    program(`
      const other = await beamish.startSystem({ intensity: 100, children: [spec('other', { attribute: true })] });
      other.cast('other', 'run', 'timer');
      await quiet();
      await other.stop();
      system.cast('a', 'run', 'timer');
      await quiet();
      console.log('listeners', process.listenerCount('uncaughtException'));
      await system.stop();
      console.log('listeners', process.listenerCount('uncaughtException'));
    `),
  );
  assert.equal(end.errors, '');
  assert.deepEqual(end.lines.slice(0, 4), [
    'exit other error boom',
    'exit other "shutdown"',
    'exit a error boom',
    'listeners 1',
  ]);
  assert.equal(end.lines.at(-1), 'listeners 0');
});
