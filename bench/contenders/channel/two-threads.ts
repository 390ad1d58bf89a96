/** Measures one kind of line between this thread and another. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerQuestions, type Cost, costPerOperation, expectEqual, type Operation } from '../../contender-program.ts';
import { percentile } from '../../machine.ts';
import { ECHO, LAST, payloads } from './frames.ts';
import { type Frame, type LineKind, openLine, openLineEnds } from './line.ts';

/** As many as a turn of a kernel would send. */
const framesPerTurn = 256;
const pauseMs = 2;
const idleMs = 1_000;

export async function answerForLine(kind: LineKind): Promise<never> {
  const [near, far] = openLineEnds(kind);
  const transferList = [far.port, far.writer.port, far.reader.port];
  const worker = new Worker(new URL('./far-thread.js', import.meta.url), { workerData: far, transferList });
  await once(worker, 'online');
  let go: () => void = () => {};
  let onEcho: () => void = () => {};
  const line = openLine(
    near,
    () => onEcho(),
    () => go(),
  );

  const oneWay = (payload: (i: number) => Frame, bytesEach: number): Operation => {
    return (total): Promise<Cost> =>
      costPerOperation(total, async () => {
        const counted = once(worker, 'message');
        let turns = 0;
        for (let i = 0; i < total; i++) {
          const frame = payload(i);
          const more = line.send(i === total - 1 ? [LAST, ...frame.slice(1)] : frame);
          if (!more) await new Promise<void>((resolve) => (go = resolve));
          else if (++turns % framesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        const [answer] = (await counted) as [{ count: number; bytes: number }];
        expectEqual(answer.count, total, 'frames');
        expectEqual(answer.bytes, total * bytesEach, 'bytes');
      });
  };

  const trip = async (i: number): Promise<number> => {
    const start = process.hrtime.bigint();
    const back = new Promise<void>((resolve) => (onEcho = resolve));
    line.send([ECHO, 1_000, 77, i, 'get', { ref: i }]);
    await back;
    return Number(process.hrtime.bigint() - start) / 1_000;
  };
  const trips = (pause: () => Promise<void> | undefined): Operation => {
    return async (total) => {
      const us: number[] = [];
      const start = process.cpuUsage();
      for (let i = 0; i < total; i++) {
        await pause();
        us.push(await trip(i));
      }
      const { user, system } = process.cpuUsage(start);
      return { p50: percentile(us, 50), p99: percentile(us, 99), cpuUs: (user + system) / total };
    };
  };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  return answerQuestions(
    new Map<string, Operation>([
      ['small', oneWay(payloads.small, 0)],
      ['call', oneWay(payloads.call, 0)],
      ['kibibyte', oneWay(payloads.kibibyte, 1_000)],
      ['large', oneWay(payloads.large, 64 * 1_024)],
      ['warm', trips(() => undefined)],
      ['parked', trips(() => sleep(pauseMs))],
      [
        'idle',
        async () => {
          const start = process.cpuUsage();
          await sleep(idleMs);
          const { user, system } = process.cpuUsage(start);
          return { cpuMs: (user + system) / 1_000 };
        },
      ],
    ]),
  );
}
