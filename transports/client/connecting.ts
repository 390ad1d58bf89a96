import type { Clock } from '../../runtime/index.ts';

/** Waits until `begin` has called one of its two; rejects with `ETIMEDOUT` if that takes longer than `timeoutMs`. */
export async function connectedWithin(
  timeoutMs: number,
  clock: Clock,
  begin: (ready: () => void, fail: (error: Error) => void) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.setTimer(() => {
      reject(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    begin(
      () => {
        clock.clearTimer(timer);
        resolve();
      },
      (error) => {
        clock.clearTimer(timer);
        reject(error);
      },
    );
  });
}
