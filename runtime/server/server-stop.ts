import { isDeepStrictEqual } from 'node:util';
import type { Messaging } from '../kernel/context.ts';
import { CallError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Dest } from '../kernel/pid.ts';
import { SYSTEM_TAG, SystemRequest } from './sys-requests.ts';

/**
 * Orders a server to run `terminate` and exit with the reason, default `'normal'`, and waits until it has
 * (gen_server:stop/1,3). Its supervisor takes that for an exit like any other: stop a supervised process with
 * `terminateChild`.
 *
 * Rejects with `CallError`: `ERR_CALL_NOPROC`; `ERR_CALL_EXIT` with its real reason if it exits with another one;
 * `ERR_CALL_TIMEOUT` after `timeoutMs`, default `'infinity'`, and then it may still stop; `ERR_CALL_SELF`.
 */
export async function stopServer(
  caller: Pick<Messaging, 'call'>,
  dest: Dest,
  reason: ExitReason = 'normal',
  timeoutMs: number | 'infinity' = 'infinity',
): Promise<'ok'> {
  try {
    const request = new SystemRequest({ request: 'terminate', reason, wait: true });
    await caller.call(dest as Dest<any>, SYSTEM_TAG, request, { timeoutMs });
  } catch (error) {
    const ended = error instanceof CallError && error.code === 'ERR_CALL_EXIT';
    if (!ended || !isDeepStrictEqual(error.reason, reason)) throw error;
  }
  return 'ok';
}
