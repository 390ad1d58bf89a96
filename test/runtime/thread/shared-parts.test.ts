/** The parts of the threads that need no thread: what they decide and keep. */

import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { test } from 'node:test';
import fc from 'fast-check';
import { channels } from '../../../runtime/index.ts';
import { Pid } from '../../../runtime/kernel/pid.ts';
import { ExitSignal } from '../../../runtime/kernel/signals.ts';
import { DEPARTED_MAX } from '../../../runtime/limits.ts';
import { simulatedClock } from '../../../runtime/testing.ts';
import { Departed } from '../../../runtime/thread/departed.ts';
import { Directory } from '../../../runtime/thread/directory.ts';
import { EventRelay, wantedEvents } from '../../../runtime/thread/event-relay.ts';
import { op } from '../../../runtime/thread/frames.ts';
import { Pids } from '../../../runtime/thread/pids.ts';
import { portable } from '../../../runtime/thread/portable.ts';
import { StallTracker } from '../../../runtime/thread/stall.ts';
import { reasonOfEnd, restartDelayMs } from '../../../runtime/thread/thread-end.ts';
import { ThreadMemory } from '../../../runtime/thread/thread-memory.ts';
import { threadPlan } from '../../../runtime/thread/thread-plan.ts';
import { Watchdog } from '../../../runtime/thread/watchdog.ts';
import { loneKernel, loneProcess } from '../../support/lone-kernel.ts';

const forked = (thread: number, n: number): number => (thread + 1) * 2 ** 36 + n;
const spawnerOf = (serial: number): number => Math.floor(serial / 2 ** 36) - 1;

test('threads and groups that cannot be are refused, and the error says what is wrong', () => {
  const refusals: readonly (readonly [Parameters<typeof threadPlan>, RegExp])[] = [
    [[null as any], /threads must be true, or groups by name/],
    [[{ main: 1 }], /a group cannot be called, not 'main'/],
    [[{ '': 1 }], /a group cannot be called/],
    [[{ cpu: 0 }], /threads\.cpu\.count must be an integer from 1, not 0/],
    [[{ cpu: 1.5 }], /threads\.cpu\.count/],
    [[{ cpu: null as any }], /threads\.cpu must be a count or options/],
    [[{ cpu: { placement: 'random' as any } }], /threads\.cpu\.placement must be 'round_robin' or 'least_loaded'/],
    [[{ cpu: { resourceLimits: { heapMb: 1 } as any } }], /no such limit; there are maxOldGenerationSizeMb/],
    [[{ cpu: { resourceLimits: { stackSizeMb: -1 } } }], /stackSizeMb must be a number above 0, not -1/],
    [[{ cpu: { resourceLimits: 5 as any } }], /resourceLimits must be an object/],
    [[{ a: 200, b: 57 }], /at most 256 in all groups, not 257/],
    [[{ cpu: 1 }, { stallMs: -1 }], /workers\.stallMs must be an integer from 0/],
    [[{ cpu: 1 }, { stdout: 'file' as any }], /workers\.stdout must be 'stdout' or 'stderr'/],
    [[{ cpu: 1 }, { isolatedLimits: { x: 1 } as any }], /workers\.isolatedLimits has no such limit/],
  ];
  for (const [options, message] of refusals) {
    assert.throws(() => threadPlan(...options), { code: 'ERR_BADARG', message });
  }
  const plan = threadPlan({ cpu: { count: 2, spare: false }, io: 1 }, { stallMs: 0 });
  assert.deepEqual(
    [plan.threadCount, plan.stallMs, plan.stdout, plan.groups.get('cpu')?.spares, plan.groups.get('io')?.spares],
    [3, 0, 'stdout', 0, 1],
  );
  assert.ok((threadPlan(true).groups.get('cpu')?.count ?? 0) >= 1);
});

test('what ended a thread decides with what reason its processes exit', () => {
  const end = { exitCode: 1, stalled: false, asked: false, idle: false };
  const oom = Object.assign(new Error('full'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
  assert.deepEqual(reasonOfEnd({ ...end, exitCode: 3 }), { worker_exit: { exit_code: 3 } });
  assert.equal(reasonOfEnd({ ...end, asked: true }), 'killed');
  assert.equal(reasonOfEnd({ ...end, asked: true, stalled: true, error: oom }), 'killed');
  assert.equal(reasonOfEnd({ ...end, asked: true, idle: true }), 'noproc');
  assert.deepEqual(reasonOfEnd({ ...end, error: oom }), { worker_exit: 'oom' });
  assert.match(JSON.stringify(reasonOfEnd({ ...end, error: new Error('why') })), /"worker_exit":\{"error":.*"why"/);
  assert.match(JSON.stringify(reasonOfEnd({ ...end, error: null })), /worker_exit/);
});

test('a thread that does not come to run is started again later and later, up to a bound', () => {
  const delays = Array.from({ length: 12 }, (_, failures) => restartDelayMs(failures, 100, 30_000));
  assert.deepEqual(delays, [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
});

test('a thread does not yield as long as it neither waits nor begins another round', () => {
  const look = fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), idles: fc.boolean(), beats: fc.boolean() });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), (looks) => {
      const tracker = new StallTracker(0);
      const seen = { idleMs: 0, beat: 0 };
      let now = 0;
      let movedAt = 0;
      for (const [i, { afterMs, idles, beats }] of looks.entries()) {
        now += afterMs;
        if (idles) seen.idleMs += 0.5;
        if (beats) seen.beat++;
        const moved = i === 0 || idles || beats;
        if (moved) movedAt = now;
        assert.equal(tracker.look(now, { ...seen }), now - movedAt);
      }
    }),
  );
});

test('the watchdog gives up who does not move, and only that one; with 0 nobody, until the system stops', async () => {
  const clock = simulatedClock();
  const ended: string[] = [];
  const changes: string[] = [];
  const watched = (who: string, beats: boolean) => {
    let beat = 0;
    return {
      look: () => ({ idleMs: 0, beat: beats ? ++beat : 1 }),
      busy: (is: boolean) => changes.push(`${who} ${is}`),
      stalled: () => ended.push(who),
      imports: false,
      rest: () => {},
      rests: false,
    };
  };
  const unheard = { looked: () => {}, rests: () => {} };
  const patient = new Watchdog(clock, { stallMs: 0, busyMs: 0 }, unheard);
  patient.watch(watched('left alone', false));
  const watchdog = new Watchdog(clock, { stallMs: 1_000, busyMs: 100 }, unheard);
  watchdog.watch(watched('busy', true));
  watchdog.watch(watched('stalled', false));
  await clock.advance(900);
  assert.deepEqual([ended, changes], [[], ['stalled true']]);
  await clock.advance(200);
  assert.deepEqual(ended, ['stalled']);
  await clock.advance(3_000);
  assert.deepEqual(ended, ['stalled']);
  patient.watchAll(5_000);
  await clock.advance(4_900);
  assert.deepEqual(ended, ['stalled']);
  await clock.advance(200);
  assert.deepEqual(ended, ['stalled', 'left alone']);
  patient.stop();
  watchdog.stop();
});

test('a thread that imports a module has 30 s to yield, and none when the system stops', async () => {
  const memory = new ThreadMemory(ThreadMemory.allocate(8, 8));
  const thread = (ended: string[]) => ({
    look: () => ({ idleMs: 0, beat: memory.beat }),
    busy: () => {},
    stalled: () => ended.push('stalled'),
    get imports() {
      return memory.imports;
    },
    rest: () => {},
    rests: false,
  });
  for (const [stops, givenMs] of [
    [false, 30_000],
    [true, 1_000],
  ] as const) {
    const clock = simulatedClock();
    const ended: string[] = [];
    const watchdog = new Watchdog(clock, { stallMs: 1_000, busyMs: 0 }, { looked: () => {}, rests: () => {} });
    watchdog.watch(thread(ended));
    memory.importing(true);
    await clock.advance(100);
    if (stops) watchdog.watchAll(5_000);
    await clock.advance(givenMs - 200);
    assert.deepEqual(ended, []);
    memory.importing(false);
    await clock.advance(900);
    assert.deepEqual(ended, [], 'after it the time begins anew');
    memory.importing(true);
    await clock.advance(givenMs + 150);
    assert.deepEqual(ended, ['stalled']);
    memory.importing(false);
    watchdog.stop();
  }
});

test('processes take turns on the threads of a group, or go where there are the fewest', () => {
  const memories = [1, 2, 3].map(() => new ThreadMemory(ThreadMemory.allocate(8, 8)));
  const directory = new Directory({ cpu: 'round_robin', io: 'least_loaded' }, 0, () => 0);
  memories.forEach(({ memory }, i) => {
    directory.add({ thread: i + 1, group: 'cpu', position: i, memory });
    directory.add({ thread: i + 11, group: 'io', position: i, memory });
  });
  directory.add({ thread: 30, group: null, position: 0, memory: ThreadMemory.allocate(8, 8) });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => directory.place('cpu')),
    [1, 2, 3, 1],
  );
  // Whoever takes the place of a thread takes its turns.
  directory.add({ thread: 4, group: 'cpu', position: 1, memory: ThreadMemory.allocate(8, 8) });
  directory.remove(2);
  assert.deepEqual(
    [1, 2, 3].map(() => directory.place('cpu')),
    [4, 3, 1],
  );
  memories[0]?.born(0, 1);
  memories[2]?.born(0, 1);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => directory.place('io')),
    [12, 12, 12, 12],
  );
  const busy = new Directory({ cpu: 'round_robin' }, 50, () => 0);
  for (const [i, { memory }] of memories.entries()) {
    busy.add({ thread: i + 1, group: 'cpu', position: i, memory });
    busy.setBusy(i + 1, i > 0);
  }
  const turns = (): number[] => [1, 2, 3, 4].map(() => busy.place('cpu'));
  assert.deepEqual(turns(), [1, 1, 1, 1]);
  busy.setBusy(1, true);
  assert.deepEqual(turns(), [2, 3, 1, 2], 'where none yields, each is as good');
  assert.deepEqual([directory.isInGroup(0), directory.isInGroup(4), directory.isInGroup(30)], [true, true, false]);
  assert.throws(() => directory.place('gpu'), {
    message: "there is no thread group 'gpu': this system has 'main', 'cpu', 'io'",
  });
});

test('who lives on a thread is what was born or reserved there and has not died', () => {
  const action = fc.oneof(
    fc.record({ does: fc.constant('born' as const), slot: fc.nat(7) }),
    fc.record({ does: fc.constant('reserve' as const), slot: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ does: fc.constantFrom('end' as const, 'begin' as const, 'withdraw' as const), slot: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const memory = new ThreadMemory(ThreadMemory.allocate(8, 4));
      const live = new Map<number, { readonly serial: number; counted: boolean }>();
      const dead: (readonly [number, number])[] = [];
      let serial = 0;
      for (const { does, slot } of actions) {
        if (does === 'born' && !live.has(slot)) {
          memory.born(slot, ++serial);
          live.set(slot, { serial, counted: true });
        } else if (does === 'reserve') {
          const reserved = forked(slot, ++serial);
          const at = memory.reserve(reserved);
          if (at === undefined) assert.equal([...live.keys()].filter((each) => each >= 8).length, 4);
          else {
            assert.ok(at >= 8 && !live.has(at));
            live.set(at, { serial: reserved, counted: false });
          }
        } else if (does === 'begin') {
          const waiting = [...live].filter(([at, { counted }]) => at >= 8 && !counted);
          const [at, beginning] = waiting[slot % Math.max(1, waiting.length)] ?? [];
          if (at === undefined || beginning === undefined) continue;
          assert.ok(memory.begins(at, beginning.serial));
          assert.ok(!memory.begins(at, beginning.serial) && !memory.withdraw(at, beginning.serial));
          memory.born(at, beginning.serial);
          beginning.counted = true;
        } else if (does === 'withdraw') {
          const [at, ended] = [...live].find(([each, { counted }]) => each >= 8 && !counted) ?? [];
          if (at === undefined || ended === undefined) continue;
          assert.ok(memory.withdraw(at, ended.serial));
          live.delete(at);
          dead.push([at, ended.serial]);
        } else if (does === 'end') {
          const [at, ended] = [...live][slot % Math.max(1, live.size)] ?? [];
          if (at === undefined || ended === undefined) continue;
          if (ended.counted) memory.died(at, ended.serial);
          else memory.unreserve(at, spawnerOf(ended.serial));
          live.delete(at);
          dead.push([at, ended.serial]);
        }
        for (const [at, each] of live) assert.ok(memory.isLive(at, each.serial));
        for (const [at, each] of dead) assert.ok(!memory.isLive(at, each));
        assert.equal(memory.processCount, [...live.values()].filter(({ counted }) => counted).length);
        for (let spawner = 0; spawner < 4; spawner++) {
          const of = [...live].filter(([, { serial: each, counted }]) => !counted && spawnerOf(each) === spawner);
          assert.deepEqual(
            [...memory.reservedBy(spawner)].sort((a, b) => a - b),
            of.map(([at]) => at).sort((a, b) => a - b),
          );
        }
        assert.equal(
          memory.isReserved,
          [...live.keys()].some((at) => at >= 8),
        );
      }
    }),
  );
});

test('a pid is not taken for that of a later process in the same slot, however many there were between', () => {
  const memory = new ThreadMemory(ThreadMemory.allocate(8, 4_096));
  for (const after of [1, 4_096, 2 ** 18, 2 ** 19, 2 ** 20, 2 ** 21]) {
    const [first, later] = [forked(0, 7), forked(0, 7 + after)];
    const slot = memory.reserve(first) as number;
    memory.unreserve(slot, 0);
    const next = memory.reserve(later) as number;
    assert.ok(memory.isLive(next, later));
    assert.ok(!memory.isLive(slot, first), `${after} processes later`);
    memory.unreserve(next, 0);
  }
});

test('the process in its turn is seen from outside, with a large serial too', () => {
  const memory = new ThreadMemory(ThreadMemory.allocate(8, 8));
  assert.equal(memory.running, undefined);
  for (const serial of [1, 2 ** 31, 2 ** 32 + 5, forked(3, 9), 2 ** 53 - 1]) {
    memory.roundBegins();
    memory.runs(3, serial);
    assert.deepEqual(memory.running, { slot: 3, serial });
    memory.roundEnds();
    assert.equal(memory.running, undefined);
  }
});

test('why a process has departed is remembered for the last of them', () => {
  const departed = new Departed();
  for (let serial = 0; serial <= DEPARTED_MAX; serial++) departed.add(serial, { shutdown: serial });
  assert.equal(departed.reasonOf(0), 'noproc');
  assert.deepEqual(departed.reasonOf(1), { shutdown: 1 });
  assert.deepEqual(departed.reasonOf(DEPARTED_MAX), { shutdown: DEPARTED_MAX });
  assert.equal(departed.reasonOf(DEPARTED_MAX + 1), 'noproc');
});

test('a signal that cannot cross is described instead, and a message is not', () => {
  const pid = new Pid('s', 1, 0, 1);
  const reason = { held: () => 1 };
  const error = new Error('payload.held is a function');
  const described = portable([op.linkExit, 0, 1, new ExitSignal(pid, reason, 'label', 4)], error);
  const signal = described?.[3] as ExitSignal;
  assert.deepEqual([signal.from, signal.label, signal.thread], [pid, 'label', 4]);
  assert.equal(typeof (signal.reason as { described: unknown }).described, 'string');
  for (const frame of [
    [op.down, 0, 1, 9, reason],
    [op.exit, pid, 0, 1, reason],
    [op.callFailed, 9, reason],
    [op.started, 9, { error: reason }],
  ]) {
    const instead = portable(frame, error);
    assert.equal(instead?.[0], frame[0]);
    assert.match(JSON.stringify(instead), /"described":"/);
  }
  assert.deepEqual(portable([op.reply, 9, reason], error), [
    op.callFailed,
    9,
    { not_transferable: 'payload.held is a function' },
  ]);
  const event = portable([op.event, 'beamish:crash-report', { system: 's', reason, state: reason, pid }], error) ?? [];
  assert.deepEqual((event[2] as { system: string; pid: Pid }).pid, pid);
  assert.equal(portable([op.message, 0, 1, 'cast', 'tag', reason], error), undefined);
});

test('within a thread a pid is one object, whoever lives there, and what nobody holds is let go', async () => {
  const kernel = loneKernel();
  const pids = new Pids(kernel);
  const { pid } = loneProcess(kernel);
  assert.equal(pids.of(0, pid.slot, pid.serial), pid);
  const far = pids.of(2, 5, 77);
  assert.equal(pids.of(2, 5, 77), far);
  assert.notEqual(pids.of(2, 5, 78), far);
  pids.leaves(pid);
  kernel.finish(kernel.find(pid)!, 'normal');
  assert.equal(pids.of(0, pid.slot, pid.serial), pid, 'after its death too');
  for (let i = 0; i < 10_000; i++) pids.of(3, i, i);
  const known = (pids as unknown as { known: Map<number, Map<number, unknown>> }).known;
  const gc = await collector();
  while ((known.get(3)?.size ?? 0) > 0) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(pids.of(2, 5, 77), far);
  assert.equal(known.has(3), false);
});

test('what is published on a worker is relayed for its system alone, the frequent only while somebody listens', () => {
  const sent: unknown[] = [];
  const relay = new EventRelay('mine', (name, event) => sent.push([name, (event as { n: number }).n]));
  const publish = (name: string, n: number, system = 'mine'): void => channel(name).publish({ system, n });
  publish(channels.crashReport, 1);
  publish(channels.crashReport, 2, 'other');
  publish(channels.processExit, 3);
  relay.wanted([channels.processExit]);
  publish(channels.processExit, 4);
  relay.wanted([channels.processExit]);
  publish(channels.processExit, 5);
  relay.wanted([]);
  publish(channels.processExit, 6);
  assert.deepEqual(sent, [
    [channels.crashReport, 1],
    [channels.processExit, 4],
    [channels.processExit, 5],
  ]);
  assert.deepEqual(wantedEvents(), []);
});

async function collector(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
