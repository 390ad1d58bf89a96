/** Batches at a connection: each message is answered for itself, all in the exchange in which they came. */

import { CallError, describeExit, startChild } from '../../runtime/index.ts';
import type { ConnectionContext, ConnectionDown } from '../../transports/transport.ts';
import { errorObject, INTERNAL_ERROR } from '../errors.ts';
import { type BatchMessage, errorMessage, type SingleMessage } from '../json-rpc.ts';
import type { BatchStart } from './batch.ts';
import { answer, type ConnectionState } from './connection-state.ts';

/** Has each message served in an exchange of its own. */
export async function serveBatch(
  state: ConnectionState,
  exchange: number,
  { messages }: BatchMessage,
  serve: (part: number, message: SingleMessage) => Promise<void> | undefined,
  ctx: ConnectionContext,
): Promise<void> {
  const start: BatchStart = { connection: ctx.self, exchange, parts: messages.length };
  const started = await startChild(ctx, state.names.batchSup, start).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if ('error' in started || started.ok === undefined) {
    const why = 'error' in started ? describeExit(started.error) : 'ignored';
    const error = errorObject(INTERNAL_ERROR, `batches are not available: ${why}; try again`);
    return answer(state, ctx, exchange, errorMessage(undefined, error), { status: 503 });
  }
  const to = started.ok;
  const parts = messages.map((_, index) => {
    state.lastPart -= 1;
    state.parts.set(state.lastPart, { to, exchange: index + 1 });
    return state.lastPart;
  });
  state.batches.set(ctx.monitor(to), { exchange, parts });
  for (const [index, message] of messages.entries()) await serve(parts[index]!, message);
}

/** Whether it was the process of a batch that has ended. If not in order, the peer still waits. */
export function batchEnded(state: ConnectionState, { ref, reason }: ConnectionDown, ctx: ConnectionContext): boolean {
  const batch = state.batches.get(ref);
  if (batch === undefined) return false;
  state.batches.delete(ref);
  for (const part of batch.parts) state.parts.delete(part);
  if (reason === 'normal') return true;
  const error = errorObject(INTERNAL_ERROR, `the batch failed: ${describeExit(reason)}`);
  answer(state, ctx, batch.exchange, errorMessage(undefined, error), { status: 500 });
  return true;
}
