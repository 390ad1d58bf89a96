import type { Socket } from 'node:net';
import { type Line, LineSplitter } from './line-splitter.ts';

/** Whom the lines of a socket are for. */
export interface LineReader {
  /** No line can be taken now; `pump` says when it can. */
  readonly isFull: boolean;
  line(line: Line): void;
  /** The other side has ended its half, and every line of it was taken. */
  inputEnded(): void;
  /** The socket is closed. Without an error the other side has closed it. */
  socketClosed(error: NodeJS.ErrnoException | undefined): void;
}

const owner = Symbol('line socket');

/** Found on the socket, so that ten thousand idle sockets need no closures. */
interface OwnedSocket extends Socket {
  [owner]?: LineSocket;
}

/**
 * Lines of text both ways on a socket, which it owns. It reads while its reader takes lines and the other side takes
 * what is written to it; what is written in one turn goes out in one write.
 */
export class LineSocket {
  private readonly socket: OwnedSocket;
  private readonly reader: LineReader;
  private readonly splitter: LineSplitter;
  private pending = '';
  private state: 'reading' | 'discarding' | 'closed' = 'reading';
  private ended = false;
  private endTold = false;
  private error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket, reader: LineReader, lineBytesMax: number) {
    this.socket = socket;
    this.reader = reader;
    this.splitter = new LineSplitter(lineBytesMax);
    this.socket[owner] = this;
    socket.on('error', onError).on('close', onClose);
  }

  /** Begins to read. */
  start(): void {
    this.socket.on('data', onData).on('end', onEnd).on('drain', onDrain);
  }

  get isClosed(): boolean {
    return this.state === 'closed';
  }

  /** Bytes that the other side has not taken; characters of what was written in this turn count as bytes. */
  get queuedBytes(): number {
    return this.socket.writableLength + this.pending.length;
  }

  /** `text` ends with a line end. */
  write(text: string): void {
    if (this.pending === '') process.nextTick(flush, this);
    this.pending += text;
  }

  /** Hands on the lines that are there and the reader takes, and reads on if those were all. */
  pump(): void {
    const { socket, reader, splitter } = this;
    if (this.state !== 'reading') return;
    while (!reader.isFull && !socket.writableNeedDrain) {
      const line = splitter.next();
      if (line === undefined) break;
      reader.line(line);
      if (this.state !== 'reading') return;
    }
    if (!splitter.isEmpty || socket.writableNeedDrain) socket.pause();
    else if (this.ended) this.tellEnd();
    else if (socket.isPaused()) socket.resume();
  }

  /**
   * No line is handed on any more. The socket is still read: to close it with bytes unread would reset it, and a reset
   * overtakes the last answers.
   */
  discard(): void {
    if (this.state !== 'reading') return;
    this.state = 'discarding';
    this.splitter.rest();
    if (this.socket.isPaused()) this.socket.resume();
  }

  /** Ends our half, behind what was written. The socket is closed when the other side has ended its own. */
  end(): void {
    flush(this);
    if (!this.socket.writableEnded) this.socket.end();
  }

  /** Lets go of the socket, at once or when what was written has gone to the operating system. */
  close(flushed: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    const { socket } = this;
    if (flushed && !socket.writableNeedDrain) {
      flush(this);
      socket.destroySoon();
    } else {
      socket.destroy();
    }
  }

  onData(chunk: Buffer): void {
    if (this.state !== 'reading') return;
    this.splitter.push(chunk);
    this.pump();
  }

  onEnd(): void {
    this.ended = true;
    if (this.state === 'reading') this.pump();
  }

  onError(error: NodeJS.ErrnoException): void {
    this.error ??= error;
  }

  onClose(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.reader.socketClosed(this.error);
  }

  flush(): void {
    const { pending } = this;
    if (pending === '') return;
    this.pending = '';
    if (!this.socket.write(pending) && this.state === 'reading') this.socket.pause(); // until 'drain'
  }

  private tellEnd(): void {
    if (this.endTold) return;
    this.endTold = true;
    const last = this.splitter.last();
    if (last !== undefined) this.reader.line(last);
    this.reader.inputEnded();
  }
}

function flush(line: LineSocket): void {
  line.flush();
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.onData(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.onEnd();
}

function onDrain(this: OwnedSocket): void {
  this[owner]?.pump();
}

function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  this[owner]?.onError(error);
}

function onClose(this: OwnedSocket): void {
  this[owner]?.onClose();
}
