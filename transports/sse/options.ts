import { type HttpOptions, resolveHttpOptions } from '../http/options.ts';
import { TransportOptionError } from '../limits.ts';

export interface ResolvedSseOptions {
  readonly path: string;
  readonly messagePath: string;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
}

type Given = Pick<HttpOptions, 'path' | 'allowedHosts' | 'allowedOrigins'> & { readonly messagePath?: string };

/** @throws {TransportOptionError} if an option is not what it must be. */
export function resolveSseOptions(given: Given): ResolvedSseOptions {
  const { path = '/sse', messagePath = '/messages', allowedHosts, allowedOrigins } = given;
  const resolved = resolveHttpOptions({
    path,
    ...(allowedHosts && { allowedHosts }),
    ...(allowedOrigins && { allowedOrigins }),
  });
  if (!/^\/[^?#\s]*$/.test(messagePath) || messagePath === path) {
    const problem = `must begin with '/', have no query and not be path, not be ${JSON.stringify(messagePath)}`;
    throw new TransportOptionError('messagePath', problem);
  }
  return { path, messagePath, allowedHosts: resolved.allowedHosts, allowedOrigins: resolved.allowedOrigins };
}
