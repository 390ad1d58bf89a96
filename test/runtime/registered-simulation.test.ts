/** Registries and process groups over many schedules, each with its own order of messages, signals and kills. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  child,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  pg,
  registry,
  reply,
  supervisor,
  type UniqueRegistry,
  whichChildren,
} from '../../runtime/index.ts';
import { type SimulatedRun, simulate } from '../../runtime/testing.ts';

const seed = Number(process.env['SIMULATION_SEED'] ?? 1);

const rooms: UniqueRegistry<string> = registry('rooms', { keys: 'unique' });

/** Joins the group in its init; its name in the registry it has before that. */
const Guest: GenServer<object> = genServer(import.meta, 'Guest', {
  init: async (_start: void, ctx) => {
    await pg.join(ctx, 'guests', [ctx.self, ctx.self]);
    return null;
  },
});

interface PorterProtocol {
  readonly call: { readonly present: Call<void, readonly Pid[]> };
}

/** Knows who is in the group from the messages of its monitor alone. */
const Porter: GenServer<PorterProtocol> = genServer(import.meta, 'Porter', {
  init: async (_start, ctx): Promise<readonly Pid[]> => (await pg.monitor(ctx, 'guests')).members,
  handleCall: { present: (present, _nothing) => reply(present, present) },
  handleInfo: {
    pg: (present: readonly Pid[], { type, pids }) => {
      if (type === 'join') return noreply([...present, ...pids]);
      const left = [...present];
      for (const pid of pids) {
        const index = left.indexOf(pid);
        assert.ok(index >= 0, `${pid} leaves, but has not joined`);
        left.splice(index, 1);
      }
      return noreply(left);
    },
  },
});

const names = ['hall', 'cellar', 'attic', 'porch'];

async function evening(run: SimulatedRun): Promise<void> {
  const flags = { strategy: 'one_for_one', intensity: 1_000 } as const;
  const guests = names.map((id) => child(Guest, undefined, { id, name: rooms.via(id) }));
  const system = await run.start({
    ...flags,
    children: [
      pg.childSpec(),
      child(Porter, undefined, { name: 'porter' }),
      rooms.childSpec,
      supervisor('house', { ...flags, name: 'house' }, guests),
    ],
  });
  await run.quiet();
  run.killing = false;
  await run.quiet();
  const rows = await whichChildren(system, 'house');
  for (const { id, pid } of rows) {
    assert.equal(system.whereis(rooms.via(id)), pid, `${id} is found under its name`);
  }
  const registered = rooms.select(system, () => true);
  assert.deepEqual(registered.map(({ key }) => key).sort(), [...names].sort());
  const expected = rows.flatMap(({ pid }) => [String(pid), String(pid)]).sort();
  assert.deepEqual(pg.getMembers(system, 'guests').map(String).sort(), expected, 'each living guest is there twice');
  const present = await system.call<PorterProtocol, 'present'>('porter', 'present');
  assert.deepEqual(present.map(String).sort(), expected, 'the porter has seen all come and go');
}

test('whatever is killed, all are found under their names in the end, and groups hold the living', () =>
  simulate(
    {
      seed,
      runs: 200,
      kills: {
        chance: 0.05,
        max: 6,
        candidate: ({ name, initialCall }) => name === 'rooms' || /Guest/.test(initialCall),
      },
    },
    evening,
  ));
