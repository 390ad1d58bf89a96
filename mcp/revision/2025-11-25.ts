/** MCP 2025-11-25: sessions opened by `initialize`. */

import { isJsonObject } from '../json-rpc.ts';
import type { ListedTool, Revision } from './contract.ts';
import {
  CHANGE_NOTIFICATIONS,
  completeProblem,
  initializeProblem,
  levelProblem,
  listProblem,
  metaProblem,
  promptProblem,
  readProblem,
  taskProblem,
  toolCallProblem,
  withTask,
} from './params.ts';

const clientCapabilities = ['roots', 'sampling', 'elicitation', 'tasks', 'experimental'];

export const revision20251125: Revision = {
  version: '2025-11-25',
  era: 'sessions',
  batches: false,
  resumption: 'polling',
  tasks: {
    form: 'core',
    capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
  },
  requests: new Map([
    ['initialize', { problem: initializeProblem(clientCapabilities) }],
    ['ping', { problem: metaProblem }],
    ['tools/list', { problem: listProblem, capability: 'tools' }],
    ['tools/call', { problem: withTask(toolCallProblem), capability: 'tools' }],
    ['resources/list', { problem: listProblem, capability: 'resources' }],
    ['resources/templates/list', { problem: listProblem, capability: 'resources' }],
    ['resources/read', { problem: readProblem, capability: 'resources' }],
    ['resources/subscribe', { problem: readProblem, capability: 'resources' }],
    ['resources/unsubscribe', { problem: readProblem, capability: 'resources' }],
    ['prompts/list', { problem: listProblem, capability: 'prompts' }],
    ['prompts/get', { problem: promptProblem, capability: 'prompts' }],
    ['completion/complete', { problem: completeProblem, capability: 'completions' }],
    ['logging/setLevel', { problem: levelProblem, capability: 'logging' }],
    ['tasks/get', { problem: taskProblem }],
    ['tasks/result', { problem: taskProblem }],
    ['tasks/list', { problem: listProblem }],
    ['tasks/cancel', { problem: taskProblem }],
  ]),
  clientNotifications: new Set(['notifications/initialized', 'notifications/cancelled']),
  serverNotifications: new Set([
    'notifications/progress',
    'notifications/message',
    'notifications/tasks/status',
    ...CHANGE_NOTIFICATIONS,
  ]),
  clientCapabilities,

  listedTool: ({ outputSchema, ...tool }: ListedTool) =>
    describesObject(outputSchema) ? { ...tool, outputSchema } : tool,
  listed: (item) => item,
  content: (block) => block,
  serverInfo: (info) => info,
  result: (body) => body,
  // The schema of this revision has objects only; the text copy of another value still reaches the client.
  toolResult: ({ structuredContent, ...result }) =>
    isJsonObject(structuredContent) ? { ...result, structuredContent } : result,
  error: (error) => error,
  // An answer to a request is a success of HTTP, whatever it says (basic/transports, Sending Messages).
  httpStatus: () => 200,
};

function describesObject(schema: ListedTool['outputSchema']): boolean {
  return schema !== undefined && schema['type'] === 'object';
}
