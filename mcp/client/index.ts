/** The MCP client on supervised processes: `beamish/mcp/client`. */

export type {
  CallbackContext,
  ClientHandlers,
  ElicitationRequest,
  ElicitationResult,
  Progress,
  Root,
  SamplingRequest,
  SamplingResult,
  ServerNotification,
} from './callbacks.ts';
export { type McpClientSpec, mcpClient } from './client.ts';
export { MCP_CLIENT_CHANNEL, type McpClientEvent } from './events.ts';
export type { McpFailure, Reply } from './failure.ts';
export {
  type CallToolOptions,
  type CompletionReference,
  type CompletionResult,
  clientOf,
  type LogLevel,
  type McpClient,
  type PromptInfo,
  type PromptResult,
  type RequestOptions,
  type ResourceInfo,
  type ResourceTemplateInfo,
  type ToolInfo,
} from './handle.ts';
export { CLIENT_LIMITS, type ClientLimits } from './limits.ts';
export type { Agreed, Negotiation } from './negotiation.ts';
export type { ClientStatus } from './request-call.ts';
