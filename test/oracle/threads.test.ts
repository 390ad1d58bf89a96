/** Supervision over worker threads is what Erlang/OTP does: parents and children apart, in real time. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { readText } from '../support/repository.ts';
import { attemptsOf, countAttempt, pathsOf } from './attempts.ts';
import { EventOrder } from './event-order.ts';
import { placesOn, type Threads } from './places.ts';
import { replayAll } from './replay-all.ts';
import { type Action, readLine, type Scenario, type Trace, type TreeNode } from './scenario.ts';
import { compare, isEqual, report } from './verdict.ts';

interface Recorded {
  readonly scenario: Scenario;
  readonly expected: Trace;
}

const recorded = readText('test/oracle/recorded.jsonl')
  .trim()
  .split('\n')
  .map((line) => readLine(line) as Recorded);

/** Time is real here: what must be within a time, or not be, is left to the command. */
const untimed = recorded.filter(
  ({ scenario: { root, actions } }) =>
    !isTimed(root) && actions.every((action) => action.op !== 'sleep' && !starts(action)),
);

function isTimed(node: TreeNode): boolean {
  if (typeof node.shutdown === 'number') return true;
  return node.type === 'supervisor' && (node.period !== undefined || node.children.some(isTimed));
}

/** Whether a call starts a child that is timed. */
function starts(action: Action): boolean {
  return action.op === 'start_child' && action.spec !== undefined && isTimed(action.spec);
}

async function assertEqual(jobs: readonly Recorded[], jitter: number, threads: Threads): Promise<void> {
  const scenarios = jobs.map(({ scenario }) => scenario);
  const traces = await replayAll(scenarios, jitter, threads);
  const results = jobs.map(({ scenario, expected }) => compare(scenario, expected, traces.get(scenario.id) as Trace));
  assert.ok(results.every(isEqual), report(results));
  assert.equal(results.length, jobs.length);
}

for (const jitter of [0, 1]) {
  test(`on two worker threads recorded scenarios go as they do in OTP, with jitter ${jitter}`, async () => {
    assert.ok(untimed.length >= 20);
    await assertEqual(untimed, jitter, 2);
  });
}

test('with every process on a thread of its own scenarios go as they do in OTP', async () => {
  const plain = untimed.filter(({ scenario: { actions } }) => actions.every(({ op }) => op !== 'during'));
  const small = [...plain].sort((a, b) => a.scenario.actions.length - b.scenario.actions.length).slice(0, 2);
  await assertEqual(small, 1, 'isolated');
});

test('calls that must wait in a mailbox cannot be told to have come to a thread of its own: that is said', async () => {
  const { scenario } = recorded.find(({ scenario: { actions } }) => actions.some(({ op }) => op === 'during'))!;
  const traces = await replayAll([scenario], 0, 'isolated');
  assert.match(String(traces.get(scenario.id)?.steps[0]?.res), /a `during` needs threads with a number/);
});

test('what comes in any order is told in the order in which it happened', () => {
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  fc.assert(
    fc.property(fc.shuffledSubarray(numbers, { minLength: numbers.length }), (shuffled) => {
      const order = new EventOrder();
      const told: number[] = [];
      for (const number of shuffled) order.take(number, () => told.push(number));
      assert.deepEqual(told, numbers);
      assert.match(order.gap, /no event is missing/);
      order.take(13, () => told.push(13));
      assert.match(order.gap, /event 12 has not come, and 1 wait/);
      assert.equal(told.length, 12);
    }),
  );
});

test('a process is on another thread than the one before it, and attempts are counted for every path', () => {
  const place = placesOn(2);
  assert.deepEqual(
    [place(), place(), place(), place()].map(({ thread }) => thread),
    ['worker 0', 'worker 1', 'main', 'worker 0'],
  );
  assert.deepEqual(placesOn('isolated')(), { isolated: true });
  const leaf = { id: 'w', type: 'worker' } as const;
  const paths = pathsOf({
    id: 's',
    class: 'x',
    root: {
      id: 'root',
      type: 'supervisor',
      children: [{ id: 'd', type: 'supervisor', strategy: 'simple_one_for_one', children: [leaf] }],
    },
    actions: [
      { op: 'start_child', sup: 'root/d', name: 'one' },
      { op: 'start_child', sup: 'root', spec: { id: 's', type: 'supervisor', children: [leaf] } },
    ],
  });
  for (const path of ['root', 'root/d', 'root/d/one', 'root/s', 'root/s/w']) assert.ok(paths.includes(path), path);
  const attempts = attemptsOf(paths);
  assert.deepEqual([countAttempt(attempts, 'root/s'), countAttempt(attempts, 'root/s')], [1, 2]);
  assert.equal(countAttempt(attempts, 'root'), 1);
  assert.throws(() => countAttempt(attempts, 'root/x'), /nothing of the scenario is at root\/x/);
});

test('the command replays a sample on worker threads, and refuses threads that cannot be', () => {
  const file = fileURLToPath(new URL('../../../test/oracle/recorded.jsonl', import.meta.url));
  const sample = command('--generate', '3', '--count', '40', '--threads', '2', '--sample', '4');
  assert.equal(sample.status, 0, sample.stderr);
  assert.equal(sample.stdout.trimEnd().split('\n').length, 4);
  assert.doesNotMatch(sample.stdout, /there is no trace/);
  for (const threads of ['0', 'many']) {
    const { status, stderr } = command(file, '--threads', threads);
    assert.equal(status, 2);
    assert.match(stderr, /--threads takes/);
  }
});

function command(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}
