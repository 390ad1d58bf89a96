/**
 * What may cross to another thread. One walk over a message before it is encoded: it refuses what can not cross, by
 * its path, and replaces what msgpackr can not carry as it is. A message that needs nothing is not copied.
 */

import { types } from 'node:util';
import { CROSSING_BESIDE_BYTES, CROSSING_BYTES_MAX, CROSSING_DEPTH_MAX, CROSSING_RECORD_KEYS } from '../limits.ts';
import { errorMembers } from './error-members.ts';
import { describePath, NotTransferableError, problemOf, tooDeep } from './not-transferable.ts';
import {
  DICTIONARY,
  ERROR,
  errorKindOf,
  FIRST_HOST_TAG,
  NEGATIVE_ZERO,
  PART,
  Special,
  STANDS_FOR,
  TEXT,
  VIEW,
  viewKindOf,
  viewKinds,
} from './special.ts';
import { isMarked, takeMarked } from './transfer.ts';

/** A class of the host whose instances cross as data. */
export interface CrossingClass {
  readonly class: abstract new (...args: never[]) => object;
  /** 0 to 100, the same in all threads. */
  readonly tag: number;
  encode(value: any): unknown;
  decode(data: any): unknown;
  /**
   * `encode` returns nothing but numbers, booleans, null, well-formed strings, and arrays of those: it is called when
   * the batch is encoded, and its result is not looked at. Default false.
   */
  readonly flat?: boolean;
}

export interface CrossingRules {
  readonly classes?: readonly CrossingClass[];
  /**
   * Asked about an object that would be refused: the data that stands for it, or undefined. On the other side
   * `decodeSpecial` gets a copy of that data.
   */
  encodeSpecial?(value: object): unknown;
  decodeSpecial?(data: any): unknown;
  /** The name of a field of a frame, for messages of errors. Default `frame[4]`. */
  fieldName?(frame: readonly unknown[], index: number): string;
}

/** A buffer that crosses beside the message, and its number. */
export interface Part {
  readonly number: number;
  readonly buffer: ArrayBufferLike;
}

/** What it takes to hand a buffer over, as it is counted: memory that is shared is not moved. */
export function partBytes(buffer: ArrayBufferLike): number {
  return buffer instanceof SharedArrayBuffer ? SHARED_PART_BYTES : buffer.byteLength;
}

const SHARED_PART_BYTES = 64;

/** The value may cross as it is. */
const KEEP = Symbol('keep');
const REFUSED = Symbol('refused');
const hasOwn = Object.prototype.hasOwnProperty;
const negativeZero = new Special([NEGATIVE_ZERO]);
const viewClasses: ReadonlySet<unknown> = new Set(viewKinds);

export class Crossing {
  /** About how many bytes the last frame takes. */
  bytes = 0;
  /** The buffers that cross beside the last frame. */
  parts: Part[] = [];
  private problem: string | undefined;
  private path: (string | number)[] = [];
  private taken = new Map<ArrayBufferLike, number>();
  private copies: Part[] = [];
  private nextPart = 0;
  private readonly rules: CrossingRules;
  private readonly classes: ReadonlyMap<unknown, CrossingClass>;

  constructor(rules: CrossingRules) {
    this.rules = rules;
    this.classes = new Map(rules.classes?.map((each) => [each.class, each]));
  }

  /** The frame to encode: the same, or a copy with replacements. Throws `NotTransferableError`. */
  check(frame: readonly unknown[]): readonly unknown[] {
    this.bytes = 0;
    if (this.parts.length > 0) this.parts = [];
    if (this.copies.length > 0) this.copies = [];
    if (this.taken.size > 0) this.taken.clear();
    let crossed: unknown;
    try {
      crossed = this.walkArray(frame, CROSSING_DEPTH_MAX);
      if (crossed !== REFUSED && this.taken.size + this.copies.length > 0) this.takeParts();
    } catch (error) {
      this.forget();
      throw new NotTransferableError('the message can not be read: looking at it threw', { cause: error });
    }
    if (crossed === KEEP) return frame;
    if (crossed !== REFUSED) return crossed as readonly unknown[];
    const error = this.refusal(frame);
    this.forget();
    throw error;
  }

  /** Where the frame was refused, and why. */
  private refusal(frame: readonly unknown[]): NotTransferableError {
    const [field, ...rest] = this.path as [number, ...(string | number)[]];
    const name = this.rules.fieldName?.(frame, field) ?? `frame[${field}]`;
    const problem = this.problem === tooDeep ? undefined : this.problem;
    if (problem !== undefined) return new NotTransferableError(`${describePath(name, rest)} ${problem}`);
    return NotTransferableError.ofDepth(frame, name, field, CROSSING_DEPTH_MAX);
  }

  private forget(): void {
    this.problem = undefined;
    this.path = [];
    this.parts = [];
    this.copies = [];
    this.taken.clear();
  }

  private refuse(problem: string): typeof REFUSED {
    this.problem = problem;
    return REFUSED;
  }

  private walk(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.bytes += value.length;
        return value.isWellFormed() ? KEEP : new Special([TEXT, Buffer.from(value, 'utf16le')]);
      case 'number':
        return value === 0 && Object.is(value, -0) ? negativeZero : KEEP;
      case 'object':
        return value === null ? KEEP : this.walkObject(value, depth);
      case 'bigint':
        if (BigInt.asIntN(64, value) !== value) this.bytes += value.toString(16).length;
        return KEEP;
      case 'function':
      case 'symbol':
        return this.refuse(problemOf(value)!);
      default:
        return KEEP;
    }
  }

  private walkObject(value: object, depth: number): unknown {
    if (depth === 0) return this.refuse(tooDeep);
    const type: unknown = value.constructor;
    if (type === Object) return this.walkMembers(value as Record<string, unknown>, depth);
    if (type === Array) return this.walkArray(value as unknown[], depth);
    const known = this.classes.get(type);
    if (known !== undefined) return this.walkClass(known, value, depth);
    if (type === Date || type === RegExp) return KEEP;
    if (type === Map) return this.walkMap(value as Map<unknown, unknown>, depth);
    if (type === Set) return this.walkSet(value as Set<unknown>, depth);
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return this.walkBuffer(value);
    if (ArrayBuffer.isView(value)) return this.walkView(value);
    return this.walkRare(value, depth);
  }

  private walkArray(array: readonly unknown[], depth: number): unknown {
    const { length } = array;
    this.bytes += 2 + length * 4;
    if (this.bytes > CROSSING_BYTES_MAX)
      return this.refuse(`is part of a message of more than ${CROSSING_BYTES_MAX} bytes`);
    let copy: unknown[] | undefined;
    for (let i = 0; i < length; i++) {
      const item = array[i];
      if (needsNoLook(item)) continue;
      const crossed = this.walk(item, depth - 1);
      if (crossed === KEEP) continue;
      if (crossed === REFUSED) {
        this.path.unshift(i);
        return REFUSED;
      }
      copy ??= Array.from(array);
      copy[i] = crossed;
    }
    return copy ?? KEEP;
  }

  /** An object by its own enumerable members. */
  private walkMembers(object: Record<string, unknown>, depth: number): unknown {
    let copy: Record<string, unknown> | undefined;
    let count = 0;
    for (const key in object) {
      if (!hasOwn.call(object, key)) continue;
      if (key === '__proto__' || key === '__keys__' || count++ === CROSSING_RECORD_KEYS) {
        return this.walkDictionary(object, depth);
      }
      const member = object[key];
      if (needsNoLook(member)) continue;
      const crossed = this.walk(member, depth - 1);
      if (crossed === KEEP) continue;
      if (crossed === REFUSED) return this.standIn(object, key, depth);
      copy ??= { ...object };
      copy[key] = crossed;
    }
    this.bytes += 2 + count * 4;
    if (this.bytes > CROSSING_BYTES_MAX)
      return this.refuse(`is part of a message of more than ${CROSSING_BYTES_MAX} bytes`);
    return copy ?? KEEP;
  }

  /** Key, value, key, value: for objects that would make poor records, or none. */
  private walkDictionary(object: Record<string, unknown>, depth: number): unknown {
    const pairs: unknown[] = [DICTIONARY];
    for (const key of Object.keys(object)) {
      const crossed = this.walk(object[key], depth - 1);
      if (crossed === REFUSED) return this.standIn(object, key, depth);
      this.bytes += 4 + key.length;
      pairs.push(key.isWellFormed() ? key : this.walk(key, depth), crossed === KEEP ? object[key] : crossed);
    }
    if (this.bytes > CROSSING_BYTES_MAX)
      return this.refuse(`is part of a message of more than ${CROSSING_BYTES_MAX} bytes`);
    return new Special(pairs);
  }

  /** A member can not cross: perhaps the object stands for something that can. */
  private standIn(object: object, key: string, depth: number): unknown {
    const data = this.rules.encodeSpecial?.(object);
    if (data === undefined) {
      this.path.unshift(key);
      return REFUSED;
    }
    this.problem = undefined;
    this.path = [];
    const crossed = this.walk(data, depth - 1);
    if (crossed === REFUSED) return REFUSED;
    return new Special([STANDS_FOR, crossed === KEEP ? data : crossed]);
  }

  private walkClass(known: CrossingClass, value: object, depth: number): unknown {
    this.bytes += 8;
    if (known.flat === true) return KEEP;
    const data = known.encode(value);
    const crossed = this.walk(data, depth - 1);
    if (crossed === REFUSED) return REFUSED;
    return new Special([FIRST_HOST_TAG + known.tag, crossed === KEEP ? data : crossed]);
  }

  private walkMap(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    let changed = false;
    const copy = new Map<unknown, unknown>();
    this.bytes += 4 + map.size * 4;
    for (const [key, value] of map) {
      const crossedKey = this.walk(key, depth - 1);
      if (crossedKey === REFUSED) {
        this.path.unshift('a key of the Map');
        return REFUSED;
      }
      const crossed = this.walk(value, depth - 1);
      if (crossed === REFUSED) {
        this.path.unshift(`get(${problemOf(key) === undefined && typeof key !== 'object' ? String(key) : '…'})`);
        return REFUSED;
      }
      changed ||= crossedKey !== KEEP || crossed !== KEEP;
      copy.set(crossedKey === KEEP ? key : crossedKey, crossed === KEEP ? value : crossed);
    }
    return changed || map.constructor !== Map ? copy : KEEP;
  }

  private walkSet(set: ReadonlySet<unknown>, depth: number): unknown {
    const crossed = this.walkArray([...set], depth - 1);
    if (crossed === REFUSED) return REFUSED;
    if (crossed === KEEP) return set.constructor === Set ? KEEP : new Set(set);
    return new Set(crossed as unknown[]);
  }

  private walkBuffer(buffer: ArrayBufferLike): unknown {
    if (buffer instanceof SharedArrayBuffer || isMarked(buffer)) return new Special([PART, this.partOf(buffer)]);
    if (isDetached(buffer)) return this.refuse('is a detached buffer: its bytes were transferred before');
    this.bytes += buffer.byteLength;
    return buffer.byteLength < CROSSING_BESIDE_BYTES ? KEEP : this.copyBeside(new Uint8Array(buffer));
  }

  private walkView(view: ArrayBufferView): unknown {
    const { buffer } = view;
    if (buffer instanceof SharedArrayBuffer || isMarked(buffer)) {
      const { BYTES_PER_ELEMENT: size = 1 } = view as { BYTES_PER_ELEMENT?: number };
      const part = new Special([PART, this.partOf(buffer)]);
      return new Special([VIEW, viewKindOf(view), part, view.byteOffset, view.byteLength / size]);
    }
    if (isDetached(buffer)) return this.refuse('is a view of a detached buffer: its bytes were transferred before');
    this.bytes += view.byteLength;
    if (view.byteLength >= CROSSING_BESIDE_BYTES) {
      const part = this.copyBeside(new Uint8Array(buffer, view.byteOffset, view.byteLength));
      const { BYTES_PER_ELEMENT: size = 1 } = view as { BYTES_PER_ELEMENT?: number };
      return new Special([VIEW, viewKindOf(view), part, 0, view.byteLength / size]);
    }
    if (viewClasses.has(view.constructor)) return KEEP;
    const Kind = viewKinds[viewKindOf(view)]!;
    return new Kind(buffer, view.byteOffset, view.byteLength / (Kind.BYTES_PER_ELEMENT ?? 1));
  }

  /** Errors, subclasses, objects without a class, unknown classes. */
  private walkRare(value: object, depth: number): unknown {
    if (value instanceof Error) return this.walkError(value, depth);
    if (types.isDate(value)) return new Date(value.getTime());
    if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
    if (types.isMap(value)) return this.walkMap(value, depth);
    if (types.isSet(value)) return this.walkSet(value, depth);
    const problem = problemOf(value);
    if (problem !== undefined) {
      const standIn = this.rules.encodeSpecial?.(value);
      return standIn === undefined ? this.refuse(problem) : this.standIn(value, '', depth);
    }
    // As plain data, so that no class is left in which msgpackr, or an extension that the program gave it, sees more.
    const isArray = Array.isArray(value);
    const crossed = isArray ? this.walkArray(value, depth) : this.walkMembers(value as Record<string, unknown>, depth);
    if (crossed !== KEEP) return crossed;
    return isArray ? Array.from(value) : { ...value };
  }

  /** An error is a report: what of it can not cross is left out, instead of the report. */
  private walkError(error: Error, depth: number): unknown {
    const body: unknown[] = [ERROR, errorKindOf(error)];
    for (const [member, value, enumerable] of errorMembers(error)) {
      const crossed = this.walk(value, depth - 1);
      if (crossed === REFUSED) {
        this.problem = undefined;
        this.path = [];
        continue;
      }
      body.push(enumerable, member, crossed === KEEP ? value : crossed);
    }
    return new Special(body);
  }

  /** One copy, which is handed over, is cheaper than to encode and decode that much. */
  private copyBeside(bytes: Uint8Array): Special {
    const number = this.nextPart++;
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    this.copies.push({ number, buffer: copy.buffer });
    return new Special([PART, number]);
  }

  private partOf(buffer: ArrayBufferLike): number {
    const known = this.taken.get(buffer);
    if (known !== undefined) return known;
    const number = this.nextPart++;
    this.taken.set(buffer, number);
    return number;
  }

  /** Nothing was refused: now the marked buffers leave their owner. */
  private takeParts(): void {
    this.parts = this.copies;
    this.copies = [];
    for (const [buffer, number] of this.taken) {
      this.bytes += partBytes(buffer);
      this.parts.push({ number, buffer: buffer instanceof SharedArrayBuffer ? buffer : takeMarked(buffer) });
    }
  }
}

/** The most frequent values, without a call. */
function needsNoLook(value: unknown): boolean {
  return (
    (typeof value === 'number' && value !== 0) || value === undefined || value === null || typeof value === 'boolean'
  );
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true; // the one way to find out on Node.js 20
  }
}
