/** Checks of request parameters that revisions share. Each returns what is wrong, or undefined. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { LogLevel } from '../request-context.ts';

/** From the least grave to the gravest. */
export const LOG_LEVELS: readonly LogLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** What a server tells of its own accord when something of it has changed. */
export const CHANGE_NOTIFICATIONS: readonly string[] = [
  'notifications/tools/list_changed',
  'notifications/resources/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/updated',
];

export type ParamsProblem = (params: JsonObject) => string | undefined;

/** `_meta`, which every request may have. */
export const metaProblem: ParamsProblem = ({ _meta: meta }) => {
  if (meta === undefined) return undefined;
  if (!isJsonObject(meta)) return 'params._meta must be an object';
  const { progressToken: token } = meta;
  if (token === undefined || typeof token === 'string' || Number.isSafeInteger(token)) return undefined;
  return 'params._meta.progressToken must be a string or an integer';
};

/** What comes back from a client that was asked for input (2026-07-28), beside the parameters of its request. */
export function withInput(problem: ParamsProblem): ParamsProblem {
  return (params) => {
    const { inputResponses, requestState } = params;
    if (inputResponses !== undefined && !isJsonObject(inputResponses)) return 'params.inputResponses must be an object';
    if (requestState !== undefined && typeof requestState !== 'string') return 'params.requestState must be a string';
    return problem(params);
  };
}

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

/** A call that may ask to become a task (2025-11-25). */
export function withTask(problem: ParamsProblem): ParamsProblem {
  return (params) => {
    const { task } = params;
    if (task === undefined) return problem(params);
    if (!isJsonObject(task)) return 'params.task must be an object';
    const { ttl } = task;
    const isTime = typeof ttl === 'number' && Number.isFinite(ttl) && ttl >= 0;
    return ttl === undefined || isTime ? problem(params) : 'params.task.ttl must be a number of milliseconds';
  };
}

/** `resources/read`, and what else names one resource. */
export const readProblem: ParamsProblem = (params) => {
  if (typeof params['uri'] !== 'string') return 'params.uri must be a string: the URI of a resource';
  return metaProblem(params);
};

/** `prompts/get`; which arguments there are is the prompt's to say. */
export const promptProblem: ParamsProblem = (params) => {
  if (typeof params['name'] !== 'string') return 'params.name must be a string: the name of a prompt';
  return textsProblem(params['arguments'], 'params.arguments') ?? metaProblem(params);
};

const refMembers: ReadonlyMap<unknown, string> = new Map([
  ['ref/prompt', 'name'],
  ['ref/resource', 'uri'],
]);

/** `completion/complete`. */
export const completeProblem: ParamsProblem = (params) => {
  const { ref, argument, context } = params;
  if (!isJsonObject(ref)) return 'params.ref must be an object';
  const named = refMembers.get(ref['type']);
  if (named === undefined) return "params.ref.type must be 'ref/prompt' or 'ref/resource'";
  if (typeof ref[named] !== 'string') return `params.ref.${named} must be a string`;
  if (!isJsonObject(argument)) return 'params.argument must be an object';
  for (const member of ['name', 'value']) {
    if (typeof argument[member] !== 'string') return `params.argument.${member} must be a string`;
  }
  if (context !== undefined && !isJsonObject(context)) return 'params.context must be an object';
  return textsProblem(context?.['arguments'], 'params.context.arguments') ?? metaProblem(params);
};

/** `subscriptions/listen`. */
export const listenProblem: ParamsProblem = (params) => {
  const place = 'params.notifications';
  const filter = params['notifications'];
  if (!isJsonObject(filter)) return `${place} must be an object`;
  for (const member of ['toolsListChanged', 'resourcesListChanged', 'promptsListChanged']) {
    const value = filter[member];
    if (value !== undefined && typeof value !== 'boolean') return `${place}.${member} must be true or false`;
  }
  const uris = filter['resourceSubscriptions'];
  if (uris !== undefined && !(Array.isArray(uris) && uris.every((uri) => typeof uri === 'string'))) {
    return `${place}.resourceSubscriptions must be an array of strings`;
  }
  const tasks = filter['taskIds'];
  if (tasks !== undefined && !(Array.isArray(tasks) && tasks.every((id) => typeof id === 'string'))) {
    return `${place}.taskIds must be an array of strings`;
  }
  return metaProblem(params);
};

/** `tasks/get`, `tasks/cancel`. */
export const taskProblem: ParamsProblem = (params) => {
  if (typeof params['taskId'] !== 'string') return 'params.taskId must be a string: the id of a task';
  return metaProblem(params);
};

/** `tasks/update`. */
export const taskUpdateProblem: ParamsProblem = (params) => {
  if (!isJsonObject(params['inputResponses'])) return 'params.inputResponses must be an object';
  return taskProblem(params);
};

/** `logging/setLevel`. */
export const levelProblem: ParamsProblem = (params) => {
  if (!LOG_LEVELS.includes(params['level'] as LogLevel)) return `params.level must be one of ${LOG_LEVELS.join(', ')}`;
  return metaProblem(params);
};

function textsProblem(value: unknown, place: string): string | undefined {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return `${place} must be an object`;
  return Object.values(value).every((each) => typeof each === 'string') ? undefined : `${place} must have strings only`;
}

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
