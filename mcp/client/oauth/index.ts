/** OAuth for MCP clients: `beamish/mcp/client/oauth`. */

export type { Authorization, AuthorizationProtocol, Authorized, Challenge } from '../authorization.ts';
export type { Application, Registration, Tokens } from './grant.ts';
export { type OAuthSpec, type OAuthState, oauthTokens } from './tokens.ts';
