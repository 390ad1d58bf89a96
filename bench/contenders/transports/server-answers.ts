import { answerQuestions, type Operation } from '../../contender-program.ts';

/** Tells the driver where the server listens, its CPU time so far in microseconds, and its memory in bytes. */
export function answerForServer(address: object): Promise<never> {
  return answerQuestions(
    new Map<string, Operation>([
      ['address', () => address],
      [
        'cpu',
        () => {
          const { user, system } = process.cpuUsage();
          return { value: user + system };
        },
      ],
      [
        'memory',
        async () => {
          for (let i = 0; i < 3; i++) {
            globalThis.gc?.();
            await new Promise((resolve) => setImmediate(resolve));
          }
          return { value: process.memoryUsage.rss() };
        },
      ],
    ]),
  );
}
