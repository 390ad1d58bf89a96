/** Checks of request parameters that revisions share. Each returns what is wrong, or undefined. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';

export type ParamsProblem = (params: JsonObject) => string | undefined;

/** `_meta`, which every request may have. */
export const metaProblem: ParamsProblem = ({ _meta: meta }) => {
  if (meta === undefined) return undefined;
  if (!isJsonObject(meta)) return 'params._meta must be an object';
  const { progressToken: token } = meta;
  if (token === undefined || typeof token === 'string' || Number.isSafeInteger(token)) return undefined;
  return 'params._meta.progressToken must be a string or an integer';
};

/** Lists with pages. */
export const listProblem: ParamsProblem = (params) => {
  if (params['cursor'] !== undefined && typeof params['cursor'] !== 'string') return 'params.cursor must be a string';
  return metaProblem(params);
};

/** `tools/call`; the arguments themselves are the tool's to judge. */
export const toolCallProblem: ParamsProblem = (params) => {
  if (typeof params['name'] !== 'string') return 'params.name must be a string: the name of a tool';
  const args = params['arguments'];
  if (args !== undefined && !isJsonObject(args)) return 'params.arguments must be an object';
  return metaProblem(params);
};

/** `initialize` of the sessions era. */
export function initializeProblem(capabilities: readonly string[]): ParamsProblem {
  return (params) => {
    if (typeof params['protocolVersion'] !== 'string') return 'params.protocolVersion must be a string';
    return (
      capabilitiesProblem(params['capabilities'], 'params.capabilities', capabilities) ??
      implementationProblem(params['clientInfo'], 'params.clientInfo') ??
      metaProblem(params)
    );
  };
}

/** The capabilities of a client: an object of objects; those that nobody has named here may be anything. */
export function capabilitiesProblem(value: unknown, place: string, known: readonly string[]): string | undefined {
  if (!isJsonObject(value)) return `${place} must be an object`;
  for (const name of known) {
    if (Object.hasOwn(value, name) && !isJsonObject(value[name])) return `${place}.${name} must be an object`;
  }
  return undefined;
}

export function implementationProblem(value: unknown, place: string): string | undefined {
  if (!isJsonObject(value)) return `${place} must be an object`;
  for (const name of ['name', 'version']) {
    if (typeof value[name] !== 'string') return `${place}.${name} must be a string`;
  }
  return undefined;
}
