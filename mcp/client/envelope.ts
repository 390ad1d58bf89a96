/** What the messages of a client carry beside their content: `_meta`, HTTP headers. Pure. */

import { encodeHeader, type Headers, SESSION_HEADER, VERSION_HEADER } from '../headers.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { type ParamHeader, paramHeaderValues } from '../param-headers.ts';
import { type Implementation, VERSION_KEY } from '../revision/contract.ts';
import { ruleOf } from './methods.ts';

/** What a client says of itself. */
export interface Identity {
  readonly info: Implementation;
  readonly capabilities: JsonObject;
}

/** The parameters with what a stateless request must say of its client. */
export function enveloped(
  params: JsonObject,
  version: string,
  { info, capabilities }: Identity,
  logLevel: string | undefined,
): JsonObject {
  const meta = isJsonObject(params['_meta']) ? params['_meta'] : {};
  return {
    ...params,
    _meta: {
      ...meta,
      [VERSION_KEY]: version,
      'io.modelcontextprotocol/clientInfo': info,
      'io.modelcontextprotocol/clientCapabilities': withTasks(capabilities),
      ...(logLevel === undefined ? {} : { 'io.modelcontextprotocol/logLevel': logLevel }),
    },
  };
}

/** This client follows tasks, whatever else it can do; only stateless revisions have the extension. */
function withTasks(capabilities: JsonObject): JsonObject {
  const extensions = isJsonObject(capabilities['extensions']) ? capabilities['extensions'] : {};
  return { ...capabilities, extensions: { 'io.modelcontextprotocol/tasks': {}, ...extensions } };
}

export function withProgressToken(params: JsonObject, token: number | undefined): JsonObject {
  if (token === undefined) return params;
  const meta = isJsonObject(params['_meta']) ? params['_meta'] : {};
  return { ...params, _meta: { ...meta, progressToken: token } };
}

const accepts = 'application/json, text/event-stream';

/** The headers of a POST of the stateless era: they repeat what the body says. */
export function statelessHeaders(
  method: string,
  params: JsonObject,
  version: string,
  paramHeaders: readonly ParamHeader[],
): Headers {
  const source = ruleOf(method).name;
  const name = source === undefined ? undefined : params[source];
  const args = isJsonObject(params['arguments']) ? params['arguments'] : {};
  return {
    accept: accepts,
    'content-type': 'application/json',
    [VERSION_HEADER]: version,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': encodeHeader(name) } : {}),
    ...paramHeaderValues(paramHeaders, args),
  };
}

/** The headers of a message of a session; before one is open there is neither an id nor a version. */
export function sessionHeaders(
  verb: 'POST' | 'GET' | 'DELETE',
  sessionId: string | undefined,
  version: string | undefined,
  lastEventId?: string,
): Headers {
  return {
    ...(verb === 'POST' ? { accept: accepts, 'content-type': 'application/json' } : {}),
    ...(verb === 'GET' ? { accept: 'text/event-stream' } : {}),
    ...(sessionId === undefined ? {} : { [SESSION_HEADER]: sessionId }),
    ...(version === undefined ? {} : { [VERSION_HEADER]: version }),
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
}
