/** Supervision is what Erlang/OTP does: recorded scenarios replayed, and checks of the replay itself. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { type Context, Pid, startChild, startSystem, terminateChild } from '../../runtime/index.ts';
import { simulatedClock } from '../../runtime/testing.ts';
import { buildFolder, readText, root } from '../support/repository.ts';
import { attemptsOf } from './attempts.ts';
import { childSpec } from './child-specs.ts';
import { generateOne } from './generate.ts';
import { pauses } from './jitter.ts';
import { type LaneContext, lanesOf } from './lanes.ts';
import { mutants } from './mutants.ts';
import { mutated } from './mutations.ts';
import { here } from './places.ts';
import type { Instance, RecordedEvent } from './recorder.ts';
import { untilSettled } from './rest.ts';
import { readLine, type Scenario, type Trace } from './scenario.ts';
import { replay } from './simulated.ts';
import { compare } from './verdict.ts';
import type { WorkerProtocol } from './worker.ts';

const recordedFile = 'test/oracle/recorded.jsonl';
const lines = readText(recordedFile).trim().split('\n');
const recorded = lines.map((line) => readLine(line) as { scenario: Scenario; expected: Trace });
const folder = mkdtempSync(join(tmpdir(), 'beamish-oracle-'));
after(() => rmSync(folder, { recursive: true }));

for (const { scenario, expected } of recorded) {
  test(`${scenario.id} (${scenario.class}) goes as it does in OTP, however late the workers are`, async () => {
    for (const jitter of [0, 1, 2, 3]) {
      const { difference } = compare(scenario, expected, await replay(scenario, jitter));
      assert.deepEqual(difference, undefined, `with jitter ${jitter}`);
    }
  });
}

test('what is recorded is what the generator makes', () => {
  for (const { scenario } of recorded) {
    const [seed, number] = scenario.id.slice(1).split('-').map(Number);
    assert.deepEqual(scenario, JSON.parse(JSON.stringify(generateOne(seed!, number!))));
  }
  assert.equal(new Set(recorded.map(({ scenario }) => scenario.class)).size, 17, 'every class is recorded');
});

test('a trace that parts from the recorded one is named at the first difference', () => {
  const { scenario, expected } = recorded[0]!;
  const [first, ...rest] = expected.steps;
  const changed = { ...first!, lanes: { ...first!.lanes, top: ['start root#2'] } };
  assert.equal(compare(scenario, expected, expected).difference, undefined);
  assert.deepEqual(compare(scenario, expected, { ...expected, steps: [changed, ...rest] }).difference, {
    where: 'step 0, start',
    expected: { res: first!.res, lanes: { top: ['start root#1'] } },
    actual: { res: first!.res, lanes: { top: ['start root#2'] } },
  });
  assert.equal(compare(scenario, expected, { ...expected, leaks: ['root/a#1'] }).difference?.where, 'leaks');
  assert.equal(compare(scenario, expected, { ...expected, steps: [] }).difference?.where, 'step 0, start');
});

test('the command counts per class, names what differs, and says it with its exit code', () => {
  const all = command(join(root, recordedFile), '--jitter', '7');
  assert.equal(all.status, 0, all.stderr);
  assert.equal(all.stdout.trimEnd().split('\n').at(-1), `oracle: ${lines.length} equal of ${lines.length}`);
  assert.match(all.stdout, /^start: (\d+)\/\1$/m);

  const { scenario, expected } = recorded[1]!;
  const wrong = { scenario, trace: { ...expected, leaks: ['root/a#1'] } };
  const one = command(fileWith(`${JSON.stringify(wrong)}\n${lines[0]}\n`));
  assert.equal(one.status, 1);
  assert.match(one.stdout, new RegExp(`^${scenario.id} \\(${scenario.class}\\) differs at leaks$`, 'm'));
  assert.match(one.stdout, /^oracle: 1 equal of 2$/m);
});

test('bare scenarios are replayed and written, to a file if one is named; so are generated ones', () => {
  const { scenario, expected } = recorded[2]!;
  const bare = fileWith(`${JSON.stringify(scenario)}\n`);
  const printed = command(bare);
  assert.equal(printed.status, 0, printed.stderr);
  assert.deepEqual(JSON.parse(printed.stdout), { scenario, trace: expected });
  const out = join(folder, 'out.jsonl');
  assert.equal(command(bare, '--out', out).stdout, '');
  assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), { scenario, trace: expected });

  const generated = command('--generate', '3', '--count', '2').stdout.trimEnd().split('\n');
  assert.equal(generated.length, 2);
  const known = recorded.find(({ scenario: { id } }) => id === 'g3-0002')!;
  assert.deepEqual(JSON.parse(generated[1]!), { scenario: known.scenario, trace: known.expected });
});

test('a command or a line that makes no sense is refused with the reason', () => {
  const tree = { id: 'root', type: 'supervisor', children: [] };
  const [kill, look] = [
    { op: 'kill', target: 'root', reason: 'boom' },
    { op: 'which', sup: 'root' },
  ];
  const during = { op: 'during', action: kill, calls: [look] };
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ class: 'x', root: tree, actions: [] }, /:1: a scenario needs an "id"/],
    [{ id: 's', class: 'x', root: { ...tree, type: 'worker' }, actions: [] }, /"root" must be a supervisor/],
    [{ id: 's', class: 'x', root: { ...tree, children: [{}] }, actions: [] }, /s\/root: a child needs an "id"/],
    [{ id: 's', class: 'x', root: tree, actions: [{ op: 'constructor' }] }, /action 1: no operation 'constructor'/],
    [{ id: 's', class: 'x', root: tree, actions: [{ op: 'kill', target: 'root' }] }, /'kill' needs target, reason/],
    [{ id: 's', class: 'x', root: { ...tree, name: 'n' }, actions: [] }, /the "name" of a supervisor must be its "id"/],
    [{ id: 's', class: 'x', root: tree, actions: [{ ...during, action: look }] }, /its "action" must end something/],
    [{ id: 's', class: 'x', root: tree, actions: [{ ...during, calls: {} }] }, /"calls" must be a list/],
    [{ id: 's', class: 'x', root: tree, actions: [{ ...during, calls: [kill] }] }, /must be calls of a supervisor/],
  ];
  const dynamic = { ...tree, id: 'd', strategy: 'simple_one_for_one' };
  const late = { id: 's', class: 'x', root: tree, actions: [{ op: 'start_child', sup: 'root', spec: dynamic }] };
  for (const [line, reason] of [...cases, [late, /must be part of the "root" tree/] as const]) {
    const { status, stderr } = command(fileWith(JSON.stringify(line)));
    assert.equal(status, 2);
    assert.match(stderr, reason);
  }
  assert.equal(command().status, 2);
  assert.match(command(fileWith(`${lines[0]}\n${lines[0]}\n`)).stderr, /:2: another scenario has the id/);
  assert.match(command('a', '--generate', '1').stderr, /one file of scenarios, or --generate some, or/);
  assert.match(command(join(root, recordedFile), '--jitter', 'some').stderr, /--jitter takes a whole number/);
});

test('every deliberate fault of the mutation check finds its place in the built runtime', () => {
  for (const mutant of mutants) {
    const text = readFileSync(join(buildFolder, mutant.file), 'utf8');
    assert.notEqual(mutated(text, mutant), text);
    assert.throws(() => mutated(`${text}${mutant.from}`, mutant), /has 2 times, not once/);
  }
  assert.throws(() => mutated('', mutants[0]!), /has 0 times, not once/);
});

test('what never answers is a failure, not a hang', async () => {
  const never = new Promise<void>(() => {});
  await assert.rejects(untilSettled(simulatedClock(), never), /no answer within 60000 ms/);
  const clock = simulatedClock();
  const late = new Promise<string>((resolve) => clock.setTimer(() => resolve('late'), 700));
  assert.equal(await untilSettled(clock, late), 'late');
});

test('jitter depends on the seed alone, and seed 0 never waits', async () => {
  const kinds = async (seed: number): Promise<string> => {
    const asked: number[] = [];
    const ctx = { receive: async (_match: unknown, ms: number) => asked.push(ms) } as unknown as Context;
    const pause = pauses(seed, 'root/a#1');
    let text = '';
    for (let i = 0; i < 40; i++) {
      const waits = pause(ctx);
      text += waits === undefined ? '-' : asked.length > 0 ? asked.pop() : '+';
      await waits;
    }
    return text;
  };
  assert.match(await kinds(0), /^-{40}$/);
  const [one, again, two] = [await kinds(1), await kinds(1), await kinds(2)];
  assert.equal(one, again);
  assert.notEqual(one, two);
  for (const kind of ['-', '+', '1', '2', '3']) assert.ok(one.includes(kind), `${one} has a ${kind}`);
});

test('jitter makes init, handlers and terminate late', async () => {
  const lateSteps = async (seed: number): Promise<string[]> => {
    const clock = simulatedClock();
    const system = await startSystem({ clock, children: [] });
    const late: string[] = [];
    const timed = async <T>(step: string, promise: Promise<T>): Promise<T> => {
      const before = clock.now();
      const value = await untilSettled(clock, promise);
      if (clock.now() > before) late.push(step);
      return value;
    };
    const making = { jitter: seed, attempts: attemptsOf(['a']), namePrefix: '', place: here };
    const spec = childSpec({ id: 'a', type: 'worker', trap: true }, '', making);
    const started = await timed('init', startChild(system, system.root, spec));
    assert.ok('ok' in started && started.ok !== undefined);
    const worker: Pid<WorkerProtocol> = started.ok;
    assert.equal(await timed('handler', system.call(worker, 'ping', undefined, { timeoutMs: 'infinity' })), 'a#1');
    await timed('terminate', terminateChild(system, system.root, 'a'));
    await system.stop();
    return late;
  };
  assert.deepEqual(await lateSteps(0), []);
  const late = new Set<string>();
  for (let seed = 1; seed <= 12; seed++) for (const step of await lateSteps(seed)) late.add(step);
  assert.deepEqual([...late].sort(), ['handler', 'init', 'terminate']);
});

/** Made-up processes: a `simple_one_for_one` supervisor and its children. */
function crowd(count: number): { pids: Pid[]; context: LaneContext } {
  const pids = Array.from({ length: count + 1 }, (_, i) => new Pid('lanes@1', 0, i, i + 1));
  const supervisor: Instance = { path: 'root', attempt: 1, type: 'supervisor', parent: undefined };
  const instances = new Map<Pid, Instance>([[pids[0]!, supervisor]]);
  for (const [i, pid] of pids.slice(1).entries()) {
    instances.set(pid, { path: `root/e${i}`, attempt: 1, type: 'worker', parent: supervisor });
  }
  const context = {
    instances,
    started: new Set(pids),
    terminating: new Map(),
    sender: () => 'other',
    template: (path: string) => (path === 'root' ? 'w' : undefined),
    perChild: false,
  };
  return { pids, context };
}

test('the order in which dynamic children, or orphans, end does not show', () => {
  const { pids, context } = crowd(6);
  const [root, ...workers] = pids as [Pid, ...Pid[]];
  const exits = workers.map((pid): RecordedEvent => ({ kind: 'exit', pid, reason: 'shutdown' }));
  const down: RecordedEvent = { kind: 'exit', pid: root, reason: 'killed' };
  const start: RecordedEvent = { kind: 'started', pid: workers[0] as Pid };
  const straight = (events: readonly RecordedEvent[]): unknown => lanesOf(events, context);
  fc.assert(
    fc.property(fc.shuffledSubarray(exits, { minLength: exits.length }), (shuffled) => {
      assert.deepEqual(straight([...shuffled, down]), straight([...exits, down]));
      assert.deepEqual(straight([down, ...shuffled]), straight([down, ...exits]));
      assert.notDeepEqual(straight([...shuffled, start]), straight([start, ...shuffled]));
    }),
  );
});

function fileWith(text: string): string {
  const file = join(folder, 'in.jsonl');
  writeFileSync(file, text);
  return file;
}

function command(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}
