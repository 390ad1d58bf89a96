/**
 * What a contender written in JavaScript runs: it reads a question per line from its standard input, `operation
 * argument`, and answers each with one line of JSON. The end of the input ends it.
 */
import { createInterface } from 'node:readline';

export type Operation = (argument: number) => Promise<object> | object;

/** Cost of one operation of a run. */
export interface Cost {
  /** User and system time of the whole process: all its threads, garbage collector and compiler included. */
  readonly cpuNs: number;
  readonly wallNs: number;
}

export async function answerQuestions(operations: ReadonlyMap<string, Operation>): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name = '', argument] = line.split(' ');
    const operation = operations.get(name);
    const answer = operation === undefined ? { unknown: name } : await operation(Number(argument));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

export async function costPerOperation(count: number, run: () => unknown): Promise<Cost> {
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { cpuNs: ((user + system) * 1_000) / count, wallNs: Number(process.hrtime.bigint() - start) / count };
}

/** Bytes that each of `count` things occupies, once garbage is gone. Needs `--expose-gc`. */
export async function bytesPerThing(count: number, create: () => unknown): Promise<{ readonly bytes: number }> {
  const before = await liveBytes();
  const kept = await create();
  const bytes = (await liveBytes()) - before;
  retained = kept;
  return { bytes: bytes / count };
}

/** Holds what was measured until after the measurement. */
export let retained: unknown;

async function liveBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('start the contender with --expose-gc');
  // A collection may leave finalisers and weak references to the next one.
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Sums up, and looks at, what a run has computed: a contender that skips work must not win. */
export function expectEqual(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)} instead of ${String(expected)}`);
}
