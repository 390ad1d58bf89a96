import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgError } from '../../runtime/index.ts';
import { deepFreeze, settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem } from '../support/test-system.ts';

test('a table holds one value per key, in the order of insertion', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  const table = ctx.newTable<unknown, number>('t');
  const key = {};
  table.set('b', 1);
  table.set('a', 2);
  table.set('b', 3);
  table.set(key, 4);
  table.set('__proto__', 5);
  assert.deepEqual(
    [...table.entries()],
    [
      ['b', 3],
      ['a', 2],
      [key, 4],
      ['__proto__', 5],
    ],
  );
  assert.deepEqual(
    [table.name, table.size, table.get('b'), table.get(key), table.has('a'), table.has('x')],
    ['t', 4, 3, 4, true, false],
  );
  assert.equal(table.get('constructor'), undefined);
  assert.deepEqual([table.delete('a'), table.delete('a'), table.size], [true, false, 3]);
});

test('insertNew inserts only what is not there', async (t) => {
  const system = await startTestSystem(t);
  const table = (await openProcess(system)).ctx.newTable('t');
  assert.deepEqual([table.insertNew('a', 1), table.insertNew('a', 2), table.get('a')], [true, false, 1]);
});

test('others read a protected table, only its owner writes; all write to a public one', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('protected').set('k', 1);
  owner.ctx.newTable('public', { access: 'public' });
  const [guarded, open] = [other.ctx.table('protected'), other.ctx.table('public')];
  assert.equal(guarded?.get('k'), 1);
  assert.equal(system.system.table('protected')?.get('k'), 1);
  for (const write of [() => guarded?.set('k', 2), () => guarded?.delete('k'), () => guarded?.insertNew('x', 1)]) {
    assert.throws(write, BadArgError);
  }
  assert.throws(() => system.system.table('protected')?.set('k', 2), { code: 'ERR_BADARG' });
  open?.set('k', 2);
  assert.equal(owner.ctx.table('public')?.get('k'), 2);
  assert.equal(owner.ctx.table('protected')?.get('k'), 1);
});

test('a name is taken once; an unknown table is undefined', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  a.ctx.newTable('t');
  assert.throws(() => b.ctx.newTable('t'), BadArgError);
  assert.equal(b.ctx.table('other'), undefined);
});

test('a table is deleted when its owner exits; handles on it cannot write any more', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('t', { access: 'public' });
  const handle = other.ctx.table('t');
  owner.finish();
  await settle();
  assert.equal(other.ctx.table('t'), undefined);
  assert.throws(() => handle?.set('k', 1), /deleted/);
  assert.throws(() => handle?.get('k'), /deleted/);
  assert.equal(handle?.info(), undefined);
  const again = other.ctx.newTable('t');
  assert.equal(again.size, 0, 'the name is free, and nothing of the old rows is there');
});

test('an heir gets the table and ETS-TRANSFER, and writes to it then', async (t) => {
  const system = await startTestSystem(t);
  const [owner, heir] = [await openProcess(system), await openProcess(system)];
  const given = { why: 'you are the heir' };
  owner.ctx.newTable('t', { heir: heir.pid, heirData: given }).set('k', 1);
  owner.fail(new Error('boom'));
  assert.deepEqual(await mailboxOf(heir), [
    { kind: 'info', tag: 'ETS-TRANSFER', payload: { table: 't', from: owner.pid, data: given } },
  ]);
  const table = heir.ctx.table('t');
  table?.set('k', 2);
  assert.equal(table?.get('k'), 2);
  heir.finish();
  await settle();
  assert.equal(system.system.table('t'), undefined, 'it goes with its new owner');
});

test('a table whose heir is dead is deleted', async (t) => {
  const system = await startTestSystem(t);
  const [owner, heir] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('t', { heir: heir.pid });
  heir.finish();
  await settle();
  owner.finish();
  await settle();
  assert.equal(system.system.table('t'), undefined);
});

test('the code of a dead process cannot write, not to its own, an inherited or a public table', async (t) => {
  const system = await startTestSystem(t);
  const [dead, heir] = [await openProcess(system), await openProcess(system)];
  heir.ctx.newTable('public', { access: 'public' });
  const [own, open] = [dead.ctx.newTable('own', { access: 'public', heir: heir.pid }), dead.ctx.table('public')];
  dead.finish();
  await settle();
  assert.throws(() => own.set('k', 1));
  assert.throws(() => open?.set('k', 1));
  assert.deepEqual([heir.ctx.table('own')?.size, heir.ctx.table('public')?.size], [0, 0]);
});

test('the tables of a process are gone before anybody learns of its exit', async (t) => {
  const system = await startTestSystem(t);
  const [owner, watcher] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('t');
  watcher.ctx.monitor(owner.pid);
  let found: unknown = 'not asked';
  const down = watcher.ctx.receive(() => {
    found = watcher.ctx.table('t');
    return true;
  }, 'infinity');
  owner.finish();
  await down;
  assert.equal(found, undefined);
});

test('a private table is read and written by its owner only; what it is, all may know', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  const own = owner.ctx.newTable('t', { access: 'private' });
  own.set('k', 1);
  assert.deepEqual([own.get('k'), own.size, [...own.entries()]], [1, 1, [['k', 1]]]);
  const seen = other.ctx.table('t')!;
  const attempts: readonly (() => unknown)[] = [
    () => seen.get('k'),
    () => seen.has('k'),
    () => seen.size,
    () => seen.entries(),
    () => seen.first(),
    () => seen.next('k'),
    () => seen.select(() => true),
    () => seen.selectPage(() => true, 1),
    () => seen.set('k', 2),
    () => seen.take('k'),
    () => seen.clear(),
  ];
  for (const attempt of attempts) assert.throws(attempt, /private/, String(attempt));
  assert.deepEqual([seen.info()?.size, seen.info()?.access], [1, 'private']);
});

test('a table without a name of its own is found by its tid only; several may be called alike', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  const first = owner.ctx.newTable('t', { namedTable: false });
  const second = owner.ctx.newTable('t', { namedTable: false });
  first.set('k', 1);
  assert.equal(other.ctx.table('t'), undefined);
  assert.notEqual(first.tid, second.tid);
  assert.deepEqual([other.ctx.table(first.tid)?.get('k'), other.ctx.table(second.tid)?.get('k')], [1, undefined]);
  const named = owner.ctx.newTable('t');
  assert.equal(other.ctx.table('t')?.tid, named.tid);
  assert.equal(other.ctx.table(named.tid)?.name, 't');
  first.giveAway(other.pid);
  const [transfer] = await mailboxOf(other);
  assert.deepEqual(transfer?.payload, { table: first.tid, from: owner.pid, data: undefined });
  owner.finish();
  await settle();
  assert.deepEqual([other.ctx.table(second.tid), other.ctx.table(first.tid)?.get('k')], [undefined, 1]);
});

test('info tells what a table is', async (t) => {
  const system = await startTestSystem(t);
  const [owner, heir] = [await openProcess(system), await openProcess(system)];
  const table = owner.ctx.newTable('t', { type: 'ordered_set', access: 'public', heir: heir.pid });
  table.set(1, 'x');
  assert.deepEqual(heir.ctx.table('t')?.info(), {
    tid: table.tid,
    name: 't',
    namedTable: true,
    type: 'ordered_set',
    access: 'public',
    owner: owner.pid,
    heir: heir.pid,
    size: 1,
  });
});

test('giveAway makes another process the owner, tells it, and keeps the heir', async (t) => {
  const system = await startTestSystem(t);
  const [owner, next, heir] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const table = owner.ctx.newTable('t', { heir: heir.pid, heirData: 'as heir' });
  table.giveAway(next.pid, { as: 'gift' });
  assert.throws(() => table.set('k', 1), BadArgError, 'it is not the owner any more');
  assert.throws(() => table.giveAway(owner.pid), BadArgError);
  next.ctx.table('t')?.set('k', 1);
  owner.finish();
  await settle();
  assert.equal(heir.ctx.table('t')?.get('k'), 1, 'the end of the first owner does not touch it');
  assert.deepEqual(
    (await mailboxOf(next)).map(({ payload }) => payload),
    [{ table: 't', from: owner.pid, data: { as: 'gift' } }],
  );
  next.finish();
  assert.deepEqual(
    (await mailboxOf(heir)).map(({ payload }) => payload),
    [{ table: 't', from: next.pid, data: 'as heir' }],
  );
});

test('a table cannot be given to its owner, to a dead process, or by another than its owner', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other, dead] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  dead.finish();
  await settle();
  const table = owner.ctx.newTable('t', { access: 'public' });
  for (const attempt of [
    () => table.giveAway(owner.pid),
    () => table.giveAway(dead.pid),
    () => other.ctx.table('t')?.giveAway(other.pid),
    () => other.ctx.table('t')?.setHeir(other.pid),
  ]) {
    assert.throws(attempt, BadArgError);
  }
  assert.equal(table.info()?.owner, owner.pid);
});

test('setHeir names another heir, or none', async (t) => {
  const system = await startTestSystem(t);
  const [owner, first, second] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const kept = owner.ctx.newTable('kept', { heir: first.pid });
  const dropped = owner.ctx.newTable('dropped', { heir: first.pid });
  kept.setHeir(second.pid, 'changed');
  dropped.setHeir(null);
  assert.throws(() => kept.setHeir('first' as never), BadArgError);
  owner.finish();
  assert.deepEqual(
    (await mailboxOf(second)).map(({ payload }) => payload),
    [{ table: 'kept', from: owner.pid, data: 'changed' }],
  );
  assert.deepEqual(await mailboxOf(first), []);
  assert.equal(system.system.table('dropped'), undefined);
});

test('deleteTable and rename: who may write may do it', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('guarded');
  owner.ctx.newTable('open', { access: 'public' }).set('k', 1);
  const [guarded, open] = [other.ctx.table('guarded')!, other.ctx.table('open')!];
  assert.throws(() => guarded.rename('mine'), BadArgError);
  assert.throws(() => guarded.deleteTable(), BadArgError);
  assert.throws(() => open.rename('guarded'), BadArgError, 'the name is taken');
  assert.throws(() => open.rename('open'), BadArgError, 'it has that name');
  open.rename('renamed');
  assert.deepEqual(
    [open.name, owner.ctx.table('open'), owner.ctx.table('renamed')?.get('k')],
    ['renamed', undefined, 1],
  );
  open.deleteTable();
  assert.equal(owner.ctx.table('renamed'), undefined);
  for (const attempt of [() => open.get('k'), () => open.deleteTable(), () => open.rename('x')]) {
    assert.throws(attempt, /deleted/);
  }
  other.ctx.newTable('renamed').set('k', 2);
  owner.finish();
  await settle();
  assert.equal(other.ctx.table('renamed')?.get('k'), 2, 'the exit of its former owner does not touch the name');
});

test('a walk over a table that is deleted ends', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  for (const table of [
    ctx.newTable<number, number>('set'),
    ctx.newTable<number, number>('ordered', { type: 'ordered_set' }),
  ]) {
    table.setAll([1, 2, 3].map((key) => [key, key] as const));
    const walk = table.entries();
    walk.next();
    table.deleteTable();
    assert.equal(walk.next().done, true);
  }
});

test('options and names that are none of ets are refused', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  const bad: readonly unknown[] = [
    ['t', { type: 'tree' }],
    ['t', { type: 'constructor' }],
    ['t', { access: 'secret' }],
    ['t', { heir: 'init' }],
    ['', {}],
    [7, {}],
  ];
  const create = ctx.newTable as (...args: unknown[]) => unknown;
  for (const args of bad) assert.throws(() => create.apply(ctx, args as unknown[]), BadArgError, JSON.stringify(args));
  assert.equal(ctx.table('t'), undefined);
});

test('a table is opened as what it is', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  ctx.newTable('set');
  ctx.newTable('ordered', { type: 'ordered_set' });
  ctx.newTable('bag', { type: 'bag' });
  ctx.newTable('duplicates', { type: 'duplicate_bag' });
  assert.equal(ctx.table('ordered')?.type, 'ordered_set', 'an ordered set is a set');
  assert.equal(ctx.table('duplicates', 'bag')?.type, 'duplicate_bag', 'and a duplicate bag a bag');
  assert.equal(ctx.table('ordered', 'ordered_set')?.last(), '$end_of_table');
  assert.throws(() => ctx.table('set', 'ordered_set'), BadArgError);
  assert.throws(() => ctx.table('bag'), BadArgError);
  assert.throws(() => ctx.table('bag', 'duplicate_bag'), BadArgError);
  assert.throws(() => ctx.table('set', 'constructor' as 'set'), BadArgError);
});

test('values go by reference; with deepFreeze as onSend a change after they were put throws', async (t) => {
  const system = await startTestSystem(t, { onSend: deepFreeze });
  const { ctx } = await openProcess(system);
  const table = ctx.newTable<string, { list: number[] }>('t');
  const bag = ctx.newTable<string, { list: number[] }>('b', { type: 'bag' });
  const [value, other] = [{ list: [1] }, { list: [1] }];
  table.set('k', value);
  bag.add('k', other);
  assert.equal(table.get('k'), value);
  assert.equal(bag.get('k')[0], other);
  for (const each of [value, other]) assert.throws(() => each.list.push(2), TypeError);
  table.updateElement('k', { list: [3] });
  assert.throws(() => table.get('k')!.list.push(4), TypeError, 'what an update puts, too');
});
