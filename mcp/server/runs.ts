/** The processes that work for the requests of a connection, which watches them: so an answer is certain. */

import { CallError, describeExit, type StartChildResult } from '../../runtime/index.ts';
import type { ConnectionContext, ConnectionDown } from '../../transports/transport.ts';
import { errorObject, INTERNAL_ERROR, INVALID_REQUEST } from '../errors.ts';
import { errorMessage, type RequestId } from '../json-rpc.ts';
import { answer, answerUnavailable, type ConnectionState, type Run } from './connection-state.ts';
import { describeWork } from './methods/outcome.ts';

/** Two answers with one id cannot be told apart on a stream; over HTTP each has its own exchange. */
export function refusesId(state: ConnectionState, exchange: number, id: RequestId, ctx: ConnectionContext): boolean {
  if (!state.runOfId.has(id)) return false;
  const error = errorObject(INVALID_REQUEST, `a request with the id ${JSON.stringify(id)} is in flight`);
  answer(state, ctx, exchange, errorMessage(id, error));
  return true;
}

/** The process was started, or its peer is told why not. */
export function runBegan(
  state: ConnectionState,
  started: StartChildResult,
  run: Omit<Run, 'pid'>,
  ctx: ConnectionContext,
): void {
  if ('error' in started || started.ok === undefined) {
    const why = 'error' in started ? describeExit(started.error) : 'ignored';
    answerUnavailable(state, run.exchange, run.id, why, ctx);
    return;
  }
  const begun: Run = { pid: started.ok, ...run };
  state.runs.set(ctx.monitor(started.ok), begun);
  if (state.kind === 'stream') state.runOfId.set(run.id, begun);
}

/** A supervisor that died or is being restarted is no fault of the connection. */
export function unstarted(error: unknown): StartChildResult {
  if (error instanceof CallError) return { error: error.reason };
  throw error;
}

/** The process of a request has ended. If that was not its own orderly end, the peer still waits. */
export function runEnded(state: ConnectionState, { ref, reason }: ConnectionDown, ctx: ConnectionContext): void {
  const run = state.runs.get(ref);
  if (run === undefined) return;
  state.runs.delete(ref);
  if (state.kind === 'stream') state.runOfId.delete(run.id);
  if (reason === 'normal') return;
  const error = errorObject(INTERNAL_ERROR, `${describeWork(run.work)} failed: ${describeExit(reason)}`);
  const status = run.revision.httpStatus(INTERNAL_ERROR, 'code');
  answer(state, ctx, run.exchange, errorMessage(run.id, run.revision.error(error)), { status });
}

/** The peer has left an exchange. */
export function abortRun(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  state.runs.forEach((run) => {
    if (run.exchange === exchange && run.endsWithConnection) ctx.cast(run.pid, 'cancel', { answered: false });
  });
}
