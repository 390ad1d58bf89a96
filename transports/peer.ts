import type { Context, ExitReason, Ref } from '../runtime/index.ts';
import type { ConnectionInfo, ConnectionProtocol, EndpointProtocol, Inbound, Outbound } from './transport.ts';

/**
 * The other side of one connection, as its process sees it: what a transport implements. Its methods are called by the
 * connection process alone; what happens on the socket it reports to the `Intake` it was opened with.
 */
export interface Peer {
  readonly info: ConnectionInfo;
  /** Begin: from now on the intake is there. Called once, first. */
  open(intake: Intake): void;
  /**
   * Writes to an open exchange, or to exchange 0. If the peer reads too slowly to take it, says so and writes nothing.
   */
  send(outbound: Outbound): SlowReader | undefined;
  /** Deliver nothing new. What is open goes on. */
  stopReading(): void;
  /** Every exchange has ended: flush, close, and report `closed`. `reason`: that of the process. */
  end(reason: ExitReason): void;
  /** Let go of the socket at once: the process is gone. May come at any time, also after `closed`; must not throw. */
  close(reason: ExitReason): void;
  /** The time asked for with `intake.wakeAfter` is over. */
  wake?(): void;
}

/** Why a peer was disconnected: it had left more unread than `limitBytes` when the next message for it was due. */
export interface SlowReader {
  readonly slow_reader: { readonly queuedBytes: number; readonly limitBytes: number };
}

/** What a connection process understands: the public casts, and what its own peer reports. */
export interface ConnectionMessages {
  readonly cast: ConnectionProtocol['cast'];
  readonly info: EndpointProtocol['info'] & {
    readonly inbound: Inbound;
    readonly ended: void;
    /** An exchange that its peer has left, the others going on. */
    readonly left: number;
    readonly closed: ExitReason | undefined;
    readonly wake: void;
  };
}

/** Where a peer reports to: the mailbox of the connection process, and the exchanges that are open. */
export class Intake {
  /** Open since they were read: those that still wait in the mailbox count. */
  readonly open: Set<number> = new Set();
  private readonly openMax: number;
  private readonly ctx: Context<ConnectionMessages>;
  private live = true;

  constructor(ctx: Context<ConnectionMessages>, openMax: number) {
    this.ctx = ctx;
    this.openMax = openMax;
  }

  /** No further exchange may be opened before one has ended. */
  get isFull(): boolean {
    return this.open.size >= this.openMax;
  }

  /** A message came in. */
  deliver(inbound: Inbound): void {
    if (!this.live) return;
    this.open.add(inbound.exchange);
    this.ctx.send(this.ctx.self, 'inbound', inbound);
  }

  /** The peer sends no more, but still reads: what is open is finished, then the connection ends. */
  ended(): void {
    if (this.live) this.ctx.send(this.ctx.self, 'ended');
  }

  /** The peer has left that exchange, and nothing else. */
  left(exchange: number): void {
    if (this.live) this.ctx.send(this.ctx.self, 'left', exchange);
  }

  /** The peer is gone, or was put out: for that reason. */
  closed(reason?: ExitReason): void {
    if (this.live) this.ctx.send(this.ctx.self, 'closed', reason);
  }

  /** The connection is to end in order, for that reason. */
  stop(reason: ExitReason): void {
    if (this.live) this.ctx.cast(this.ctx.self, 'close', reason);
  }

  wakeAfter(delayMs: number): Ref {
    return this.ctx.sendAfter(delayMs, 'wake');
  }

  /** The process has exited: nothing can be reported any more. */
  detach(): void {
    this.live = false;
  }
}
