import { isUtf8 } from 'node:buffer';
import { ByteQueue } from './byte-queue.ts';

/** One line, or why there is none to show. A line that is too long or not UTF-8 counts as a line all the same. */
export type Line = string | LineFault;
export type LineFault = { readonly fault: 'message_too_long' | 'invalid_utf8' };

export const LINE_TOO_LONG: LineFault = { fault: 'message_too_long' };
export const LINE_NOT_UTF8: LineFault = { fault: 'invalid_utf8' };

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/**
 * Cuts a byte stream into lines of bounded length. Bytes go in with `push`, lines come out with `next` when the
 * reader has room for them: what is not asked for stays here, so that a reader who stops asking stops the stream.
 *
 * `\n` and `\r\n` end a line; blank lines are skipped.
 * Of a line past `lineBytesMax` nothing is kept: it is reported once, and the stream goes on after its end.
 */
export class LineSplitter {
  private readonly lineBytesMax: number;
  private chunk: Buffer | undefined;
  private at = 0;
  /** The start of a line whose end has not come. */
  private readonly partial = new ByteQueue();
  private skipping = false;

  constructor(lineBytesMax: number) {
    this.lineBytesMax = lineBytesMax;
  }

  /** Whether `next` has been through all bytes pushed. */
  get isEmpty(): boolean {
    return this.chunk === undefined;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.chunk = this.chunk === undefined ? chunk : Buffer.concat([this.chunk.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** The next line, or undefined when the bytes so far hold no further one. */
  next(): Line | undefined {
    while (this.chunk !== undefined) {
      const end = this.chunk.indexOf(NEWLINE, this.at);
      if (end === -1) return this.keepRest(this.chunk);
      const start = this.at;
      const line = this.take(this.chunk, start, end);
      this.at = end + 1;
      if (this.at === this.chunk.length) this.chunk = undefined;
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** The bytes come to an end: what follows the last line end is a line all the same. `isEmpty` must be true. */
  last(): Line | undefined {
    const whole = this.partial.take();
    return whole.length === 0 ? undefined : this.decode(whole, 0, whole.length);
  }

  /** All bytes that no line was made of, for another reader; none are kept. */
  rest(): Buffer {
    if (this.chunk !== undefined) this.partial.append(this.chunk.subarray(this.at));
    this.chunk = undefined;
    return this.partial.take();
  }

  /** What came after the last line end is not whole: it waits for the next chunk, or is too long already. */
  private keepRest(chunk: Buffer): Line | undefined {
    const rest = chunk.subarray(this.at);
    this.chunk = undefined;
    if (this.skipping) return undefined;
    // One byte more than the bound may be the \r of a line end that is still to come.
    if (this.partial.length + rest.length <= this.lineBytesMax + 1) {
      this.partial.append(rest);
      return undefined;
    }
    this.partial.clear();
    this.skipping = true;
    return LINE_TOO_LONG;
  }

  private take(chunk: Buffer, start: number, end: number): Line | undefined {
    if (this.skipping) {
      this.skipping = false;
      return undefined;
    }
    if (this.partial.length === 0) return this.decode(chunk, start, end);
    if (this.partial.length + end - start > this.lineBytesMax + 1) {
      this.partial.clear();
      return LINE_TOO_LONG;
    }
    this.partial.append(chunk.subarray(start, end));
    const whole = this.partial.take();
    return this.decode(whole, 0, whole.length);
  }

  private decode(bytes: Buffer, start: number, lineEnd: number): Line | undefined {
    const end = lineEnd > start && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    if (end - start > this.lineBytesMax) return LINE_TOO_LONG;
    const line = bytes.subarray(start, end);
    if (!isUtf8(line)) return LINE_NOT_UTF8;
    const text = line.toString('utf8');
    return text.trim() === '' ? undefined : text;
  }
}
