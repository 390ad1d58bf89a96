/** MCP 2026-07-28: no sessions; every request says in `_meta` what its client is and can. */

import {
  type ErrorObject,
  errorObject,
  HEADER_MISMATCH,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  MISSING_REQUIRED_CLIENT_CAPABILITY,
  PARSE_ERROR,
  RESOURCE_NOT_FOUND,
  UNSUPPORTED_PROTOCOL_VERSION,
  URL_ELICITATION_REQUIRED,
} from '../errors.ts';
import type { JsonObject } from '../json-rpc.ts';
import type { LogLevel } from '../request-context.ts';
import { type Envelope, type Implementation, type Revision, TASKS_EXTENSION, VERSION_KEY } from './contract.ts';
import { without } from './members.ts';
import {
  CHANGE_NOTIFICATIONS,
  capabilitiesProblem,
  completeProblem,
  implementationProblem,
  LOG_LEVELS,
  listenProblem,
  listProblem,
  metaProblem,
  promptProblem,
  readProblem,
  taskProblem,
  taskUpdateProblem,
  toolCallProblem,
  withInput,
} from './params.ts';

const serverInfoKey = 'io.modelcontextprotocol/serverInfo';
const clientInfoKey = 'io.modelcontextprotocol/clientInfo';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
const logLevelKey = 'io.modelcontextprotocol/logLevel';
const placeOf = (key: string): string => `params._meta["${key}"]`;
const capabilitiesPlace = placeOf(capabilitiesKey);

const clientCapabilities = ['roots', 'sampling', 'elicitation', 'extensions', 'experimental'];

/** What the specification says about the HTTP status; every other error answers with 200. */
const statusOf: ReadonlyMap<number, number> = new Map([
  [PARSE_ERROR, 400],
  [INVALID_REQUEST, 400],
  [METHOD_NOT_FOUND, 404],
  [HEADER_MISMATCH, 400],
  [MISSING_REQUIRED_CLIENT_CAPABILITY, 400],
  [UNSUPPORTED_PROTOCOL_VERSION, 400],
]);

export const revision20260728: Revision = {
  version: '2026-07-28',
  era: 'stateless',
  batches: false,
  resumption: 'none',
  tasks: { form: 'extension', capabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
  requests: new Map([
    ['server/discover', { problem: metaProblem }],
    ['tools/list', { problem: listProblem, capability: 'tools' }],
    ['tools/call', { problem: withInput(toolCallProblem), capability: 'tools', nameHeader: 'name' }],
    ['resources/list', { problem: listProblem, capability: 'resources' }],
    ['resources/templates/list', { problem: listProblem, capability: 'resources' }],
    ['resources/read', { problem: withInput(readProblem), capability: 'resources', nameHeader: 'uri' }],
    ['prompts/list', { problem: listProblem, capability: 'prompts' }],
    ['prompts/get', { problem: withInput(promptProblem), capability: 'prompts', nameHeader: 'name' }],
    ['completion/complete', { problem: completeProblem, capability: 'completions' }],
    ['subscriptions/listen', { problem: listenProblem }],
    ['tasks/get', { problem: taskProblem, nameHeader: 'taskId' }],
    ['tasks/update', { problem: taskUpdateProblem, nameHeader: 'taskId' }],
    ['tasks/cancel', { problem: taskProblem, nameHeader: 'taskId' }],
  ]),
  clientNotifications: new Set(['notifications/cancelled']),
  serverNotifications: new Set([
    'notifications/progress',
    'notifications/message',
    'notifications/tasks',
    ...CHANGE_NOTIFICATIONS,
  ]),
  clientCapabilities,

  readEnvelope: (meta) => {
    const problem = envelopeProblem(meta);
    return problem === undefined ? { envelope: envelopeOf(meta) } : { error: errorObject(INVALID_PARAMS, problem) };
  },
  listedTool: (tool) => without(tool, ['execution']),
  listed: (item) => item,
  content: (block) => block,
  serverInfo: (info) => info,
  result: (body, server, caching) => ({ resultType: 'complete', ...body, ...caching, _meta: signature(body, server) }),
  toolResult: (result, server) => ({ resultType: 'complete', ...result, _meta: signature(result, server) }),
  error: sendableError,
  httpStatus: (code, origin) => {
    // What a tool relays from elsewhere is the answer, not a failure of this exchange. A missing capability is one.
    if (origin === 'code' && code !== MISSING_REQUIRED_CLIENT_CAPABILITY) return 200;
    return statusOf.get(code) ?? 200;
  },
};

function signature({ _meta: meta }: { readonly _meta?: object }, server: Implementation): object {
  return meta === undefined ? { [serverInfoKey]: server } : { ...meta, [serverInfoKey]: server };
}

function envelopeProblem(meta: JsonObject): string | undefined {
  const problem = capabilitiesProblem(meta[capabilitiesKey], capabilitiesPlace, clientCapabilities);
  if (problem !== undefined) return problem;
  const info = meta[clientInfoKey];
  const infoProblem = info === undefined ? undefined : implementationProblem(info, placeOf(clientInfoKey));
  if (infoProblem !== undefined) return infoProblem;
  const level = meta[logLevelKey];
  if (level === undefined || LOG_LEVELS.includes(level as LogLevel)) return undefined;
  return `${placeOf(logLevelKey)} must be one of ${LOG_LEVELS.join(', ')}`;
}

function envelopeOf(meta: JsonObject): Envelope {
  const clientInfo = meta[clientInfoKey] as Implementation | undefined;
  const logLevel = meta[logLevelKey] as LogLevel | undefined;
  return {
    version: meta[VERSION_KEY] as string,
    clientCapabilities: meta[capabilitiesKey] as JsonObject,
    ...(clientInfo === undefined ? {} : { clientInfo }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
}

/** Codes of older revisions and undefined ones of the range that belongs to the specification must not be sent. */
function sendableError(error: ErrorObject): ErrorObject {
  const { code } = error;
  if (code === RESOURCE_NOT_FOUND) return { ...error, code: INVALID_PARAMS };
  const reserved = code >= -32099 && code <= -32020 && !statusOf.has(code);
  return reserved || code === URL_ELICITATION_REQUIRED ? { ...error, code: INTERNAL_ERROR } : error;
}
