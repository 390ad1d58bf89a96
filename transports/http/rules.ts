import type { IncomingHttpHeaders } from 'node:http';
import type { Documents } from '../transport.ts';
import { type Accepted, isJsonType, parseAccept } from './accept.ts';
import { isLoopbackHost, isLoopbackOrigin, matchesHost } from './origin.ts';
import type { Refusal } from './refusal.ts';
import * as refusals from './refusal.ts';

export interface RuleOptions {
  readonly path: string;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly messageBytesMax: number;
  readonly headersMax: number;
  readonly headerBytesMax: number;
}

/** The part of a request that the rules look at. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

const CORS_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
]);
const CORS_MAX_AGE_S = 600;

/**
 * Which requests reach the endpoint. Pure, but for remembering the last header values that passed: the requests of
 * one client carry the same ones, and a comparison of equal strings is all that they cost.
 */
export class Rules {
  /** What is read at other paths, ready to be sent. */
  private documents: ReadonlyMap<string, Refusal> = new Map();
  private readonly options: RuleOptions;
  private readonly hosts: ReadonlySet<string> | undefined;
  private readonly origins: ReadonlySet<string>;
  private readonly pathWithQuery: string;
  private readonly notFound: Refusal;
  private readonly headersTooLarge: Refusal;
  readonly bodyTooLarge: Refusal;
  private lastHost: string | undefined;
  private lastAccept: string | undefined;
  private lastAccepted: Accepted = parseAccept(undefined);

  constructor(options: RuleOptions) {
    this.options = options;
    this.hosts = options.allowedHosts && new Set(options.allowedHosts.map((host) => host.toLowerCase()));
    this.origins = new Set(options.allowedOrigins?.map((origin) => origin.toLowerCase()));
    this.pathWithQuery = `${options.path}?`;
    this.notFound = refusals.notFound(options.path);
    this.headersTooLarge = refusals.headersTooLarge(options.headersMax, options.headerBytesMax);
    this.bodyTooLarge = refusals.bodyTooLarge(options.messageBytesMax);
  }

  /** What is answered at other paths than the endpoint's. */
  publish(documents: Documents): void {
    this.documents = new Map(Object.entries(documents).map(([path, body]) => [path, refusals.document(body)]));
  }

  /**
   * What the request is answered without the endpoint, or undefined. `loopback`: it arrived on an address of the
   * machine itself.
   */
  check(request: RequestHead, loopback: boolean): Refusal | undefined {
    const { headers, method } = request;
    const document = this.documentAt(request.url);
    const misplaced = this.checkPlace(request, loopback, document !== undefined);
    if (misplaced !== undefined) return misplaced;
    if (document !== undefined) return this.read(document, method, headers);
    if (method === 'POST') return this.checkPost(headers);
    if (method === 'OPTIONS') return this.preflight(headers);
    if (method === 'DELETE') return undefined;
    if (method !== 'GET') return refusals.methodNotAllowed;
    return this.accepted(headers.accept).stream ? undefined : refusals.streamNotAcceptable; // all that a GET can bring
  }

  /** The part of `check` that does not depend on the method: how much is asked, where, under which name, by whom. */
  checkPlace(request: RequestHead, loopback: boolean, isDocument = false): Refusal | undefined {
    const { headers, url } = request;
    if (request.rawHeaders.length > this.options.headersMax * 2) return this.headersTooLarge;
    if (!isDocument && url !== this.options.path && url?.startsWith(this.pathWithQuery) !== true) return this.notFound;
    if (!this.isHostAllowed(headers.host, loopback)) return refusals.hostNotAllowed;
    if (headers.origin !== undefined && !this.isOriginAllowed(headers.origin, loopback))
      return refusals.originNotAllowed;
    return undefined;
  }

  /** Which forms of answer the Accept header allows. */
  accepted(accept: string | undefined): Accepted {
    if (accept !== this.lastAccept) {
      this.lastAccepted = parseAccept(accept);
      this.lastAccept = accept;
    }
    return this.lastAccepted;
  }

  /** The headers that let a browser page of a listed origin read the answer (Fetch standard, CORS protocol). */
  corsHeaders(origin: string | undefined): readonly string[] {
    if (origin === undefined || !this.origins.has(origin.toLowerCase())) return [];
    const expose = 'Mcp-Session-Id, WWW-Authenticate';
    return ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin', 'Access-Control-Expose-Headers', expose];
  }

  private documentAt(url: string | undefined): Refusal | undefined {
    if (url === this.options.path || this.documents.size === 0) return undefined;
    return this.documents.get(url?.split('?', 1)[0] ?? '');
  }

  private read(document: Refusal, method: string | undefined, headers: IncomingHttpHeaders): Refusal {
    if (method === 'OPTIONS') return this.preflight(headers);
    return method === 'GET' || method === 'HEAD' ? document : refusals.documentMethodNotAllowed;
  }

  private checkPost(headers: IncomingHttpHeaders): Refusal | undefined {
    const type = headers['content-type'];
    if (type !== 'application/json' && !isJsonType(type)) return refusals.unsupportedMediaType;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return refusals.unsupportedEncoding;
    const length = headers['content-length'];
    if (length !== undefined && Number(length) > this.options.messageBytesMax) return this.bodyTooLarge;
    const { json, stream } = this.accepted(headers.accept);
    return json || stream ? undefined : refusals.notAcceptable;
  }

  /** DNS rebinding: a page of another site reaches this machine under that site's name, which then stands in Host. */
  private isHostAllowed(host: string | undefined, loopback: boolean): boolean {
    if (this.hosts === undefined) {
      if (!loopback || (host !== undefined && host === this.lastHost)) return true;
      if (!isLoopbackHost(host)) return false;
      this.lastHost = host;
      return true;
    }
    if (host !== undefined && host === this.lastHost) return true;
    if (!matchesHost(this.hosts, host)) return false;
    this.lastHost = host;
    return true;
  }

  private isOriginAllowed(origin: string, loopback: boolean): boolean {
    if (this.origins.has(origin.toLowerCase())) return true;
    return this.options.allowedOrigins === undefined && loopback && isLoopbackOrigin(origin);
  }

  /** A preflight is answered for listed origins only: to others this endpoint has no OPTIONS. */
  private preflight(headers: IncomingHttpHeaders): Refusal {
    const cors = this.corsHeaders(headers.origin);
    if (cors.length === 0 || headers['access-control-request-method'] === undefined) return refusals.methodNotAllowed;
    const asked = (headers['access-control-request-headers'] ?? '').toLowerCase().split(',');
    const allowed = asked.map((field) => field.trim()).filter(isCorsHeader);
    // The headers of CORS for every answer are added where it is sent, as to all others: twice would be refused.
    const answer = [
      'Access-Control-Allow-Methods',
      'POST, GET, DELETE',
      'Access-Control-Allow-Headers',
      (allowed.length > 0 ? allowed : [...CORS_HEADERS]).join(', '),
      'Access-Control-Max-Age',
      String(CORS_MAX_AGE_S),
    ];
    return { status: 204, reason: 'preflight', headers: answer, body: '', close: false };
  }
}

/**
 * A request header that MCP uses; `Mcp-Param-…` is named after a tool's parameter (MCP 2026-07-28, Streamable HTTP).
 */
function isCorsHeader(field: string): boolean {
  return CORS_HEADERS.has(field) || /^mcp-param-[a-z0-9!#$%&'*+.^_`|~-]+$/.test(field);
}
