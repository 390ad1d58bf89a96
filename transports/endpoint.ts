import type { Endpoint, EndpointSpec } from './transport.ts';

/** The endpoint of a transport cannot be used. The message names the module, the export and what is wrong with it. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly code = 'ERR_ENDPOINT';
}

const CALLBACKS = ['init', 'handleInbound', 'handleAbort', 'handleDown'] as const;

/**
 * Imports the endpoint of a specification.
 *
 * @throws {EndpointError} if the module cannot be imported, lacks the export, or the export is no endpoint.
 */
export async function loadEndpoint(spec: EndpointSpec): Promise<Endpoint> {
  const exports = (await importModule(spec.module)) as Record<string, unknown>;
  const where = `endpoint '${spec.exportName}' of ${spec.module}`;
  if (!Object.hasOwn(exports, spec.exportName)) throw new EndpointError(`${where}: the module has no such export`);
  const endpoint = exports[spec.exportName] as Partial<Record<string, unknown>> | null;
  for (const callback of CALLBACKS) {
    if (typeof endpoint?.[callback] === 'function') continue;
    throw new EndpointError(`${where}: it must be an object with a function '${callback}'`);
  }
  return endpoint as unknown as Endpoint;
}

async function importModule(module: string): Promise<object> {
  try {
    return (await import(module)) as object;
  } catch (cause) {
    throw new EndpointError(`endpoint module ${module} cannot be imported: ${String(cause)}`, { cause });
  }
}
