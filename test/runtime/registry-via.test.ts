import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Call,
  child,
  type GenServer,
  genServer,
  ignore,
  noreply,
  registry,
  reply,
  stopInit,
  supervisor,
  type UniqueRegistry,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { exitsOf, openProcess, reasonsOf, startTestSystem, type TestSystem, tagsOf } from '../support/test-system.ts';

interface EchoProtocol {
  readonly call: { readonly echo: Call<string, string> };
  readonly cast: { readonly note: void };
  readonly info: { readonly poke: void };
}

const Echo: GenServer<EchoProtocol, 'serve' | 'ignore' | 'refuse'> = genServer(import.meta, 'Echo', {
  init: (how) => (how === 'serve' ? how : how === 'ignore' ? ignore() : stopInit('refused')),
  handleCall: { echo: (state, text) => reply(text, state) },
  handleCast: { note: (state) => noreply(state) },
  handleInfo: { poke: (state) => noreply(state) },
});

const rooms: UniqueRegistry<string, void, EchoProtocol> = registry('rooms', { keys: 'unique' });

function startRooms(t: TestContext): Promise<TestSystem> {
  return startTestSystem(t, { children: [rooms.childSpec] });
}

test('a name in a registry is a destination of call, cast, send and monitor', async (t) => {
  const system = await startRooms(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const hall = rooms.via('hall');
  assert.equal(a.ctx.whereis(hall), undefined);
  await assert.rejects(a.ctx.call(hall, 'echo', 'x'), { code: 'ERR_CALL_NOPROC' });
  assert.throws(() => a.ctx.send(hall, 'poke'), { code: 'ERR_BADARG' });
  a.ctx.cast(hall, 'note');
  rooms.register(b.ctx, 'hall');
  assert.equal(system.system.whereis(hall), b.pid);
  a.ctx.cast(hall, 'note');
  a.ctx.send(hall, 'poke');
  a.ctx.monitor(hall);
  assert.deepEqual(await tagsOf(b), ['note', 'poke']);
  b.fail('boom');
  assert.equal((await reasonsOf(a)).length, 1);
  assert.equal(a.ctx.whereis(hall), undefined);
});

test('a server is started under a name in a registry; a second one is told who holds it', async (t) => {
  const system = await startRooms(t);
  const { ctx } = await openProcess(system);
  const name = rooms.via('hall');
  const started = await ctx.start(Echo, 'serve', { name });
  assert.ok(typeof started === 'object' && 'ok' in started);
  assert.equal(await system.system.call(name, 'echo', 'hello'), 'hello');
  assert.deepEqual(await ctx.startLink(Echo, 'serve', { name }), { error: { already_started: started.ok } });
  assert.deepEqual(rooms.keys(ctx, started.ok), ['hall']);
});

test('a name in a registry is free again when init fails or ignores', async (t) => {
  const system = await startRooms(t);
  const { ctx } = await openProcess(system, { trapExit: true });
  const name = rooms.via('hall');
  assert.equal(await ctx.start(Echo, 'ignore', { name }), 'ignore');
  assert.equal(ctx.whereis(name), undefined);
  assert.deepEqual(await ctx.start(Echo, 'refuse', { name }), { error: 'refused' });
  assert.deepEqual([ctx.whereis(name), rooms.count(ctx)], [undefined, 0]);
});

test('of several starts under one name in a registry exactly one wins', async (t) => {
  const system = await startRooms(t);
  const { ctx } = await openProcess(system);
  const name = rooms.via('hall');
  const results = await Promise.all([1, 2, 3].map(() => ctx.start(Echo, 'serve', { name })));
  const holder = ctx.whereis(name);
  assert.deepEqual(results, [{ ok: holder }, ...[1, 2].map(() => ({ error: { already_started: holder } }))]);
});

test('a child under a name in a registry is restarted under it', async (t) => {
  const tree = supervisor('tree', { strategy: 'one_for_one', intensity: 5, name: 'tree' }, [
    child(Echo, 'serve', { id: 'hall', name: rooms.via('hall') }),
    child(Echo, 'serve', { id: 'cellar', name: rooms.via('cellar') }),
  ]);
  const { system } = await startTestSystem(t, { children: [rooms.childSpec, tree] });
  const before = system.whereis(rooms.via('hall'))!;
  const cellar = system.whereis(rooms.via('cellar'));
  system.exitProcess(before, 'kill');
  await settle();
  const after = system.whereis(rooms.via('hall'));
  assert.ok(after !== undefined && after !== before);
  assert.equal(await system.call(rooms.via('hall'), 'echo', 'again'), 'again');
  assert.equal(system.whereis(rooms.via('cellar')), cellar);
});

test('after a crash of the registry its children are back under their names', async (t) => {
  const tree = supervisor('tree', { strategy: 'one_for_one', intensity: 5, name: 'tree' }, [
    child(Echo, 'serve', { id: 'hall', name: rooms.via('hall') }),
    child(Echo, 'serve', { id: 'cellar', name: rooms.via('cellar') }),
  ]);
  const { system } = await startTestSystem(t, { intensity: 5, children: [rooms.childSpec, tree] });
  const pids = (await whichChildren(system, 'tree')).map(({ pid }) => pid);
  system.exitProcess(system.whereis('rooms')!, 'kill');
  await settle();
  const rows = await whichChildren(system, 'tree');
  assert.deepEqual(
    rows.map(({ id, pid }) => [id, pid === system.whereis(rooms.via(id))]),
    [
      ['cellar', true],
      ['hall', true],
    ],
  );
  assert.ok(rows.every(({ pid }) => !pids.includes(pid)));
});

test('a start under a name of a registry that does not run fails, and leaves no process behind', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system, { trapExit: true });
  const before = system.system.processCount;
  const result = await ctx.startLink(Echo, 'serve', { name: rooms.via('hall') }).catch((error: unknown) => ({ error }));
  assert.ok(typeof result === 'object' && 'error' in result);
  await settle();
  assert.equal(system.system.processCount, before);
  assert.deepEqual(await exitsOf({ ctx }), []);
});
