import { HTTP_LIMITS, type HttpLimits, resolveLimits, TransportOptionError } from '../limits.ts';
import { Rules } from './rules.ts';

/** What both forms of the HTTP transport can be told, beside any bound of `HttpLimits` (defaults in `HTTP_LIMITS`). */
export interface HttpOptions extends Partial<HttpLimits> {
  /** Default `'http'`. */
  readonly id?: string;
  /** The endpoint's path. Default `'/mcp'`. */
  readonly path?: string;
  /**
   * The hosts that a Host header may name, with a port (must be equal) or without (any port). Default: what arrives
   * on a loopback address must name `localhost`, `127.0.0.1` or `[::1]`; what arrives elsewhere may name anything.
   */
  readonly allowedHosts?: readonly string[];
  /**
   * The origins (`https://app.example`) whose pages may call; they are answered with CORS headers, preflight
   * included. Default: none, but pages of `localhost`, `127.0.0.1` and `[::1]` may where they arrive on a loopback
   * address. A request without Origin comes from no page and is not concerned.
   */
  readonly allowedOrigins?: readonly string[];
}

export interface ResolvedHttpOptions {
  readonly id: string;
  readonly path: string;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly limits: HttpLimits;
}

/** @throws {TransportOptionError} if an option is not what it must be. */
export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
  const { id = 'http', path = '/mcp', allowedHosts, allowedOrigins } = options;
  if (!/^\/[^?#\s]*$/.test(path)) {
    throw new TransportOptionError('path', `must begin with '/' and have no query, not ${JSON.stringify(path)}`);
  }
  for (const origin of allowedOrigins ?? []) {
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/i.test(origin)) {
      throw new TransportOptionError(
        'allowedOrigins',
        `must hold origins such as 'https://app.example', not ${JSON.stringify(origin)}`,
      );
    }
  }
  for (const host of allowedHosts ?? []) {
    if (typeof host !== 'string' || host === '' || host.includes('/')) {
      throw new TransportOptionError(
        'allowedHosts',
        `must hold hosts such as 'mcp.example', not ${JSON.stringify(host)}`,
      );
    }
  }
  return { id, path, allowedHosts, allowedOrigins, limits: resolveLimits(HTTP_LIMITS, options) };
}

export function rulesOf({ path, allowedHosts, allowedOrigins, limits }: ResolvedHttpOptions): Rules {
  const { messageBytesMax, headersMax, headerBytesMax } = limits;
  return new Rules({ path, allowedHosts, allowedOrigins, messageBytesMax, headersMax, headerBytesMax });
}
