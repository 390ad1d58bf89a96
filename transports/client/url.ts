import { TransportOptionError } from '../limits.ts';

interface Given {
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The address and the headers that a client was given; names of headers in lower case.
 *
 * @throws {TransportOptionError} if they are not what they must be.
 */
export function readUrl({ url, headers = {} }: Given, protocols: readonly string[]): Required<Given> & { url: string } {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed === undefined || !protocols.includes(parsed.protocol)) {
    const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
    throw new TransportOptionError('url', `must be an address that begins with ${beginnings}`);
  }
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (names.some(([, value]) => typeof value !== 'string')) {
    throw new TransportOptionError('headers', 'must be an object of texts');
  }
  return { url: parsed.href, headers: Object.fromEntries(names) };
}
