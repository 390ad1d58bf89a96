/** From a request to what is to be done about it: an answer, or the call of a tool. Pure. */

import { errorObject, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import type { Headers } from '../headers.ts';
import { isJsonObject, type JsonObject, type RequestMessage } from '../json-rpc.ts';
import type { Revision } from '../revision/contract.ts';
import type { Catalog } from './catalog.ts';
import { discover } from './methods/discover.ts';
import { initialize } from './methods/initialize.ts';
import { failed, type MethodHandler, type Outcome } from './methods/outcome.ts';
import { ping } from './methods/ping.ts';
import { toolsCall } from './methods/tools-call.ts';
import { toolsList } from './methods/tools-list.ts';

/** What can be done; which of it a client may ask for is in its revision. */
const handlers: ReadonlyMap<string, MethodHandler> = new Map([
  ['initialize', initialize],
  ['ping', ping],
  ['server/discover', discover],
  ['tools/list', toolsList],
  ['tools/call', toolsCall],
]);

const noParams: JsonObject = Object.freeze({});

/**
 * Decides about a request that the era router has let through. `headers`: those of a stateless request over HTTP.
 * `status` of an error is the HTTP status of its answer.
 */
export function handleRequest(
  { method, params = noParams }: Pick<RequestMessage, 'method' | 'params'>,
  catalog: Catalog,
  revision: Revision,
  headers?: Headers,
): Outcome {
  const rule = revision.requests.get(method);
  const handler = handlers.get(method);
  const offered = rule?.capability === undefined || catalog.capabilities[rule.capability] !== undefined;
  if (rule === undefined || handler === undefined || !offered) {
    return failed(errorObject(METHOD_NOT_FOUND, `no method ${quoted(method)} here`), revision);
  }
  const problem = isJsonObject(params) ? rule.problem(params) : 'params must be an object';
  if (problem !== undefined) return failed(errorObject(INVALID_PARAMS, problem), revision);
  return handler({ params: params as JsonObject, catalog, revision, headers });
}
