/** A scenario as an Erlang term: OTP's own reader takes it, so that the other side needs no reader of JSON. */

/** Objects are maps with atoms as keys, strings are atoms. */
export function erlangTerm(value: unknown): string {
  if (typeof value === 'string') return atom(value);
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(erlangTerm).join(',')}]`;
  if (typeof value !== 'object' || value === null) throw new TypeError(`no Erlang term for ${String(value)}`);
  const pairs = Object.entries(value).filter(([, field]) => field !== undefined);
  return `#{${pairs.map(([key, field]) => `${atom(key)}=>${erlangTerm(field)}`).join(',')}}`;
}

function atom(text: string): string {
  if (!/^[\x20-\x7e]{0,255}$/.test(text)) throw new TypeError(`no Erlang atom for ${JSON.stringify(text)}`);
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
