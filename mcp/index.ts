/** The Model Context Protocol on supervised processes: `beamish/mcp`. */

export type { ArgumentsOf } from './arguments-of.ts';
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
export type { RequestId } from './json-rpc.ts';
export { MCP_LIMITS, type McpLimits } from './limits.ts';
export type { JsonSchema } from './schema/inspect.ts';
export {
  isMcpServer,
  type McpServer,
  mcpServer,
  type ServerInfo,
  type ServerSpec,
  type ToolDefinition,
} from './server/definition.ts';
export { type McpNodeSpec, mcpNode, type Served } from './server/node.ts';
export {
  type Era,
  type Tool,
  type ToolAnnotations,
  type ToolContext,
  type ToolFunction,
  type ToolSpec,
  tool,
} from './tool.ts';
