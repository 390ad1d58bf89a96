import { type HttpOptions, resolveHttpOptions } from '../http/options.ts';
import { Rules } from '../http/rules.ts';
import type { WebSocketLimits } from '../limits.ts';
import type { TlsOptions } from '../tls.ts';

export interface ResolvedWebSocketOptions {
  readonly path: string;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly tls: TlsOptions | undefined;
}

type Given = Pick<HttpOptions, 'path' | 'allowedHosts' | 'allowedOrigins'>;

/** @throws {TransportOptionError} if an option is not what it must be. */
export function resolveWebSocketOptions(given: Given, tls: TlsOptions | undefined): ResolvedWebSocketOptions {
  const { path = '/mcp', allowedHosts, allowedOrigins } = given;
  const resolved = resolveHttpOptions({
    path,
    ...(allowedHosts && { allowedHosts }),
    ...(allowedOrigins && { allowedOrigins }),
  });
  return { path, allowedHosts: resolved.allowedHosts, allowedOrigins: resolved.allowedOrigins, tls };
}

export function rulesOf(options: ResolvedWebSocketOptions, limits: WebSocketLimits): Rules {
  const { path, allowedHosts, allowedOrigins } = options;
  const { messageBytesMax, headersMax, headerBytesMax } = limits;
  return new Rules({ path, allowedHosts, allowedOrigins, messageBytesMax, headersMax, headerBytesMax });
}
