import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { type ExitReason, isNormalExit } from '../../runtime/index.ts';
import type { Arrival, TurnedAway } from '../arrival.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { WebSocketLimits } from '../limits.ts';
import type { Intake, SlowReader } from '../peer.ts';
import { serialise } from '../serialise.ts';
import { remoteEndOf } from '../tls.ts';
import type { ConnectionInfo, Outbound } from '../transport.ts';

/** Close codes (RFC 6455, section 7.4.1, and the registry of codes). Too big a message is 1009, which `ws` sends. */
const NORMAL = 1_000;
const GOING_AWAY = 1_001;
const UNSUPPORTED_DATA = 1_003;
const POLICY_VIOLATION = 1_008;
const INTERNAL_ERROR = 1_011;
const TRY_AGAIN_LATER = 1_013;

const turnedAwayCode: Readonly<Record<TurnedAway, number>> = {
  too_many_connections: TRY_AGAIN_LATER,
  too_many_connections_of_address: POLICY_VIOLATION,
  out_of_descriptors: TRY_AGAIN_LATER,
  unavailable: TRY_AGAIN_LATER,
  internal_error: INTERNAL_ERROR,
};

const owner = Symbol('peer');

/** Found on the emitters, so that ten thousand idle connections need no closures. */
interface Owned {
  [owner]?: WebSocketPeer;
}

/** One client of a WebSocket: a text message is one JSON text. */
export class WebSocketPeer implements Arrival {
  readonly info: ConnectionInfo;
  private readonly webSocket: WebSocket;
  private readonly socket: Socket;
  private readonly limits: WebSocketLimits;
  private readonly idle: IdleWatch;
  private intake: Intake | undefined;
  private exchanges = 0;
  /** Read before the socket could be stopped: no more than one read of it brings. */
  private waiting: string[] = [];
  private reading = true;
  private corked = false;
  private pinged = false;
  private gone = false;

  constructor(webSocket: WebSocket, socket: Socket, limits: WebSocketLimits) {
    this.info = { transport: 'websocket', kind: 'stream', ...remoteEndOf(socket) };
    this.webSocket = webSocket;
    this.socket = socket;
    this.limits = limits;
    this.idle = new IdleWatch(limits.idleTimeoutMs, limits.pingIntervalMs);
    (webSocket as Owned)[owner] = this;
    (socket as Owned)[owner] = this;
    webSocket.on('message', onMessage).on('pong', onPong).on('close', onClose).on('error', ignored);
    socket.on('drain', onDrain);
    webSocket.pause(); // until the process is there
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  turnAway(why: TurnedAway): void {
    this.gone = true;
    this.part(turnedAwayCode[why], why);
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    if (this.gone) {
      intake.closed();
      return;
    }
    intake.wakeAfter(this.idle.checkMs);
    this.webSocket.resume();
  }

  send({ message, end }: Outbound): SlowReader | undefined {
    const { webSocket, socket } = this;
    if (message !== undefined) {
      const limitBytes = this.limits.queuedBytesMax;
      const queuedBytes = webSocket.bufferedAmount;
      if (queuedBytes > limitBytes) return { slow_reader: { queuedBytes, limitBytes } };
      if (!this.corked) {
        this.corked = true;
        socket.cork(); // what is sent in this turn goes out in one write
        process.nextTick(uncork, this);
      }
      webSocket.send(serialise(message));
    }
    if (end) this.pump();
    return undefined;
  }

  stopReading(): void {
    this.reading = false;
    this.waiting = [];
    this.webSocket.resume(); // what still comes is dropped: the answer to our close is behind it
  }

  end(reason: ExitReason): void {
    this.uncork();
    this.webSocket.close(reason === 'normal' || isIdle(reason) ? NORMAL : GOING_AWAY);
  }

  close(reason: ExitReason): void {
    if (this.gone) return;
    this.gone = true;
    if (this.webSocket.readyState !== this.webSocket.OPEN || this.webSocket.bufferedAmount > 0) {
      this.webSocket.terminate(); // it has been asked to close, or does not read: nothing more can be told
    } else if (isNormalExit(reason)) {
      this.part(GOING_AWAY, '');
    } else {
      this.part(INTERNAL_ERROR, 'internal_error');
    }
  }

  wake(): void {
    const { idle, intake, webSocket } = this;
    if (intake === undefined || this.gone) return;
    if (webSocket.isPaused) {
      this.pinged = false; // its answer would not be read
    } else if (!idle.isActive) {
      if (this.pinged) {
        webSocket.terminate();
        return;
      }
      this.pinged = true;
      webSocket.ping();
    }
    if (!idle.check(intake)) intake.wakeAfter(idle.checkMs);
  }

  // ---- what the socket reports

  onMessage(data: Buffer, isBinary: boolean): void {
    this.pinged = false;
    this.idle.touch();
    const { intake } = this;
    if (!this.reading || this.gone || intake === undefined) return;
    if (isBinary) {
      this.reading = false;
      this.webSocket.close(UNSUPPORTED_DATA, 'text messages only');
      return;
    }
    const text = data.toString('utf8');
    if (this.waiting.length > 0 || this.isFull(intake)) {
      this.waiting.push(text);
      this.webSocket.pause();
    } else {
      intake.deliver({ exchange: ++this.exchanges, text });
    }
  }

  onPong(): void {
    this.pinged = false;
  }

  onClose(): void {
    if (this.gone) return;
    this.gone = true;
    this.intake?.closed();
  }

  pump(): void {
    const { intake, webSocket, waiting } = this;
    if (intake === undefined || !this.reading || this.gone) return;
    while (waiting.length > 0 && !this.isFull(intake)) {
      intake.deliver({ exchange: ++this.exchanges, text: waiting.shift() as string });
    }
    if (waiting.length > 0 || this.socket.writableNeedDrain) webSocket.pause();
    else if (webSocket.isPaused) webSocket.resume();
  }

  uncork(): void {
    if (!this.corked) return;
    this.corked = false;
    this.socket.uncork();
    if (this.socket.writableNeedDrain && this.reading) this.webSocket.pause(); // until 'drain'
  }

  private isFull(intake: Intake): boolean {
    return intake.isFull || this.socket.writableNeedDrain;
  }

  /** Says why, and lets go without waiting for the answer. */
  private part(code: number, reason: string): void {
    this.reading = false;
    this.uncork();
    this.webSocket.resume();
    this.webSocket.close(code, reason);
    this.socket.destroySoon();
  }
}

function isIdle(reason: ExitReason): boolean {
  if (typeof reason !== 'object' || reason === null || !('shutdown' in reason)) return false;
  const { shutdown } = reason;
  return typeof shutdown === 'object' && shutdown !== null && 'idle' in shutdown;
}

function uncork(peer: WebSocketPeer): void {
  peer.uncork();
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  (this as Owned)[owner]?.onMessage(data, isBinary);
}

function onPong(this: WebSocket): void {
  (this as Owned)[owner]?.onPong();
}

function onClose(this: WebSocket): void {
  (this as Owned)[owner]?.onClose();
}

function onDrain(this: Socket): void {
  (this as Owned)[owner]?.pump();
}

/** An error of the socket or of the protocol is followed by the close, which says all that concerns us. */
function ignored(): void {}
