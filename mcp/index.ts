/** The Model Context Protocol on supervised processes: `beamish/mcp`. */

export type { ArgumentsOf } from './arguments-of.ts';
export type { Principal } from './authorization/principal.ts';
export type { AuthorizationSpec, VerifyInfo, VerifyToken } from './authorization/resource-server.ts';
export { TokenError, type TokenErrorCode } from './authorization/token-error.ts';
export type { Complete } from './completion.ts';
export {
  type AudioContent,
  audio,
  type ContentAnnotations,
  type ContentBlock,
  content,
  type EmbeddedResource,
  embeddedResource,
  type Icon,
  type ImageContent,
  image,
  type ResourceContents,
  type ResourceLink,
  resourceLink,
  structured,
  type TextContent,
  type ToolResult,
  text,
  toolError,
} from './content.ts';
export {
  DefinitionError,
  HEADER_MISMATCH,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  McpError,
  METHOD_NOT_FOUND,
  MISSING_REQUIRED_CLIENT_CAPABILITY,
  PARSE_ERROR,
  RESOURCE_NOT_FOUND,
  UNSUPPORTED_PROTOCOL_VERSION,
  URL_ELICITATION_REQUIRED,
} from './errors.ts';
export {
  type ElicitAnswer,
  type ElicitUrlAnswer,
  elicit,
  elicitUrl,
  type InputAnswers,
  type InputQuestion,
  listRoots,
  type RootsAnswer,
  type SampleAnswer,
  type SampleSpec,
  type SamplingContent,
  type SamplingMessage,
  sample,
} from './input.ts';
export type { RequestId } from './json-rpc.ts';
export { MCP_LIMITS, type McpLimits } from './limits.ts';
export {
  isMountedServer,
  type MountableServer,
  type MountedServer,
  type MountFactory,
  type MountSpec,
  type MountTransport,
  mountedServer,
} from './mount/mounted.ts';
export {
  assistantMessage,
  type Prompt,
  type PromptArgument,
  type PromptArguments,
  type PromptFunction,
  type PromptMessage,
  type PromptResult,
  type PromptSpec,
  prompt,
  userMessage,
} from './prompt.ts';
export type { Era, LogLevel, RequestContext, ServerAddress } from './request-context.ts';
export {
  type Resource,
  type ResourceFunction,
  type ResourceResult,
  type ResourceSpec,
  type ResourceTemplate,
  type ResourceTemplateFunction,
  type ResourceTemplateSpec,
  resource,
  resourceTemplate,
} from './resource.ts';
export type { JsonSchema } from './schema/inspect.ts';
export {
  fromModule,
  isMcpServer,
  type McpServer,
  mcpServer,
  type PromptDefinition,
  type ResourceDefinition,
  type ServerInfo,
  type ServerSpec,
  type TemplateDefinition,
  type ToolDefinition,
} from './server/definition.ts';
export { type McpNodeSpec, mcpNode, type Served } from './server/node.ts';
export { changeServer, resourceUpdated, type ServerChange } from './server/server-change.ts';
export type { ToolModule } from './server/tool-module.ts';
export {
  type TaskSupport,
  type Tool,
  type ToolAnnotations,
  type ToolContext,
  type ToolFunction,
  type ToolSpec,
  tool,
} from './tool.ts';
