/** The workload `actor` on effect: a fiber that takes from an unbounded queue stands for a process and its mailbox. */
import {
  answerQuestions,
  bytesPerThing,
  costPerOperation,
  expectEqual,
  type Operation,
} from '../../contender-program.ts';
import { loadPeer } from '../../peers.ts';
import { burst } from './burst.ts';

/** What a generator yields to effect, and what it gets back, is of no type that could be had without the package. */
type Step<A = any> = { [Symbol.iterator](): Generator<any, A, any> };
interface Queue {
  readonly queue: unique symbol;
}

interface EffectModule {
  readonly Effect: {
    gen<A>(body: () => Generator<any, A, any>): Step<A>;
    runPromise<A>(effect: Step<A>): Promise<A>;
    runSync<A>(effect: Step<A>): A;
    runFork(effect: Step): object;
    forkChild(effect: Step): Step<object>;
    readonly void: Step<void>;
  };
  readonly Queue: { unbounded(): Step<Queue>; take(queue: Queue): Step; offer(queue: Queue, item: unknown): Step };
  readonly Fiber: { await(fiber: object): Step; interrupt(fiber: object): Step };
  readonly Deferred: {
    make(): Step<object>;
    succeed(deferred: object, value: number): Step;
    await(deferred: object): Step<number>;
  };
}

const { Effect, Queue, Fiber, Deferred } = await loadPeer<EffectModule>('effect');

interface Request {
  readonly n: number;
  readonly reply: object | null;
}

const server = (queue: Queue): Step =>
  Effect.gen(function* () {
    for (let sum = 0; ; ) {
      const { n, reply } = (yield* Queue.take(queue)) as Request;
      sum += n;
      if (reply !== null) yield* Deferred.succeed(reply, sum);
    }
  });

function* ask(queue: Queue, n: number): Generator<any, number, any> {
  const reply = yield* Deferred.make();
  yield* Queue.offer(queue, { n, reply });
  return yield* Deferred.await(reply);
}

/** Runs the client beside a server. */
const withServer = (client: (queue: Queue) => Generator<any, number, any>): Promise<number> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded();
      const fiber = yield* Effect.forkChild(server(queue));
      const sum = yield* client(queue);
      yield* Fiber.interrupt(fiber);
      return sum;
    }),
  );

const operation =
  (client: (queue: Queue, count: number) => Generator<any, number, any>): Operation =>
  (count) =>
    costPerOperation(count, async () => {
      expectEqual(await withServer((queue) => client(queue, count)), count, 'sum');
    });

const call = operation(function* (queue, count) {
  let last = 0;
  for (let i = 0; i < count; i++) last = yield* ask(queue, 1);
  return last;
});

const cast = operation(function* (queue, count) {
  let sum = 0;
  for (let left = count; left > 0; left -= burst) {
    for (let i = Math.min(burst, left); i > 0; i--) yield* Queue.offer(queue, { n: 1, reply: null });
    sum = yield* ask(queue, 0);
  }
  return sum;
});

const pingPong: Operation = (count) =>
  costPerOperation(count, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const [pings, pongs] = [yield* Queue.unbounded(), yield* Queue.unbounded()];
        const ponger = Effect.gen(function* () {
          for (;;) yield* Queue.offer(pongs, { n: ((yield* Queue.take(pings)) as Request).n });
        });
        const fiber = yield* Effect.forkChild(ponger);
        for (let n = count; n > 0; n--) {
          yield* Queue.offer(pings, { n });
          yield* Queue.take(pongs);
        }
        yield* Fiber.interrupt(fiber);
      }),
    ),
  );

const spawnAndExit: Operation = (count) =>
  costPerOperation(count, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded();
        const child = Queue.offer(queue, null);
        for (let left = count; left > 0; left -= burst) {
          const awaited = Math.min(burst, left);
          for (let i = awaited; i > 0; i--) yield* Effect.forkChild(child);
          for (let i = awaited; i > 0; i--) yield* Queue.take(queue);
        }
      }),
    ),
  );

const spawnMonitor: Operation = (count) =>
  costPerOperation(count, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < count; i++) yield* Fiber.await(yield* Effect.forkChild(Effect.void));
      }),
    ),
  );

const idle: Operation = (count) =>
  bytesPerThing(count, () =>
    Array.from({ length: count }, () => {
      const queue = Effect.runSync(Queue.unbounded());
      return Effect.runFork(server(queue));
    }),
  );

await answerQuestions(
  new Map([
    ['call', call],
    ['cast', cast],
    ['ping_pong', pingPong],
    ['spawn_exit', spawnAndExit],
    ['spawn_monitor', spawnMonitor],
    ['idle_processes', idle],
  ]),
);
