import { isUtf8 } from 'node:buffer';

/** A message of the service: one field, the text. */
const TEXT_FIELD = 1;
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** What a message brought. */
export interface DecodedText {
  readonly text: string;
  readonly fault?: 'invalid_utf8';
}

/** `ConnectRequest` and `ConnectResponse` of `mcp.proto`: the same on the wire (Protocol Buffers, encoding). */
export function encodeText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const prefix = [(TEXT_FIELD << 3) | LENGTH_DELIMITED];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) {
      prefix.push(rest);
      break;
    }
    prefix.push((rest & 0x7f) | 0x80);
  }
  const bytes = Buffer.allocUnsafe(prefix.length + length);
  bytes.set(prefix);
  bytes.write(text, prefix.length, 'utf8');
  return bytes;
}

/** Skips fields that a later version may add; of several texts the last counts. */
export function decodeText(bytes: Buffer): DecodedText {
  let at = 0;
  let text: Buffer | undefined;
  const end = (length: number): number => {
    const next = at + length;
    if (next > bytes.length) throw new Error('the message ends within a field');
    return next;
  };
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = bytes[at];
      if (byte === undefined || factor > 2 ** 63) throw new Error('the message has a number that is none');
      at++;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === VARINT) varint();
    else if (type === FIXED64) at = end(8);
    else if (type === FIXED32) at = end(4);
    else if (type === LENGTH_DELIMITED) {
      const next = end(varint());
      if ((tag - type) / 8 === TEXT_FIELD) text = bytes.subarray(at, next);
      at = next;
    } else throw new Error(`the message has a field of the unknown type ${type}`);
  }
  if (text === undefined) return { text: '' };
  return isUtf8(text) ? { text: text.toString('utf8') } : { text: '', fault: 'invalid_utf8' };
}
