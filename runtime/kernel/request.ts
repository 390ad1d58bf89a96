import { badArgument } from './arguments.ts';
import type { Context, ReceivedMessage } from './context.ts';
import { BadArgError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Dest, Ref } from './pid.ts';

/** The tag of the info message that brings the response to a request. */
export const RESPONSE = 'RESPONSE';

/** A request that was sent (gen_server:send_request/2): means something to the process that sent it only. */
export class RequestId<Reply = unknown> {
  /** Exists for the compiler only. */
  declare readonly replyType?: Reply;
  readonly ref: Ref;
  readonly #abandon: () => void;

  constructor(ref: Ref, abandon: () => void) {
    this.ref = ref;
    this.#abandon = abandon;
  }

  /** Nobody waits any more: a reply that comes from now on is dropped. Not undone. */
  abandon(): void {
    this.#abandon();
  }
}

/** How a request ended: its reply, or why there will be none: `'noproc'`, `'overload'` or the server's exit reason. */
export type Outcome<Reply = unknown> =
  | { readonly reply: Reply }
  | { readonly error: { readonly reason: ExitReason; readonly dest: Dest } };

/** The payload of the info message `RESPONSE`; give it to `checkResponse`. */
export class Response {
  readonly id: RequestId;
  readonly outcome: Outcome;

  constructor(id: RequestId, outcome: Outcome) {
    this.id = id;
    this.outcome = outcome;
  }
}

/** Requests that are waited for together, each with a label (gen_server: request_id_collection). Changed in place. */
export class RequestIds<Label = unknown, Reply = unknown> {
  /** For the functions of this file. */
  readonly labels: Map<RequestId<Reply>, Label> = new Map();
}

/** An outcome with the label of its request. */
export type LabelledOutcome<Label, Reply = unknown> = Outcome<Reply> & { readonly label: Label };

/** An empty collection of requests (gen_server:reqids_new/0). */
export function reqidsNew<Label = unknown, Reply = unknown>(): RequestIds<Label, Reply> {
  return new RequestIds();
}

/** Adds a request under a label, and returns the collection (reqids_add/3). `BadArgError` if it is in there already. */
export function reqidsAdd<Label, Reply>(
  id: RequestId<Reply>,
  label: Label,
  ids: RequestIds<Label, Reply>,
): RequestIds<Label, Reply> {
  checkRequest(id);
  checkCollection(ids);
  if (ids.labels.has(id)) throw new BadArgError(`request ${id.ref} is in the collection already`);
  ids.labels.set(id, label);
  return ids;
}

/** How many requests a collection holds (reqids_size/1). */
export function reqidsSize(ids: RequestIds): number {
  checkCollection(ids);
  return ids.labels.size;
}

/** The requests of a collection with their labels, in the order in which they were added (reqids_to_list/1). */
export function reqidsToList<Label, Reply>(ids: RequestIds<Label, Reply>): [RequestId<Reply>, Label][] {
  checkCollection(ids);
  return [...ids.labels];
}

/**
 * Waits for the response to a request, or to any one of a collection (gen_server:receive_response/2,3). Other messages
 * stay where they are. After `timeoutMs`: `'timeout'`, and the request, or every one of the collection, is given up:
 * what comes later is dropped.
 *
 * A response out of a collection carries the label of its request, which stays in the collection unless `remove` is
 * true. An empty collection gives `'no_request'` at once.
 */
export function receiveResponse<Reply>(
  ctx: Context,
  id: RequestId<Reply>,
  timeoutMs?: number | 'infinity',
): Promise<Outcome<Reply> | 'timeout'>;
export function receiveResponse<Label, Reply>(
  ctx: Context,
  ids: RequestIds<Label, Reply>,
  timeoutMs: number | 'infinity',
  remove: boolean,
): Promise<LabelledOutcome<Label, Reply> | 'timeout' | 'no_request'>;
export async function receiveResponse(
  ctx: Context,
  from: RequestId | RequestIds,
  timeoutMs: number | 'infinity' = 'infinity',
  remove = false,
): Promise<unknown> {
  const outcome = await wait(ctx, from, timeoutMs, remove);
  if (outcome !== 'timeout') return outcome;
  for (const id of from instanceof RequestIds ? from.labels.keys() : [from]) id.abandon();
  return wait(ctx, from, 0, remove); // a response may have come between the end of the time and now
}

/**
 * As `receiveResponse`, but after `'timeout'` the requests stand: they can be waited for again
 * (gen_server:wait_response/2,3).
 */
export function waitResponse<Reply>(
  ctx: Context,
  id: RequestId<Reply>,
  timeoutMs?: number | 'infinity',
): Promise<Outcome<Reply> | 'timeout'>;
export function waitResponse<Label, Reply>(
  ctx: Context,
  ids: RequestIds<Label, Reply>,
  timeoutMs: number | 'infinity',
  remove: boolean,
): Promise<LabelledOutcome<Label, Reply> | 'timeout' | 'no_request'>;
export function waitResponse(
  ctx: Context,
  from: RequestId | RequestIds,
  timeoutMs: number | 'infinity' = 'infinity',
  remove = false,
): Promise<unknown> {
  return wait(ctx, from, timeoutMs, remove);
}

/**
 * Whether a message is the response to a request, or to one of a collection (gen_server:check_response/2,3); for
 * `handleInfo.RESPONSE`, with its payload. `'no_reply'` if it is of another request, `'no_request'` for an empty
 * collection. `remove` as in `receiveResponse`.
 */
export function checkResponse<Reply>(response: unknown, id: RequestId<Reply>): Outcome<Reply> | 'no_reply';
export function checkResponse<Label, Reply>(
  response: unknown,
  ids: RequestIds<Label, Reply>,
  remove: boolean,
): LabelledOutcome<Label, Reply> | 'no_reply' | 'no_request';
export function checkResponse(response: unknown, from: RequestId | RequestIds, remove = false): unknown {
  if (!(from instanceof RequestIds)) {
    checkRequest(from);
    return response instanceof Response && response.id === from ? response.outcome : 'no_reply';
  }
  if (from.labels.size === 0) return 'no_request';
  return response instanceof Response && from.labels.has(response.id) ? labelled(response, from, remove) : 'no_reply';
}

async function wait(
  ctx: Context,
  from: RequestId | RequestIds,
  timeoutMs: number | 'infinity',
  remove: boolean,
): Promise<unknown> {
  const all = from instanceof RequestIds ? from : null;
  if (all === null) checkRequest(from);
  if (all !== null && all.labels.size === 0) return 'no_request';
  const isMeant = ({ payload }: ReceivedMessage): boolean =>
    payload instanceof Response && (all === null ? payload.id === from : all.labels.has(payload.id));
  const message = await ctx.receive(isMeant, timeoutMs);
  if (message === 'timeout') return message;
  const response = message.payload as Response;
  return all === null ? response.outcome : labelled(response, all, remove);
}

function checkRequest(id: unknown): void {
  if (!(id instanceof RequestId)) throw badArgument('the request', 'what sendRequest returned', id);
}

function checkCollection(ids: unknown): void {
  if (!(ids instanceof RequestIds)) throw badArgument('the collection', 'what reqidsNew returned', ids);
}

function labelled(response: Response, ids: RequestIds, remove: boolean): LabelledOutcome<unknown> {
  const label = ids.labels.get(response.id);
  if (remove) ids.labels.delete(response.id);
  return { ...response.outcome, label };
}
