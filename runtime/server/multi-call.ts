import { checkArray } from '../kernel/arguments.ts';
import type { Messaging } from '../kernel/context.ts';
import { CallError } from '../kernel/errors.ts';
import type { Dest } from '../kernel/pid.ts';
import type { CallPayload, CallReply, CallTag, Payload, Protocol, Tag } from '../kernel/protocol.ts';

/** What `multiCall` brings: who answered what, and who did not, each in the order of `dests`. */
export interface MultiCallResult<P extends Protocol, Reply> {
  readonly replies: readonly { readonly dest: Dest<P>; readonly reply: Reply }[];
  readonly bad: readonly Dest<P>[];
}

/**
 * One request to many servers at once (gen_server:multi_call/2,3,4, for names instead of nodes). Returns who answered
 * what, and who did not: no such process, no reply within `timeoutMs` (default `'infinity'`), or it ended first. Never
 * fails because of one of them.
 */
export async function multiCall<P extends Protocol, T extends CallTag<P>>(
  caller: Pick<Messaging, 'call'>,
  dests: readonly Dest<P>[],
  tag: T,
  payload: CallPayload<P, T>,
  timeoutMs: number | 'infinity' = 'infinity',
): Promise<MultiCallResult<P, CallReply<P, T>>> {
  checkArray(dests, 'dests');
  const calls = dests.map((dest) => caller.call(dest as Dest<any>, tag as string, payload, { timeoutMs }));
  const outcomes = await Promise.allSettled(calls);
  const replies: { dest: Dest<P>; reply: CallReply<P, T> }[] = [];
  const bad: Dest<P>[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const dest = dests[index] as Dest<P>;
    if (outcome.status === 'fulfilled') replies.push({ dest, reply: outcome.value });
    else if (outcome.reason instanceof CallError) bad.push(dest);
    else throw outcome.reason; // a wrong argument, or a caller that has exited
  }
  return { replies, bad };
}

/** One cast to many servers (gen_server:abcast/2,3). Never fails, as `cast` does not. */
export function abcast<P extends Protocol, T extends Tag<P, 'cast'>>(
  caller: Pick<Messaging, 'cast'>,
  dests: readonly Dest<P>[],
  tag: T,
  payload: Payload<P, 'cast', T>,
): 'abcast' {
  checkArray(dests, 'dests');
  for (const dest of dests) caller.cast(dest as Dest<any>, tag as string, payload);
  return 'abcast';
}
