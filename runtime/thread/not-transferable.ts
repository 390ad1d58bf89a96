import { EventEmitter } from 'node:events';
import { types } from 'node:util';

/**
 * A message that can not go to another thread; nothing was sent. The text names the path of what can not cross, and
 * what to send instead.
 */
export class NotTransferableError extends Error {
  override readonly name = 'NotTransferableError';
  readonly code = 'ERR_NOT_TRANSFERABLE';

  /** For a message that is nested too deeply: circular, perhaps. */
  static ofDepth(frame: readonly unknown[], name: string, field: number, depthMax: number): NotTransferableError {
    const circle = circlePath(frame[field], [], []);
    if (circle !== undefined) {
      const [path, target] = circle;
      const [where, to] = [describePath(name, path), describePath(name, target)];
      return new NotTransferableError(`${where} is ${to} again: a circular structure can not cross; send ids instead`);
    }
    return new NotTransferableError(`${name} is nested more than ${depthMax} deep: send it flat, or as text`);
  }
}

/** The problem of a value below the bound of depth. */
export const tooDeep = 'is nested too deeply';

/** Why a value can not cross, for those that never can. */
export function problemOf(value: unknown): string | undefined {
  if (typeof value === 'function') {
    return 'is a function; functions can not cross to another thread: send data, or the name of an export of a module';
  }
  if (typeof value === 'symbol') return 'is a symbol, which no other thread has: send a string';
  if (typeof value !== 'object' || value === null) return undefined;
  if (types.isPromise(value) || hasThen(value)) return 'is a promise: await it, and send what it brings';
  if (types.isWeakMap(value) || types.isWeakSet(value) || value instanceof WeakRef) {
    return 'holds weak references, which end at the thread: send what it refers to';
  }
  if (value instanceof EventEmitter || value instanceof EventTarget) {
    return 'is a stream or another source of events, which stays on its thread: send the data, or a pid that serves it';
  }
  if (types.isGeneratorObject(value)) return 'is a generator: send an array of what it yields';
  if (types.isBoxedPrimitive(value)) return 'is a boxed primitive: send the primitive itself';
  if (types.isExternal(value) || types.isModuleNamespaceObject(value)) return 'is no data: send its parts';
  return undefined;
}

function hasThen(value: object): boolean {
  return typeof (value as { then?: unknown }).then === 'function';
}

const identifier = /^[A-Za-z_$][\w$]*$/;

/** `payload.users[3].callback`. Parts that name no member, such as `get(…)`, are kept as they are. */
export function describePath(name: string, path: readonly (string | number)[]): string {
  let text = name;
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (part === '') continue;
    else if (identifier.test(part) || part.startsWith('get(')) text += `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

type Path = readonly (string | number)[];

/** The first object that contains itself: its path inside itself, and the path of itself. */
function circlePath(value: unknown, above: readonly object[], path: Path): readonly [Path, Path] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const at = above.indexOf(value);
  if (at >= 0) return [path, path.slice(0, at)];
  const members: [string | number, unknown][] = types.isMap(value)
    ? [...value].map(([key, each]) => [`get(${String(key)})`, each])
    : types.isSet(value)
      ? [...[...value].entries()]
      : Array.isArray(value)
        ? [...value.entries()]
        : Object.entries(value);
  const deeper = [...above, value];
  for (const [key, member] of members) {
    const found = circlePath(member, deeper, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
