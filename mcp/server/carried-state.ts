/** A request that asks its client, and what the client carries from one round to the next: made, checked and opened. */

import type { Context } from '../../runtime/index.ts';
import { principalKey } from '../authorization/principal.ts';
import { INTERNAL_ERROR, McpError, quoted } from '../errors.ts';
import { resultMessage } from '../json-rpc.ts';
import { revisionOf } from '../revision/registry.ts';
import { type Catalog, viewOf } from './catalog.ts';
import { METHOD_OF } from './jobs.ts';
import { catalogTableOf, sessionName } from './node-names.ts';
import type { RequestProtocol, RequestStart } from './request.ts';
import { type InputPort, RequestInput } from './request-input.ts';
import { openState, type RequestState, type StateBinding, sealState } from './request-state.ts';
import type { RequestStream } from './request-stream.ts';
import type { WorkRequest } from './work-request.ts';

type Ctx = Context<RequestProtocol>;

/** What `requestState` is bound to. */
export function bindingOf({
  server,
  work,
  principal,
}: Pick<WorkRequest, 'server' | 'work' | 'principal'>): StateBinding {
  const params = 'args' in work ? [work.name, work.args] : [work.name];
  return { principal: principalKey(principal), server, method: METHOD_OF[work.kind], params };
}

const nothingCarried: RequestState = { expiresAt: 0, rounds: [], partial: {} };

/** What the client has carried here, or what is wrong with it. */
export function carriedState(
  { stateKeys, limits }: RequestStart,
  request: WorkRequest,
  ctx: Ctx,
): RequestState | string {
  const { state } = request.input;
  // Where nothing is carried, a parameter of that name means nothing.
  if (state === undefined || request.asks === 'on_stream') return nothingCarried;
  const long = state.length > limits.requestStateLengthMax;
  const opened = long ? 'invalid' : openState(state, bindingOf(request), stateKeys, wallMs(ctx));
  if (opened === 'expired') return 'params.requestState has expired: begin without it';
  return opened === 'invalid' ? 'params.requestState is none that this server has made for this request' : opened;
}

/** Other nodes, and other lives of this one, must agree on the time. */
export function wallMs(ctx: Pick<Context, 'clock'>): number {
  return performance.timeOrigin + ctx.clock.now();
}

export function requestInput(
  { node, limits, stateKeys }: RequestStart,
  request: WorkRequest,
  opened: RequestState | string,
  stream: RequestStream,
  waits: (waiting: boolean) => void,
  ctx: Ctx,
): RequestInput {
  const { clientCapabilities, work, session, version, input, id } = request;
  const revision = revisionOf(version)!;
  const given = {
    asks: request.asks,
    inSession: session !== undefined,
    clientCapabilities,
    allowed: work.kind !== 'completion',
    state: typeof opened === 'string' ? nothingCarried : opened,
    responses: input.responses,
  };
  const port: InputPort = {
    send: (message) => stream.before(message),
    expect: (asked) => {
      if (session !== undefined) ctx.cast(sessionName(node, session.id), 'expect', { id: asked, pid: ctx.self });
    },
    waits,
    require: (inputRequests, found) => {
      const expiresAt = wallMs(ctx) + limits.requestStateMs;
      const requestState = sealState({ ...found, expiresAt }, bindingOf(request), stateKeys);
      const catalog = ctx.table<string, Catalog>(catalogTableOf(node))?.get(request.server);
      if (catalog === undefined)
        throw new McpError(INTERNAL_ERROR, `the server ${quoted(request.server)} is restarting`);
      const body = { resultType: 'input_required', inputRequests, requestState };
      stream.end(resultMessage(id, revision.result(body, viewOf(catalog, revision).serverInfo)), undefined);
      ctx.send(ctx.self, 'suspended');
    },
  };
  return new RequestInput(given, port, limits);
}
