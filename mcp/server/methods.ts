/** From a request to what is to be done about it: an answer, or work for a process of its own. Pure. */

import { errorObject, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import { isJsonObject, type JsonObject, type RequestMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import type { Revision } from '../revision/contract.ts';
import type { Catalog } from './catalog.ts';
import { completionComplete } from './methods/completion-complete.ts';
import { discover } from './methods/discover.ts';
import { initialize } from './methods/initialize.ts';
import { listOf } from './methods/lists.ts';
import { loggingSetLevel } from './methods/logging-set-level.ts';
import { failed, type MethodCall, type MethodHandler, type Outcome } from './methods/outcome.ts';
import { ping } from './methods/ping.ts';
import { promptsGet } from './methods/prompts-get.ts';
import { resourcesRead } from './methods/resources-read.ts';
import { resourcesSubscribe, resourcesUnsubscribe } from './methods/resources-subscribe.ts';
import { subscriptionsListen } from './methods/subscriptions-listen.ts';
import { taskMethod, tasksList } from './methods/tasks.ts';
import { toolsCall } from './methods/tools-call.ts';

/** What can be done; which of it a client may ask for is in its revision. */
const handlers: ReadonlyMap<string, MethodHandler> = new Map([
  ['initialize', initialize],
  ['ping', ping],
  ['server/discover', discover],
  ['tools/list', listOf('tools')],
  ['tools/call', toolsCall],
  ['resources/list', listOf('resources')],
  ['resources/templates/list', listOf('resourceTemplates')],
  ['resources/read', resourcesRead],
  ['resources/subscribe', resourcesSubscribe],
  ['resources/unsubscribe', resourcesUnsubscribe],
  ['prompts/list', listOf('prompts')],
  ['prompts/get', promptsGet],
  ['completion/complete', completionComplete],
  ['logging/setLevel', loggingSetLevel],
  ['subscriptions/listen', subscriptionsListen],
  ['tasks/get', taskMethod('get')],
  ['tasks/update', taskMethod('update')],
  ['tasks/cancel', taskMethod('cancel')],
  ['tasks/result', taskMethod('result')],
  ['tasks/list', tasksList],
]);

const noParams: JsonObject = Object.freeze({});

/**
 * Decides about a request that the era router has let through. See `MethodCall` for what is known of it beside.
 * `status` of an error is the HTTP status of its answer.
 */
export function handleRequest(
  { method, params = noParams }: Pick<RequestMessage, 'method' | 'params'>,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
  { headers, granted }: Pick<MethodCall, 'headers' | 'granted'>,
): Outcome {
  const rule = revision.requests.get(method);
  const handler = handlers.get(method);
  const offered = rule?.capability === undefined || catalog.capabilities[rule.capability] !== undefined;
  if (rule === undefined || handler === undefined || !offered) {
    return failed(errorObject(METHOD_NOT_FOUND, `no method ${quoted(method)} here`), revision);
  }
  const problem = isJsonObject(params) ? rule.problem(params) : 'params must be an object';
  if (problem !== undefined) return failed(errorObject(INVALID_PARAMS, problem), revision);
  return handler({ params: params as JsonObject, catalog, revision, limits, headers, granted });
}
