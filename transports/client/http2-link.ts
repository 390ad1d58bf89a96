import type { ClientHttp2Session, connect } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock, TimerHandle } from '../../runtime/index.ts';
import type { SocketClientLimits } from '../limits.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';

/** What all streams of a session may have on their way together, beyond the 64 KiB that each of them may. */
const SESSION_WINDOW_BYTES = 1_024 * 1_024;

/** The session of a carrier: made when it is needed, and anew when it takes no more streams. */
export class Http2Link {
  readonly url: URL;
  private readonly connect: typeof connect;
  private readonly tls: TlsClientOptions | undefined;
  private readonly limits: SocketClientLimits;
  private readonly clock: Clock;
  private readonly connected = new WeakSet<ClientHttp2Session>();
  private session: ClientHttp2Session | undefined;

  constructor(
    open: typeof connect,
    url: URL,
    tls: TlsClientOptions | undefined,
    limits: SocketClientLimits,
    clock: Clock,
  ) {
    this.connect = open;
    this.url = url;
    this.tls = tls;
    this.limits = limits;
    this.clock = clock;
  }

  /** One that takes streams: after GOAWAY it is closed, though streams may be open on it. */
  current(): ClientHttp2Session {
    if (this.session === undefined || this.session.closed || this.session.destroyed) this.session = this.open();
    return this.session;
  }

  /** Whether the server can have seen anything of a session. */
  wasConnected(session: ClientHttp2Session): boolean {
    return this.connected.has(session);
  }

  close(): void {
    this.session?.destroy();
  }

  private open(): ClientHttp2Session {
    const { url, tls, clock, limits } = this;
    const options = tls === undefined ? {} : clientTls(tls);
    const session = this.connect(url.origin, { ...options, settings: { enablePush: false } });
    const timeoutMs = limits.connectTimeoutMs;
    const timer: TimerHandle = clock.setTimer(() => {
      session.destroy(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    session.once('connect', (_session, socket) => {
      clock.clearTimer(timer);
      if (url.protocol === 'https:' && (socket as TLSSocket).alpnProtocol !== 'h2') {
        session.destroy(speaksNoHttp2(url));
      } else {
        this.connected.add(session);
        session.setLocalWindowSize(SESSION_WINDOW_BYTES);
      }
    });
    session.once('close', () => clock.clearTimer(timer));
    session.on('error', () => {
      // Its streams fail with it, and their exchanges say why.
    });
    return session;
  }
}

export function speaksNoHttp2(url: URL): NodeJS.ErrnoException {
  return Object.assign(new Error(`${url.origin} does not speak HTTP/2`), { code: 'EPROTO' });
}
