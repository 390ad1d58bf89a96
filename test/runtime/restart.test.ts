import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  endedAsAsked,
  firstAffected,
  isReported,
  isRestarted,
  type RestartType,
  RestartWindow,
} from '../../runtime/supervisor/restart.ts';

const restarts: readonly RestartType[] = ['permanent', 'transient', 'temporary'];
const orderly: readonly unknown[] = ['normal', 'shutdown', { shutdown: 'x' }];
const abnormal: readonly unknown[] = [
  'boom',
  'killed',
  'noproc',
  { error: { message: 'x' }, stack: '' },
  undefined,
  null,
  0,
];

test('which ends are followed by a restart', () => {
  for (const reason of orderly)
    assert.deepEqual(
      restarts.map((type) => isRestarted(type, reason)),
      [true, false, false],
    );
  for (const reason of abnormal)
    assert.deepEqual(
      restarts.map((type) => isRestarted(type, reason)),
      [true, true, false],
    );
});

test('which ends are reported', () => {
  for (const reason of orderly)
    assert.deepEqual(
      restarts.map((type) => isReported(type, reason)),
      [true, false, false],
    );
  for (const reason of abnormal)
    assert.deepEqual(
      restarts.map((type) => isReported(type, reason)),
      [true, true, true],
    );
});

test('which ends of a child that was stopped are as asked', () => {
  const ask = (shutdown: number | string, reason: unknown): boolean[] =>
    restarts.map((type) => endedAsAsked(type, shutdown, reason));
  for (const shutdown of [5_000, 'infinity']) {
    assert.deepEqual(ask(shutdown, 'shutdown'), [true, true, true]);
    assert.deepEqual(ask(shutdown, { shutdown: 'x' }), [false, true, true]);
    assert.deepEqual(ask(shutdown, 'normal'), [false, true, true]);
    assert.deepEqual(ask(shutdown, 'killed'), [false, false, false]);
    assert.deepEqual(ask(shutdown, 'boom'), [false, false, false]);
  }
  assert.deepEqual(ask('brutal_kill', 'killed'), [true, true, true]);
  assert.deepEqual(ask('brutal_kill', 'shutdown'), [false, true, true]);
  assert.deepEqual(ask('brutal_kill', 'normal'), [false, true, true]);
  assert.deepEqual(ask('brutal_kill', 'boom'), [false, false, false]);
});

test('who is stopped along with a child that failed', () => {
  assert.deepEqual(
    [0, 1, 2].map((index) => firstAffected('rest_for_one', index)),
    [0, 1, 2],
  );
  assert.deepEqual(
    [0, 1, 2].map((index) => firstAffected('one_for_all', index)),
    [0, 0, 0],
  );
});

/** The rule as OTP applies it: keep the restarts that are not older than the period, and count them. */
class RestartList {
  private times: number[] = [];
  private readonly intensity: number;
  private readonly periodMs: number;

  constructor(intensity: number, periodMs: number) {
    this.intensity = intensity;
    this.periodMs = periodMs;
  }

  allow(now: number): boolean {
    this.times = [now, ...this.times].filter((time) => time >= now - this.periodMs);
    return this.times.length <= this.intensity;
  }
}

test('the restart window decides as the list of all restarts of the period does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 }), fc.integer({ min: 95, max: 105 })), {
        maxLength: 60,
      }),
      (intensity, periodMs, gaps) => {
        const [window, list] = [new RestartWindow(intensity, periodMs), new RestartList(intensity, periodMs)];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          assert.equal(window.allow(now), list.allow(now), `at ${now}`);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('intensity 0 allows no restart, and the edge of the period counts', () => {
  assert.equal(new RestartWindow(0, 1_000).allow(0), false);
  const edge = new RestartWindow(1, 1_000);
  assert.deepEqual([edge.allow(0), edge.allow(1_000), edge.allow(2_001)], [true, false, true]);
});
