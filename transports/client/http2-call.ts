import { validateHeaderValue } from 'node:http';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { CarrierOutlet } from './carrier-outlet.ts';
import type { ExchangeRequest } from './exchange-carrier.ts';
import { type Http2Link, speaksNoHttp2 } from './http2-link.ts';
import { cutOff, joinedHeaders, ResponseReader } from './response-reader.ts';

/** Codes of RFC 9113, section 7; `node:http2` is loaded by who makes the session. */
const NO_ERROR = 0;
const REFUSED_STREAM = 7;
const CANCEL = 8;

interface CallOptions extends ExchangeRequest {
  readonly messageBytesMax: number;
}

/** One exchange as a stream of the session. */
export class Http2Call {
  private readonly link: Http2Link;
  private readonly options: CallOptions;
  private readonly reader: ResponseReader;
  private session: ClientHttp2Session;
  private stream: ClientHttp2Stream;
  private again = false;

  /** Throws if a header is none that HTTP allows. */
  constructor(link: Http2Link, options: CallOptions, outlet: CarrierOutlet, ended: () => void) {
    this.link = link;
    this.options = options;
    this.reader = new ResponseReader(options.exchange, outlet, options.messageBytesMax, ended);
    // As node:http does; node:http2 would send it, and the server would end the stream.
    for (const [name, value] of Object.entries(options.headers)) validateHeaderValue(name, value);
    this.session = link.current();
    this.stream = this.open();
  }

  /** Nobody wants it any more: the server sees a stream that was reset. */
  abort(): void {
    this.reader.stop();
    this.stream.close(CANCEL);
  }

  /** The owner has handled texts. */
  pump(): void {
    this.reader.pump();
  }

  private open(): ClientHttp2Stream {
    const { method, headers, body } = this.options;
    const { pathname, search } = this.link.url;
    const fields = { ...headers, ':method': method, ':path': `${pathname}${search}` };
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const stream = this.session.request({ ...fields, ...length }, { endStream: body === undefined });
    let failure: Error | undefined;
    stream
      .on('response', (head) => this.respond(stream, head))
      .on('error', (error) => {
        failure = error.cause instanceof Error ? error.cause : error;
      })
      .on('close', () => this.closed(stream, failure));
    if (body !== undefined) stream.end(body);
    return stream;
  }

  private respond(
    stream: ClientHttp2Stream,
    headers: IncomingHttpHeaders & { readonly ':status'?: number | undefined },
  ): void {
    // A stream that is reset ends too. That it came to its end must not be said of it.
    stream.on('end', () => {
      if (stream.rstCode !== NO_ERROR || stream.aborted) this.reader.fail(cutOff(), true);
    });
    this.reader.read(headers[':status'] ?? 0, joinedHeaders(headers), stream);
  }

  /**
   * A stream that is refused, such as one after the last that GOAWAY names, was not seen by the server (RFC 9113,
   * section 8.7). Once it is sent again without a word, on a new session if this one is closed.
   */
  private closed(stream: ClientHttp2Stream, failure: NodeJS.ErrnoException | undefined): void {
    const refused = stream.rstCode === REFUSED_STREAM;
    if (this.reader.isOver) return;
    if (refused && !this.again) {
      this.again = true;
      this.session = this.link.current();
      this.stream = this.open();
      return;
    }
    const sent = !refused && this.link.wasConnected(this.session);
    this.reader.fail(unreached(failure ?? cutOff(), this.link.url), sent);
  }
}

/** A code that begins with `ERR_` says of a request that it cannot be sent. These are about the server. */
function unreached(error: NodeJS.ErrnoException, url: URL): NodeJS.ErrnoException {
  const { code = '', message } = error;
  if (code.endsWith('NO_APPLICATION_PROTOCOL')) return speaksNoHttp2(url);
  return code.startsWith('ERR_HTTP2_') ? Object.assign(new Error(message), { code: 'ECONNRESET' }) : error;
}
