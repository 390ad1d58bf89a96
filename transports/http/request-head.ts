import type { IncomingHttpHeaders } from 'node:http';
import { Credentials } from '../credentials.ts';
import type { HttpRequestHead } from '../transport.ts';

/** What the endpoint is told of a request. Secrets do not lie open in a message: it may end in a report. */
export function headOf(
  method: string | undefined,
  headers: IncomingHttpHeaders,
  acceptsStream: boolean,
): HttpRequestHead {
  const { authorization } = headers;
  if (authorization === undefined) return { method, headers, acceptsStream } as HttpRequestHead;
  const { authorization: _secret, ...others } = headers;
  return { method, headers: others, acceptsStream, authorization: new Credentials(authorization) } as HttpRequestHead;
}
