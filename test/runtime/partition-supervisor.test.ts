import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Call,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type PartitionKey,
  Pid,
  partitionSupervisor,
  reply,
  startChild,
  supervisor,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startTestSystem } from '../support/test-system.ts';

interface LedgerProtocol {
  readonly call: { readonly read: Call<void, { readonly id: unknown; readonly notes: readonly string[] }> };
  readonly cast: { readonly note: string; readonly crash: void };
}

interface Ledger {
  readonly id: unknown;
  readonly notes: readonly string[];
}

const Ledger: GenServer<LedgerProtocol, unknown> = genServer(import.meta, 'Ledger', {
  init: (id: unknown): Ledger => ({ id, notes: [] }),
  handleCall: { read: (state: Ledger) => reply(state, state) },
  handleCast: {
    note: ({ id, notes }: Ledger, note) => noreply({ id, notes: [...notes, note] }),
    crash: () => {
      throw new Error('asked to');
    },
  },
});

const ledgers = (partitions: number): ReturnType<typeof partitionSupervisor<LedgerProtocol>> =>
  partitionSupervisor<LedgerProtocol>('ledgers', { child: child(Ledger, 'same'), partitions });

test('the same key is always served by the same process, in order', async (t) => {
  const parts = ledgers(4);
  const { system } = await startTestSystem(t, { children: [parts.childSpec] });
  const keys = Array.from({ length: 40 }, (_, i) => `user ${i}`);
  for (const round of [1, 2, 3]) for (const key of keys) system.cast(parts.dest(key), 'note', `${key}: ${round}`);
  const used = new Set<string>();
  for (const key of keys) {
    used.add(parts.dest(key));
    const { notes } = await system.call(parts.dest(key), 'read');
    assert.deepEqual(
      notes.filter((note) => note.startsWith(`${key}:`)),
      [1, 2, 3].map((round) => `${key}: ${round}`),
    );
  }
  assert.equal(used.size, 4, 'all partitions are used');
});

test('whole numbers go by remainder, other keys by a hash that is the same in every program', () => {
  const parts = ledgers(4);
  assert.deepEqual(
    [0, 1, 5, -5, 7n, -6n, 2n ** 70n].map((key) => parts.partitionOf(key)),
    [0, 1, 1, 1, 3, 2, 0],
  );
  assert.deepEqual(
    ['', 'a', 'session', 'ünï'].map((key) => parts.partitionOf(key)),
    [1, 0, 3, 0],
  );
  assert.equal(parts.partitionOf(new Pid('s', 0, 3, 6)), 2);
  assert.equal(parts.dest(5), 'ledgers_1');
  for (const bad of [1.5, Number.NaN, null, undefined, {}]) {
    assert.throws(() => parts.partitionOf(bad as PartitionKey), { code: 'ERR_BADARG' });
  }
});

test('property: every key has its place in every number of partitions', () => {
  const key = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.bigInt());
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 50 }), (each, partitions) => {
      const partition = ledgers(partitions).partitionOf(each);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
    }),
  );
});

test('the partitions are children of a supervisor: one that crashes is restarted alone', async (t) => {
  const parts = ledgers(3);
  const { system } = await startTestSystem(t, { children: [parts.childSpec] });
  const sup = name('ledgers');
  const before = await whichChildren(system, sup);
  assert.deepEqual(
    before.map(({ id }) => id),
    ['2', '1', '0'],
  );
  system.cast(parts.dest(1), 'note', 'kept by no one');
  system.cast(parts.dest(2), 'note', 'stays');
  system.cast(parts.dest(1), 'crash');
  await settle();
  const after = await whichChildren(system, sup);
  assert.deepEqual(
    after.map(({ pid }, i) => pid === before[i]?.pid),
    [true, false, true],
  );
  assert.deepEqual((await system.call(parts.dest(1), 'read')).notes, []);
  assert.deepEqual((await system.call(parts.dest(2), 'read')).notes, ['stays']);
});

test('each partition may have a start argument of its own', async (t) => {
  const parts = partitionSupervisor<LedgerProtocol>('ledgers', {
    child: child(Ledger, 'shard'),
    partitions: 2,
    withArguments: (arg, partition) => `${arg} ${partition}`,
  });
  const { system } = await startTestSystem(t, { children: [parts.childSpec] });
  assert.equal((await system.call(parts.dest(0), 'read')).id, 'shard 0');
  assert.equal((await system.call(parts.dest(1), 'read')).id, 'shard 1');
});

test('dynamic supervisors in partitions share the starting of children', async (t) => {
  const pool = supervisor('pool', { strategy: 'simple_one_for_one' }, [child(Ledger, undefined)]);
  const parts = partitionSupervisor('pools', { child: pool, partitions: 2 });
  const { system } = await startTestSystem(t, { children: [parts.childSpec] });
  for (const key of [0, 1, 3]) await startChild(system, parts.dest(key), `worker ${key}`);
  assert.equal((await whichChildren(system, parts.dest(0))).length, 1);
  assert.equal((await whichChildren(system, parts.dest(1))).length, 2);
  const rows = await whichChildren(system, name('pools'));
  assert.deepEqual(
    rows.map(({ type }) => type),
    ['supervisor', 'supervisor'],
  );
});

test('flags are those of a supervisor', async (t) => {
  const parts = partitionSupervisor<LedgerProtocol>('ledgers', {
    child: child(Ledger, 'same'),
    partitions: 2,
    strategy: 'one_for_all',
    intensity: 0,
    restart: 'temporary',
  });
  const { system } = await startTestSystem(t, { children: [parts.childSpec] });
  system.cast(parts.dest(0), 'crash');
  await settle();
  assert.equal(system.whereis(name('ledgers')), undefined, 'it gave up at the first crash, and is not restarted');
  assert.equal(system.whereis(parts.dest(1)), undefined);
});

test('wrong options are refused at once', () => {
  for (const partitions of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as never]) {
    assert.throws(() => ledgers(partitions), { code: 'ERR_BADARG' });
  }
  const named = child(Ledger, 1, { name: 'one' });
  assert.throws(() => partitionSupervisor('p', { child: named, partitions: 2 }), { code: 'ERR_BADARG' });
});
