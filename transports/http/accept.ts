/** Which forms of answer a client takes. */
export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}

const EVERYTHING: Accepted = { json: true, stream: true };

/**
 * Reads an Accept header (RFC 9110, section 12.5.1). The most specific range that matches a type decides, `q=0`
 * forbids it; no header accepts everything.
 */
export function parseAccept(header: string | undefined): Accepted {
  if (header === undefined) return EVERYTHING;
  const ranges = new Map<string, boolean>();
  for (const part of header.split(',')) {
    const [range = '', ...parameters] = part.split(';');
    ranges.set(range.trim().toLowerCase(), !parameters.some(isZeroWeight));
  }
  const accepts = (type: string): boolean => {
    const group = `${type.slice(0, type.indexOf('/'))}/*`;
    return ranges.get(type) ?? ranges.get(group) ?? ranges.get('*/*') ?? false;
  };
  return { json: accepts('application/json'), stream: accepts('text/event-stream') };
}

function isZeroWeight(parameter: string): boolean {
  return /^\s*q\s*=\s*0(\.0{0,3})?\s*$/i.test(parameter);
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)"?/i;

/** Whether a Content-Type is JSON in UTF-8 (RFC 8259, section 8.1: JSON has no other encoding). */
export function isJsonType(header: string | undefined): boolean {
  if (header === undefined || !JSON_TYPE.test(header)) return false;
  const charset = CHARSET.exec(header)?.[1];
  return charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset);
}
