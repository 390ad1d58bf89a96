/** What all contenders on Node.js measure in the same way. */
import { type Cost, costPerOperation, type Operation } from '../../contender-program.ts';
import { percentile } from '../../machine.ts';

/** Messages in a turn of the sender. */
export const messagesPerTurn = 256;
/** How often somebody else sends while latency is measured, and how much. */
export const streamMs = 1;
export const streamMessages = 128;
/** Long enough for the other thread to fall asleep. */
export const pauseMs = 2;
export const inFlight = 64;

const idleMs = 5_000;

export const kibibyte: string = 'x'.repeat(1_024);
export const large: Buffer = Buffer.alloc(64 * 1_024, 7);

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface Latency extends Cost {
  /** In microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** One round trip after the other. */
export async function oneByOne(
  count: number,
  trip: (i: number) => Promise<unknown>,
  pause?: () => Promise<void>,
): Promise<Latency> {
  const us: number[] = [];
  const cost = await costPerOperation(count, async () => {
    for (let i = 0; i < count; i++) {
      if (pause !== undefined) await pause();
      const start = performance.now();
      await trip(i);
      us.push((performance.now() - start) * 1_000);
    }
  });
  return { ...cost, p50: percentile(us, 50), p99: percentile(us, 99) };
}

/** Always that many at once. */
export async function manyAtOnce(count: number, trip: (i: number) => Promise<unknown>): Promise<Cost> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await trip(next++);
  };
  return costPerOperation(count, () => Promise.all(Array.from({ length: inFlight }, client)));
}

/** CPU time of a second in which nobody asks for anything. The argument is in percent of five. */
export const idle: Operation = async (percent) => {
  const ms = (idleMs * percent) / 100;
  const start = process.cpuUsage();
  await sleep(ms);
  const { user, system } = process.cpuUsage(start);
  return { cpuMs: (user + system) / ms };
};
