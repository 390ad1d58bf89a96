/**
 * The workload `actor` on xstate. `send` to an actor that is not busy runs its transition at once, in the sender: there
 * is no mailbox in between. Transitions are synchronous, hence no asynchronous handlers.
 */
import {
  answerQuestions,
  bytesPerThing,
  costPerOperation,
  expectEqual,
  type Operation,
} from '../../contender-program.ts';
import { loadPeer } from '../../peers.ts';

interface Actor {
  start(): this;
  stop(): void;
  send(event: object): void;
  getSnapshot(): { readonly context: number };
}

interface Event {
  readonly type: string;
  readonly n: number;
  readonly from: Actor;
  readonly reply: (value: number) => void;
}

interface XState {
  createActor(logic: object): Actor;
  fromTransition(
    transition: (state: number, event: Event, scope: { readonly self: Actor }) => number,
    initial: number,
  ): object;
}

const { createActor, fromTransition } = await loadPeer<XState>('xstate');

const counter = fromTransition((sum, { type, n, reply }) => {
  if (type === 'call') reply(sum + n);
  return sum + n;
}, 0);

const call: Operation = async (count) => {
  const server = createActor(counter).start();
  let last = 0;
  const cost = await costPerOperation(count, async () => {
    for (let i = 0; i < count; i++) last = await new Promise((reply) => server.send({ type: 'call', n: 1, reply }));
  });
  expectEqual(last, count, 'sum');
  server.stop();
  return cost;
};

const cast: Operation = async (count) => {
  const server = createActor(counter).start();
  const cost = await costPerOperation(count, () => {
    for (let i = 0; i < count; i++) server.send({ type: 'cast', n: 1 });
  });
  expectEqual(server.getSnapshot().context, count, 'sum');
  server.stop();
  return cost;
};

const player = fromTransition((rallies, { type, n, from }, { self }) => {
  if (type === 'ping') from.send({ type: 'pong', n, from: self });
  else if (n > 1) from.send({ type: 'ping', n: n - 1, from: self });
  return rallies + 1;
}, 0);

const pingPong: Operation = async (count) => {
  const [a, b] = [createActor(player).start(), createActor(player).start()];
  const cost = await costPerOperation(count, () => a.send({ type: 'pong', n: count + 1, from: b }));
  expectEqual(a.getSnapshot().context, count + 1, 'rallies');
  return cost;
};

const spawnAndExit: Operation = (count) =>
  costPerOperation(count, () => {
    for (let i = 0; i < count; i++) {
      const actor = createActor(counter).start();
      actor.send({ type: 'cast', n: 1 });
      actor.stop();
    }
  });

const idle: Operation = (count) =>
  bytesPerThing(count, () => Array.from({ length: count }, () => createActor(counter).start()));

await answerQuestions(
  new Map([
    ['call', call],
    ['cast', cast],
    ['ping_pong', pingPong],
    ['spawn_exit', spawnAndExit],
    ['idle_processes', idle],
  ]),
);
