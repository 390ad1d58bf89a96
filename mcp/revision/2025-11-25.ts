/** MCP 2025-11-25: sessions opened by `initialize`. */

import { isJsonObject } from '../json-rpc.ts';
import type { ListedTool, Revision } from './contract.ts';
import { initializeProblem, listProblem, metaProblem, toolCallProblem } from './params.ts';

const clientCapabilities = ['roots', 'sampling', 'elicitation', 'tasks', 'experimental'];

export const revision20251125: Revision = {
  version: '2025-11-25',
  era: 'sessions',
  batches: false,
  requests: new Map([
    ['initialize', { problem: initializeProblem(clientCapabilities) }],
    ['ping', { problem: metaProblem }],
    ['tools/list', { problem: listProblem, capability: 'tools' }],
    ['tools/call', { problem: toolCallProblem, capability: 'tools' }],
  ]),
  clientNotifications: new Set(['notifications/initialized', 'notifications/cancelled']),
  serverNotifications: new Set(['notifications/progress']),
  clientCapabilities,

  listedTool: ({ outputSchema, ...tool }: ListedTool) =>
    describesObject(outputSchema) ? { ...tool, outputSchema } : tool,
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
