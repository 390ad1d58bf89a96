import type { Socket } from 'node:net';
import type { Clock } from '../../runtime/index.ts';

/** What every client of HTTP/2 sends first (RFC 9113, section 3.4). No request of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What the first bytes of a connection say. Pure. */
export function spokenProtocol(bytes: Buffer): 'h2' | 'http/1.1' | 'undecided' {
  const compared = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, compared, 0, compared) !== 0) return 'http/1.1';
  return compared === PREFACE.length ? 'h2' : 'undecided';
}

/**
 * Finds out what a client without TLS speaks, and hands the socket on with its bytes unread. A client that does not
 * say so in time is cut off.
 */
export function listenToFirstBytes(
  socket: Socket,
  timeoutMs: number,
  clock: Clock,
  found: (protocol: 'h2' | 'http/1.1') => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = clock.setTimer(() => socket.destroy(), timeoutMs);
  const over = (): void => {
    clock.clearTimer(timer);
    socket.off('readable', look).off('close', over).off('end', over).off('error', ignored);
  };
  const look = (): void => {
    for (let piece = socket.read() as Buffer | null; piece !== null; piece = socket.read() as Buffer | null) {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    }
    const protocol = spokenProtocol(bytes);
    if (protocol === 'undecided') {
      if (socket.readableEnded) socket.destroy();
      return;
    }
    over();
    socket.unshift(bytes);
    found(protocol);
  };
  socket.on('readable', look).on('close', over).on('error', ignored);
}

/** The socket closes after an error; there is nobody to tell yet. */
function ignored(): void {}
