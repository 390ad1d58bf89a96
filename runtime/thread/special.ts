/**
 * What msgpackr has no exact form for crosses as a *special*: an array whose first element, a tag, says what the rest
 * means. `crossing.ts` and `special-encode.ts` make them, `special-decode.ts` makes values of them again.
 */

/** A string with a lone surrogate: its UTF-16. */
export const TEXT = 0;
export const NEGATIVE_ZERO = 1;
/** An object with very many keys, or with one that a record can not have: key, value, key, value … */
export const DICTIONARY = 2;
/** Kind, name, then member, value, member, value … */
export const ERROR = 3;
export const DATE = 4;
export const SET = 5;
export const REGEXP = 6;
/** A view and its bytes, which are copied. */
export const BYTES = 7;
/** A view of a buffer that crosses beside the message: kind, buffer, byte offset, length. */
export const VIEW = 8;
/** A buffer that crosses beside the message: its number. */
export const PART = 9;
/** An object that stands for something, as the host of the codec encoded it. */
export const STANDS_FOR = 10;
/** The tags of the host's classes follow. */
export const FIRST_HOST_TAG = 16;

export class Special {
  readonly body: readonly unknown[];
  constructor(body: readonly unknown[]) {
    this.body = body;
  }
}

/** The kinds of views, by number: both threads run the same version of Node.js, so the tables agree. */
export const viewKinds: readonly ViewClass[] = [
  ArrayBuffer as unknown as ViewClass,
  Buffer as unknown as ViewClass,
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  ...('Float16Array' in globalThis ? [(globalThis as unknown as { Float16Array: ViewClass }).Float16Array] : []),
];
export const ARRAY_BUFFER = 0;
export const BUFFER = 1;

export interface ViewClass {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
  readonly name: string;
}

/** The kind of a view, its subclasses included. */
export function viewKindOf(view: ArrayBufferView): number {
  if (Buffer.isBuffer(view)) return BUFFER;
  // From the last: a Buffer is a Uint8Array.
  for (let kind = viewKinds.length - 1; kind > BUFFER; kind--) if (view instanceof viewKinds[kind]!) return kind;
  throw new TypeError(`${Object.prototype.toString.call(view)} is a view of no known kind`);
}

/** The classes of errors that arrive as what they were; others arrive as an `Error` with their name. */
export const errorKinds: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError as unknown as ErrorConstructor,
];
export const AGGREGATE_ERROR = 7;

export function errorKindOf(error: Error): number {
  for (let kind = errorKinds.length - 1; kind > 0; kind--) if (error instanceof errorKinds[kind]!) return kind;
  return 0;
}
