import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  CallError,
  type Context,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type Pid,
  type StartChildResult,
  startChildAtOnce,
  stopInit,
  supervisor,
  sys,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startTestSystem, type TestSystem } from '../support/test-system.ts';

const sup = name('sup');

type Init = (ctx: Context) => unknown;

/** A child whose init is what the test says. */
const Child: GenServer<object, Init> = genServer(import.meta, 'Child', {
  init: (init, ctx): unknown => init(ctx),
});

type StarterProtocol = { readonly cast: { readonly step: (ctx: Context) => unknown } };

/** Takes one step of the test within a callback, as whoever starts children does. */
const Starter: GenServer<StarterProtocol> = genServer(import.meta, 'Starter', {
  init: () => 'started',
  handleCast: {
    step: (state, step, ctx) => {
      step(ctx);
      return noreply(state);
    },
  },
});

/** In a box: a promise that the step returned must not be waited for. */
interface Box<Result> {
  readonly result: Result;
}

interface Fixture extends TestSystem {
  /** What the step returned, in the turn of the starter. */
  inStarter<Result>(step: (ctx: Context) => Result): Promise<Box<Result>>;
}

async function fixture(t: TestContext, attribute = false): Promise<Fixture> {
  const started = await startTestSystem(t, {
    children: [
      supervisor('sup', { name: 'sup', strategy: 'simple_one_for_one' }, [
        child(Child, undefined as never, { restart: 'temporary' }),
      ]),
      child(Starter, undefined, { name: 'starter', restart: 'temporary', attribute }),
    ],
  });
  const inStarter = <Result>(step: (ctx: Context) => Result): Promise<Box<Result>> =>
    new Promise((resolve) => {
      started.system.cast(name<StarterProtocol>('starter'), 'step', (ctx) => resolve({ result: step(ctx) }));
    });
  return { ...started, inStarter };
}

async function start(
  { inStarter }: Fixture,
  init: Init,
): Promise<{ readonly atOnce: boolean; readonly outcome: PromiseLike<StartChildResult> | StartChildResult }> {
  const { result } = await inStarter((ctx) => startChildAtOnce(ctx, sup, init));
  return { atOnce: !('then' in result), outcome: result };
}

function pidOf(result: StartChildResult): Pid {
  assert.ok('ok' in result && result.ok !== undefined, JSON.stringify(result));
  return result.ok;
}

test('an idle supervisor starts the child within the turn of its caller', async (t) => {
  const started = await fixture(t);
  const inits: string[] = [];
  const { atOnce, outcome } = await start(started, (ctx) => inits.push(String(ctx.parent)));
  assert.equal(atOnce, true);
  const pid = pidOf(await outcome);
  assert.deepEqual(inits, [String(started.system.whereis(sup))], 'init has run, as a child of the supervisor');
  assert.deepEqual(
    (await whichChildren(started.system, sup)).map((each) => each.pid),
    [pid],
  );
});

test('the child goes on with what its init left, and ends as any child', async (t) => {
  const started = await fixture(t);
  const { outcome } = await start(started, (ctx) => ctx.sendAfter(1_000, 'later'));
  const pid = pidOf(await outcome);
  started.system.exitProcess(pid, 'kill');
  await settle();
  assert.deepEqual(await whichChildren(started.system, sup), []);
});

test('init that fails, throws or waits: as startChild', async (t) => {
  const started = await fixture(t);
  const refused = await start(started, () => stopInit('no'));
  assert.deepEqual([refused.atOnce, await refused.outcome], [true, { error: 'no' }]);
  const thrown = await start(started, () => {
    throw new Error('in init');
  });
  const { error } = (await thrown.outcome) as { readonly error: { readonly error: { readonly message: string } } };
  assert.deepEqual([thrown.atOnce, error.error.message], [true, 'in init']);
  const waiting = await start(started, () => Promise.resolve('state'));
  assert.equal(waiting.atOnce, false);
  pidOf(await waiting.outcome);
});

test('a supervisor that is busy or suspended is waited for', async (t) => {
  const started = await fixture(t);
  let goOn = (): void => assert.fail('init has not begun');
  const slow = await start(started, () => new Promise((resolve) => (goOn = () => resolve('state'))));
  const behind = await start(started, () => 'state');
  assert.deepEqual([slow.atOnce, behind.atOnce], [false, false]);
  goOn();
  pidOf(await slow.outcome);
  pidOf(await behind.outcome);
  await sys.suspend(started.system, sup);
  const suspended = await start(started, () => 'state');
  assert.equal(suspended.atOnce, false);
  await sys.resume(started.system, sup);
  pidOf(await suspended.outcome);
});

test('without a supervisor it rejects with noproc', async (t) => {
  const started = await fixture(t);
  const { result } = await started.inStarter((ctx) => startChildAtOnce(ctx, name('nobody'), 1));
  await assert.rejects(Promise.resolve(result), (error) => error instanceof CallError && error.reason === 'noproc');
});

test('an init that kills its supervisor, or the caller: that ends when its code yields', async (t) => {
  const started = await fixture(t);
  const before = started.system.whereis(sup) as Pid;
  const killed = await start(started, (ctx) => ctx.exitProcess(ctx.parent as Pid, 'kill'));
  const pid = pidOf(await killed.outcome);
  await settle();
  assert.deepEqual([started.system.isAlive(before), started.system.isAlive(pid)], [false, false]);
  const starter = started.system.whereis(name('starter')) as Pid;
  const steps: string[] = [];
  await started.inStarter((ctx) => {
    void startChildAtOnce(ctx, sup, (inner: Context) => inner.exitProcess(starter, 'kill'));
    steps.push(`${ctx.isAlive(ctx.self)}`);
  });
  assert.deepEqual(steps, ['true'], 'its own code is not cut off in the middle of a statement');
  await settle();
  assert.equal(started.system.whereis(name('starter')), undefined);
});

test('a process whose steps are attributed waits: nobody else may be blamed on it', async (t) => {
  const started = await fixture(t, true);
  const { atOnce, outcome } = await start(started, () => 'state');
  assert.equal(atOnce, false);
  pidOf(await outcome);
});
