import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgError } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
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
  const again = other.ctx.newTable('t');
  assert.equal(again.size, 0, 'the name is free, and nothing of the old rows is there');
});

test('an heir gets the table and ETS-TRANSFER, and writes to it then', async (t) => {
  const system = await startTestSystem(t);
  const [owner, heir] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable('t', { heir: heir.pid }).set('k', 1);
  owner.fail(new Error('boom'));
  assert.deepEqual(await mailboxOf(heir), [
    { kind: 'info', tag: 'ETS-TRANSFER', payload: { table: 't', from: owner.pid } },
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
