/** The workload `actor` on nact. Its actors take messages asynchronously, and handlers may return promises. */
import {
  answerQuestions,
  bytesPerThing,
  costPerOperation,
  expectEqual,
  type Operation,
} from '../../contender-program.ts';
import { loadPeer } from '../../peers.ts';
import { burst } from './burst.ts';

type Ref = { readonly ref: unique symbol };
type Message = { readonly type: string; readonly n: number; readonly from: Ref };
type Handler = (state: number, message: Message, ctx: { readonly self: Ref }) => number | Promise<number>;

interface Nact {
  start(): Ref;
  stop(ref: Ref): void;
  spawn(parent: Ref, handler: Handler, name: string, options: { readonly initialState: number }): Ref;
  dispatch(to: Ref, message: object | number): void;
  query(to: Ref, message: (from: Ref) => object, timeoutMs: number): Promise<number>;
}

const { start, stop, spawn, dispatch, query } = await loadPeer<Nact>('nact');
const system = start();
const fromZero = { initialState: 0 };

/** Named by a count: the names that nact makes up are random numbers, and 100,000 of them clash. */
let actors = 0;
const spawnActor = (handler: Handler): Ref => spawn(system, handler, `a${actors++}`, fromZero);

const add: Handler = (sum, { type, n, from }) => {
  if (type === 'call') dispatch(from, sum + n);
  return sum + n;
};

const addLater: Handler = async (sum, { n, from }) => {
  await undefined;
  dispatch(from, sum + n);
  return sum + n;
};

const call = (server: Ref, n: number): Promise<number> => query(server, (from) => ({ type: 'call', n, from }), 5_000);

const calls =
  (handler: Handler): Operation =>
  async (count) => {
    const server = spawnActor(handler);
    let last = 0;
    const cost = await costPerOperation(count, async () => {
      for (let i = 0; i < count; i++) last = await call(server, 1);
    });
    expectEqual(last, count, 'sum');
    stop(server);
    return cost;
  };

const cast: Operation = async (count) => {
  const server = spawnActor(add);
  let sum = 0;
  const cost = await costPerOperation(count, async () => {
    for (let left = count; left > 0; left -= burst) {
      for (let i = Math.min(burst, left); i > 0; i--) dispatch(server, { type: 'cast', n: 1 });
      sum = await call(server, 0);
    }
  });
  expectEqual(sum, count, 'sum');
  stop(server);
  return cost;
};

/** Both players; `over` is the end of the rally. */
const pingPong =
  (player: (over: () => void) => Handler): Operation =>
  (count) => {
    let end: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      end = resolve;
    });
    const [a, b] = [spawnActor(player(end)), spawnActor(player(end))];
    return costPerOperation(count, () => {
      dispatch(a, { type: 'pong', n: count + 1, from: b });
      return finished;
    });
  };

const play = ({ type, n, from }: Message, self: Ref, over: () => void): void => {
  if (type === 'ping') dispatch(from, { type: 'pong', n, from: self });
  else if (n === 1) over();
  else dispatch(from, { type: 'ping', n: n - 1, from: self });
};

const player =
  (over: () => void): Handler =>
  (state, message, { self }) => {
    play(message, self, over);
    return state;
  };

const asyncPlayer =
  (over: () => void): Handler =>
  async (state, message, { self }) => {
    await undefined;
    play(message, self, over);
    return state;
  };

const spawnAndExit: Operation = (count) =>
  costPerOperation(count, async () => {
    for (let left = count; left > 0; left -= burst) {
      await new Promise<void>((resolve) => {
        let awaited = Math.min(burst, left);
        const done: Handler = (state, _message, { self }) => {
          stop(self);
          if (--awaited === 0) resolve();
          return state;
        };
        for (let i = awaited; i > 0; i--) dispatch(spawnActor(done), { type: 'done' });
      });
    }
  });

const idle: Operation = (count) => bytesPerThing(count, () => Array.from({ length: count }, () => spawnActor(add)));

await answerQuestions(
  new Map([
    ['call', calls(add)],
    ['call_async', calls(addLater)],
    ['cast', cast],
    ['ping_pong', pingPong(player)],
    ['ping_pong_async', pingPong(asyncPlayer)],
    ['spawn_exit', spawnAndExit],
    ['idle_processes', idle],
  ]),
);
