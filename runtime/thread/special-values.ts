/** Specials to values and back, without the codec that carries them. */

import type { CrossingClass } from './crossing.ts';
import {
  AGGREGATE_ERROR,
  ARRAY_BUFFER,
  BUFFER,
  BYTES,
  DATE,
  DICTIONARY,
  ERROR,
  errorKinds,
  FIRST_HOST_TAG,
  NEGATIVE_ZERO,
  PART,
  REGEXP,
  SET,
  Special,
  STANDS_FOR,
  TEXT,
  VIEW,
  viewKinds,
} from './special.ts';

type Body = readonly unknown[];
export type BodyOf = (value: any) => Body;

/** How the values of a class become specials, by their constructor. */
export function bodies(classes: readonly CrossingClass[]): ReadonlyMap<unknown, BodyOf> {
  const table = new Map<unknown, BodyOf>([
    [Special, (special: Special) => special.body],
    [Date, (date: Date) => [DATE, date.getTime()]],
    [Set, (set: ReadonlySet<unknown>) => [SET, ...set]],
    [RegExp, ({ source, flags }: RegExp) => [REGEXP, source, flags]],
    [ArrayBuffer, (buffer: ArrayBuffer) => [BYTES, ARRAY_BUFFER, Buffer.from(buffer)]],
  ]);
  for (const [kind, Kind] of viewKinds.entries()) {
    // A Buffer crosses as msgpack's own binary.
    if (kind === ARRAY_BUFFER || kind === BUFFER) continue;
    table.set(Kind, ({ buffer, byteOffset, byteLength }: ArrayBufferView) => [
      BYTES,
      kind,
      Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
    ]);
  }
  for (const { class: Class, tag, encode } of classes) {
    table.set(Class, (value) => [FIRST_HOST_TAG + tag, encode(value)]);
  }
  return table;
}

/** What the reader needs to know to rebuild what is no plain data. */
export interface Rebuilding {
  readonly classes: ReadonlyMap<number, CrossingClass>;
  readonly decodeSpecial: (data: unknown) => unknown;
  readonly parts: ReadonlyMap<number, ArrayBufferLike>;
}

export function rebuild(body: Body, host: Rebuilding): unknown {
  const tag = body[0] as number;
  switch (tag) {
    case TEXT:
      return (body[1] as Buffer).toString('utf16le');
    case NEGATIVE_ZERO:
      return -0;
    case DICTIONARY:
      return dictionary(body);
    case ERROR:
      return errorOf(body);
    case DATE:
      return new Date(body[1] as number);
    case SET:
      return new Set(body.slice(1));
    case REGEXP:
      return new RegExp(body[1] as string, body[2] as string);
    case BYTES:
      return viewOf(body[1] as number, body[2] as Buffer);
    case VIEW: {
      const [, kind, buffer, byteOffset, length] = body as [number, number, ArrayBuffer, number, number];
      return kind === BUFFER
        ? Buffer.from(buffer, byteOffset, length)
        : new viewKinds[kind]!(buffer, byteOffset, length);
    }
    case PART: {
      const part = host.parts.get(body[1] as number);
      if (part === undefined) throw new RangeError(`a buffer that was sent beside the message did not arrive`);
      return part;
    }
    case STANDS_FOR:
      return host.decodeSpecial(body[1]);
    default: {
      const known = host.classes.get(tag - FIRST_HOST_TAG);
      if (known === undefined) throw new RangeError(`no class has the tag ${tag - FIRST_HOST_TAG} on this thread`);
      return known.decode(body[1]);
    }
  }
}

/** The bytes are a copy that nobody else has, and begin where its buffer begins. */
function viewOf(kind: number, bytes: Buffer): unknown {
  const { buffer, byteLength } = bytes;
  if (kind === ARRAY_BUFFER) return buffer;
  const Kind = viewKinds[kind]!;
  return new Kind(buffer, 0, byteLength / (Kind.BYTES_PER_ELEMENT ?? 1));
}

function dictionary(body: Body): object {
  const object: Record<string, unknown> = {};
  for (let i = 1; i < body.length; i += 2) define(object, body[i] as string, body[i + 1], true);
  return object;
}

function errorOf(body: Body): Error {
  const kind = body[1] as number;
  const { stackTraceLimit } = Error;
  // The stack that counts is that of the sender.
  Error.stackTraceLimit = 0;
  const error = kind === AGGREGATE_ERROR ? new AggregateError([]) : new errorKinds[kind]!();
  Error.stackTraceLimit = stackTraceLimit;
  for (let i = 2; i < body.length; i += 3) {
    const [enumerable, name, value] = body.slice(i, i + 3) as [boolean, string, unknown];
    if (enumerable || (error as unknown as Record<string, unknown>)[name] !== value)
      define(error, name, value, enumerable);
  }
  return error;
}

function define(object: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, name, { value, enumerable, writable: true, configurable: true });
}
