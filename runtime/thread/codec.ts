/**
 * Frames to bytes and back: msgpackr, in batches, with records whose keys cross once. One encoder and one decoder
 * belong together for good, since each batch builds on the records of those before; see the README.
 */

import { addExtension, Packr, Unpackr } from 'msgpackr/pack';
import type { Frame } from './channel.ts';
import type { CrossingClass, CrossingRules } from './crossing.ts';
import { escapeKeys } from './escape-keys.ts';
import { fromRuns, intoRuns } from './frame-runs.ts';
import { type BodyOf, bodies, type Rebuilding, rebuild } from './special-values.ts';

/** msgpack leaves the types from 128 on to its own future; users of msgpackr have those below. */
const SPECIAL_TYPE = 0xb5;
/** msgpackr: start the next batch where this one starts. */
const RESET_BUFFER_MODE = 1_024;
/** A larger buffer for encoding is given back. */
const ENCODE_BUFFER_BYTES = 1_024 * 1_024;

/** Who encodes or decodes now: the extension of msgpackr is one for all. */
let encoding: ReadonlyMap<unknown, BodyOf> | undefined;
let decoding: Decoder | undefined;
let bodyOf: BodyOf = () => [];

/** Stands in msgpackr's list of classes for all values that one of our encoders makes a special of. */
function SpecialValue(): void {}
Object.defineProperty(SpecialValue, Symbol.hasInstance, {
  value: (value: object) => {
    if (encoding === undefined) return false;
    const found = encoding.get(value.constructor);
    if (found === undefined) return false;
    bodyOf = found;
    return true;
  },
});

addExtension({
  Class: SpecialValue,
  type: SPECIAL_TYPE,
  write: (value: unknown) => bodyOf(value),
  read: (body: readonly unknown[]) => decoding?.rebuild(body),
});

type Structures = (readonly string[] & { nextId?: number })[];

/** What of msgpackr's settings both sides must have. It changes the object it is given, so each gets its own. */
function settings(): object {
  return { useRecords: true, sequential: true, useBigIntExtension: true, useToJSON: false, copyBuffers: true };
}

/** Keys with lone surrogates, which UTF-8 loses: the frames must go through `escapeKeys`. */
export class IllFormedKeyError extends Error {
  override readonly name = 'IllFormedKeyError';
}

export class Encoder {
  private fresh = false;
  private packr: Packr;
  private known: (readonly string[])[] = [];
  private readonly table: ReadonlyMap<unknown, BodyOf>;

  constructor(rules: CrossingRules) {
    this.table = bodies(rules.classes ?? []);
    this.packr = newPackr();
  }

  /**
   * Encodes checked frames. The bytes are good until the next call of any encoder of the thread. What throws here,
   * such as a getter, leaves the records in pieces: the encoder begins anew.
   *
   * @param keysChecked These frames come from `escapeKeys`.
   */
  encode(frames: readonly Frame[], keysChecked: boolean): Uint8Array {
    encoding = this.table;
    try {
      const bytes = this.packr.pack(intoRuns(frames), RESET_BUFFER_MODE);
      if (!keysChecked) this.checkKeys();
      if (bytes.length > ENCODE_BUFFER_BYTES) this.packr.useBuffer(Buffer.allocUnsafeSlow(8_192));
      return bytes;
    } catch (error) {
      this.packr = newPackr();
      this.known = [];
      this.fresh = true;
      throw error;
    } finally {
      encoding = undefined;
    }
  }

  /** Whether the batch encoded last begins anew: the decoder must forget its records first. */
  takeFresh(): boolean {
    const { fresh } = this;
    this.fresh = false;
    return fresh;
  }

  /** For frames that `encode` refused with an `IllFormedKeyError`. */
  escapeKeys(frames: readonly Frame[]): Frame[] {
    return frames.map((frame) => escapeKeys(frame, this.table) as Frame);
  }

  /** Keys are encoded once, with their record, so that is when to look at them. */
  private checkKeys(): void {
    const structures = (this.packr as unknown as { structures: Structures }).structures;
    let changed = 0;
    for (let i = 0; i < structures.length; i++) {
      const keys = structures[i];
      if (keys === undefined || keys === this.known[i]) continue;
      this.known[i] = keys;
      changed++;
      for (const key of keys) if (!key.isWellFormed()) throw new IllFormedKeyError(JSON.stringify(key));
    }
    // As many new records as there is room for: some may have come and gone unseen.
    if (changed === structures.length && changed >= RECORDS_MAX) throw new IllFormedKeyError('perhaps');
  }
}

/** msgpackr keeps as many records. */
const RECORDS_MAX = 64;

function newPackr(): Packr {
  return new Packr({
    ...settings(),
    maxOwnStructures: RECORDS_MAX,
    writeFunction: () => {
      throw new TypeError('a function turned up in a message after it was checked');
    },
  });
}

export class Decoder implements Rebuilding {
  readonly classes: ReadonlyMap<number, CrossingClass>;
  readonly decodeSpecial: (data: unknown) => unknown;
  parts: ReadonlyMap<number, ArrayBufferLike> = new Map();
  private unpackr: Unpackr;
  private failure: { readonly error: unknown } | undefined;

  constructor(rules: CrossingRules) {
    this.classes = new Map(rules.classes?.map((each) => [each.tag, each]));
    this.decodeSpecial = (data) => {
      if (rules.decodeSpecial === undefined) throw new RangeError('nothing here knows what this object stands for');
      return rules.decodeSpecial(data);
    };
    this.unpackr = new Unpackr(settings());
  }

  /** The encoder began anew. */
  reset(): void {
    this.unpackr = new Unpackr(settings());
  }

  /**
   * The frames of a batch, from the first `length` bytes. A frame with something that can not be rebuilt is left out,
   * and `onLost` is told.
   */
  decode(
    bytes: Uint8Array,
    length: number,
    parts: ReadonlyMap<number, ArrayBufferLike>,
    onLost: (error: unknown) => void,
  ): unknown[][] {
    decoding = this;
    this.parts = parts;
    this.failure = undefined;
    let frames: unknown[][];
    try {
      frames = fromRuns(this.unpackr.unpack(bytes, length) as unknown[][]);
    } finally {
      decoding = undefined;
    }
    if (this.failure === undefined) return frames;
    const { error } = this.failure as { readonly error: unknown };
    return frames.filter((frame) => {
      const whole = !containsLost(frame);
      if (!whole) onLost(error);
      return whole;
    });
  }

  /** Never throws, since the records of the rest of the batch must be read. */
  rebuild(body: readonly unknown[]): unknown {
    try {
      return rebuild(body, this);
    } catch (error) {
      this.failure ??= { error };
      return lost;
    }
  }
}

/** Stands where something could not be rebuilt. */
const lost = new Error('lost');

function containsLost(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value === lost) return true;
  if (value instanceof Map) return [...value].flat().some(containsLost);
  if (value instanceof Set) return [...value].some(containsLost);
  if (ArrayBuffer.isView(value)) return false;
  return Object.values(value).some(containsLost) || (value instanceof Error && containsLost(value.cause));
}
