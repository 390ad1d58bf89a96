import { answerQuestions, type Operation } from '../../contender-program.ts';

/** Tells the driver where the server listens, and what CPU time and memory this process has used so far. */
export function answerForServer(url: string): Promise<never> {
  return answerQuestions(
    new Map<string, Operation>([
      ['address', () => ({ url })],
      [
        'resident',
        () => {
          globalThis.gc?.();
          globalThis.gc?.();
          return { bytes: process.memoryUsage.rss() };
        },
      ],
      [
        'cpu',
        () => {
          const { user, system } = process.cpuUsage();
          return { cpuUs: user + system };
        },
      ],
    ]),
  );
}
