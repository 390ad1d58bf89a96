import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  BadArgError,
  type Call,
  type GenServer,
  genServer,
  name,
  noreply,
  type PgEvent,
  type Pid,
  pg,
  reply,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, type OpenProcess, openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';

/** A system with the scope `pg`. */
function startScopes(t: TestContext, ...scopes: string[]): Promise<TestSystem> {
  return startTestSystem(t, { children: [pg.childSpec(), ...scopes.map((scope) => pg.childSpec(scope))] });
}

async function eventsOf(process: OpenProcess): Promise<(Omit<PgEvent, 'pids'> & { pids: readonly Pid[] })[]> {
  const messages = await mailboxOf(process);
  return messages.filter(({ tag }) => tag === 'pg').map(({ payload }) => payload as PgEvent);
}

test('members of a group, in the order of joining; leave takes one out', async (t) => {
  const system = await startScopes(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), []);
  assert.equal(await pg.join(a.ctx, 'g', a.pid), 'ok');
  assert.equal(await pg.join(a.ctx, 'g', b.pid), 'ok', 'anybody may be made a member by anybody');
  assert.deepEqual(pg.getMembers(system.system, 'g'), [a.pid, b.pid]);
  assert.deepEqual(pg.getLocalMembers(b.ctx, 'g'), [a.pid, b.pid]);
  assert.equal(await pg.leave(b.ctx, 'g', a.pid), 'ok');
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [b.pid]);
});

test('who joins twice is a member twice, and leaves once for each', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  await pg.join(a.ctx, 'g', a.pid);
  await pg.join(a.ctx, 'g', [a.pid, a.pid]);
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [a.pid, a.pid, a.pid]);
  assert.equal(await pg.leave(a.ctx, 'g', a.pid), 'ok');
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [a.pid, a.pid]);
  assert.equal(await pg.leave(a.ctx, 'g', [a.pid, a.pid, a.pid]), 'ok', 'more often than it had joined');
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), []);
});

test('leave says not_joined if none of the processes was a member', async (t) => {
  const system = await startScopes(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  await pg.join(a.ctx, 'g', a.pid);
  assert.equal(await pg.leave(a.ctx, 'g', b.pid), 'not_joined');
  assert.equal(await pg.leave(a.ctx, 'other', a.pid), 'not_joined');
  assert.equal(await pg.leave(a.ctx, 'g', []), 'not_joined');
  assert.equal(await pg.leave(a.ctx, 'g', [b.pid, a.pid]), 'ok', 'one of them was');
  assert.equal(await pg.leave(a.ctx, 'g', a.pid), 'not_joined');
});

test('a member that exits leaves all its groups, and a group without members is none', async (t) => {
  const system = await startScopes(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  await pg.join(a.ctx, 'both', [a.pid, b.pid, a.pid]);
  await pg.join(a.ctx, 'own', a.pid);
  assert.deepEqual(pg.whichGroups(b.ctx).sort(), ['both', 'own']);
  a.fail(new Error('boom'));
  await settle();
  assert.deepEqual([pg.getMembers(b.ctx, 'both'), pg.getMembers(b.ctx, 'own')], [[b.pid], []]);
  assert.deepEqual(pg.whichGroups(b.ctx), ['both']);
  await pg.leave(b.ctx, 'both', b.pid);
  await pg.join(b.ctx, 'empty', []);
  assert.deepEqual(pg.whichGroups(b.ctx), []);
});

test('a process that is dead when it is made a member does not stay one', async (t) => {
  const system = await startScopes(t);
  const [a, dead] = [await openProcess(system), await openProcess(system)];
  dead.finish();
  await settle();
  assert.equal(await pg.join(a.ctx, 'g', dead.pid), 'ok');
  await settle();
  assert.deepEqual([pg.getMembers(a.ctx, 'g'), pg.whichGroups(a.ctx)], [[], []]);
});

test('a leave and an exit that race are one leave, whichever comes first', async (t) => {
  const system = await startScopes(t);
  const [watcher, a, b] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  await pg.join(system.opener, 'g', [a.pid, b.pid]);
  const { ref } = await pg.monitor(watcher.ctx, 'g');
  const left = pg.leave(watcher.ctx, 'g', a.pid);
  watcher.ctx.exitProcess(a.pid, 'kill');
  assert.equal(await left, 'ok');
  watcher.ctx.exitProcess(b.pid, 'kill');
  assert.equal(await pg.leave(watcher.ctx, 'g', b.pid), 'not_joined');
  assert.deepEqual(
    await eventsOf(watcher),
    [a, b].map(({ pid }) => ({ ref, type: 'leave', group: 'g', pids: [pid] })),
  );
});

test('scopes are independent', async (t) => {
  const system = await startScopes(t, 'other');
  const a = await openProcess(system);
  await pg.join(a.ctx, 'g', a.pid);
  await pg.join(a.ctx, 'h', a.pid, 'other');
  assert.deepEqual([pg.getMembers(a.ctx, 'g', 'other'), pg.getMembers(a.ctx, 'h')], [[], []]);
  assert.deepEqual([pg.whichGroups(a.ctx), pg.whichGroups(a.ctx, 'other')], [['g'], ['h']]);
  assert.equal(await pg.leave(a.ctx, 'h', a.pid), 'not_joined');
});

test('without the scope: no members, no groups, and a change fails', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), []);
  assert.throws(() => pg.whichGroups(a.ctx), BadArgError);
  await assert.rejects(pg.join(a.ctx, 'g', a.pid), { code: 'ERR_CALL_NOPROC' });
  await assert.rejects(pg.monitor(a.ctx, 'g'), { code: 'ERR_CALL_NOPROC' });
});

test('what is no pid is refused, and the scope lives on', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  for (const bad of ['a', undefined, [a.pid, 'b'], { pid: a.pid }]) {
    assert.throws(() => pg.join(a.ctx, 'g', bad as never), BadArgError);
    assert.throws(() => pg.leave(a.ctx, 'g', bad as never), BadArgError);
  }
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), []);
});

test('the list of members is the own copy of who asks', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  await pg.join(a.ctx, 'g', a.pid);
  const members = pg.getMembers(a.ctx, 'g');
  members.pop();
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [a.pid]);
});

test('a monitor of a group tells the members, and then each change', async (t) => {
  const system = await startScopes(t);
  const [watcher, a, b] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  await pg.join(a.ctx, 'g', a.pid);
  const { ref, members } = await pg.monitor(watcher.ctx, 'g');
  assert.deepEqual(members, [a.pid]);
  await pg.join(a.ctx, 'g', [b.pid, a.pid]);
  await pg.join(a.ctx, 'another', b.pid);
  await pg.leave(a.ctx, 'g', [b.pid, watcher.pid]);
  a.finish();
  assert.deepEqual(await eventsOf(watcher), [
    { ref, type: 'join', group: 'g', pids: [b.pid, a.pid] },
    { ref, type: 'leave', group: 'g', pids: [b.pid] },
    { ref, type: 'leave', group: 'g', pids: [a.pid, a.pid] },
  ]);
});

test('a monitor of a group that is not there yet sees it come; each monitor has its own messages', async (t) => {
  const system = await startScopes(t);
  const [watcher, a] = [await openProcess(system), await openProcess(system)];
  const [first, second] = [await pg.monitor(watcher.ctx, 'g'), await pg.monitor(watcher.ctx, 'g')];
  assert.deepEqual([first.members, second.members], [[], []]);
  await pg.join(a.ctx, 'g', a.pid);
  await pg.leave(a.ctx, 'g', a.pid);
  const events = await eventsOf(watcher);
  for (const { ref } of [first, second]) {
    assert.deepEqual(
      events.filter((event) => event.ref === ref).map(({ type }) => type),
      ['join', 'leave'],
    );
  }
  assert.equal(events.length, 4);
});

test('a monitor of the scope tells all groups, and then each change of any', async (t) => {
  const system = await startScopes(t);
  const [watcher, a] = [await openProcess(system), await openProcess(system)];
  await pg.join(a.ctx, 'g', a.pid);
  const { ref, groups } = await pg.monitorScope(watcher.ctx);
  assert.deepEqual([...groups], [['g', [a.pid]]]);
  await pg.join(a.ctx, 'new', a.pid);
  await pg.join(a.ctx, 'new', []);
  a.finish();
  const events = await eventsOf(watcher);
  assert.deepEqual(events[0], { ref, type: 'join', group: 'new', pids: [a.pid] });
  assert.deepEqual(
    events.slice(1).map(({ type, group }) => [type, group]),
    [
      ['leave', 'g'],
      ['leave', 'new'],
    ],
  );
});

test('demonitor ends a monitor and takes its messages out of the mailbox, no others', async (t) => {
  const system = await startScopes(t);
  const [watcher, a] = [await openProcess(system), await openProcess(system)];
  const [group, scope] = [await pg.monitor(watcher.ctx, 'g'), await pg.monitorScope(watcher.ctx)];
  await pg.join(a.ctx, 'g', a.pid);
  await pg.join(a.ctx, 'g', a.pid);
  assert.equal(await pg.demonitor(watcher.ctx, group.ref), 'ok');
  await pg.leave(a.ctx, 'g', a.pid);
  const events = await eventsOf(watcher);
  assert.deepEqual(
    events.map(({ ref, type }) => [ref, type]),
    [
      [scope.ref, 'join'],
      [scope.ref, 'join'],
      [scope.ref, 'leave'],
    ],
  );
  assert.equal(await pg.demonitor(watcher.ctx, group.ref), false);
  assert.equal(await pg.demonitor(watcher.ctx, scope.ref), 'ok');
  await pg.join(a.ctx, 'g', a.pid);
  assert.deepEqual(await eventsOf(watcher), []);
});

test('the scope forgets a watcher that exits, and keeps its membership apart from its monitors', async (t) => {
  const system = await startScopes(t);
  const [watcher, a] = [await openProcess(system), await openProcess(system)];
  await pg.monitor(watcher.ctx, 'g');
  await pg.monitorScope(watcher.ctx);
  await pg.join(a.ctx, 'g', [watcher.pid, a.pid]);
  const { ref } = await pg.monitor(a.ctx, 'g');
  watcher.finish();
  await settle();
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [a.pid]);
  assert.deepEqual(await eventsOf(a), [{ ref, type: 'leave', group: 'g', pids: [watcher.pid] }]);
  await pg.demonitor(a.ctx, ref);
  await pg.leave(a.ctx, 'g', a.pid);
  await pg.join(a.ctx, 'g', a.pid);
  a.finish();
  await settle();
  assert.deepEqual(pg.whichGroups(system.system), []);
});

test('the scope monitors nobody who has left, or monitors no more', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  const monitored = (): readonly Pid[] | undefined => a.ctx.processInfo(a.ctx.whereis(name('pg'))!)?.monitors;
  await pg.join(a.ctx, 'g', [a.pid, a.pid]);
  await pg.join(a.ctx, 'h', a.pid);
  assert.deepEqual(monitored(), [a.pid], 'one monitor per member');
  const refs = [(await pg.monitor(a.ctx, 'g')).ref, (await pg.monitorScope(a.ctx)).ref];
  assert.equal(monitored()?.length, 3);
  for (const ref of refs) await pg.demonitor(a.ctx, ref);
  await pg.leave(a.ctx, 'g', [a.pid, a.pid]);
  assert.equal(monitored()?.length, 1);
  await pg.leave(a.ctx, 'h', a.pid);
  assert.deepEqual(monitored(), []);
});

type Watched = { readonly seen: readonly PgEvent[] };
type WatcherProtocol = { readonly call: { readonly seen: Call<void, readonly PgEvent[]> } };
const Watcher: GenServer<WatcherProtocol> = genServer(import.meta, 'Watcher', {
  init: async (_start, ctx): Promise<Watched> => {
    await pg.monitor(ctx, 'g');
    return { seen: [] };
  },
  handleCall: { seen: (state: Watched) => reply(state.seen, state) },
  handleInfo: { pg: ({ seen }: Watched, event) => noreply({ seen: [...seen, event] }) },
});

test('a server handles changes with a clause of handleInfo', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  const started = await a.ctx.start(Watcher, undefined);
  assert.ok(typeof started === 'object' && 'ok' in started);
  await pg.join(a.ctx, 'g', [a.pid, started.ok]);
  await settle();
  const seen = await a.ctx.call<WatcherProtocol, 'seen'>(started.ok, 'seen');
  assert.deepEqual(
    seen.map(({ type, group, pids }) => ({ type, group, pids })),
    [{ type: 'join', group: 'g', pids: [a.pid, started.ok] }],
  );
});

test('a scope that is restarted has no members; its old ones can join again', async (t) => {
  const system = await startScopes(t);
  const a = await openProcess(system);
  await pg.join(a.ctx, 'g', a.pid);
  const before = a.ctx.whereis(name('pg'))!;
  a.ctx.exitProcess(before, 'kill');
  await settle();
  assert.notEqual(a.ctx.whereis(name('pg')), before);
  assert.deepEqual([pg.getMembers(a.ctx, 'g'), a.ctx.isAlive(a.pid)], [[], true]);
  assert.equal(await pg.join(a.ctx, 'g', a.pid), 'ok');
  assert.deepEqual(pg.getMembers(a.ctx, 'g'), [a.pid]);
});
