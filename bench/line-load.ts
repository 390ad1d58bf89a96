/** Many connections that talk in lines of 1 KiB; every answer is looked at. */
import { connect, type Socket } from 'node:net';

const CONNECTING_MAX = 100;
const NEWLINE = 10;
const LINE_BYTES = 1_024;
/** Ids in use in turn: more than a connection ever has requests under way. */
const IDS = 64;
const ERROR = Buffer.from('"error":');

/** Opens `count` of something, some at a time. */
export async function openMany<T>(count: number, open: () => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  let begun = 0;
  const opener = async (): Promise<void> => {
    while (begun < count) {
      begun++;
      opened.push(await open());
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_MAX }, opener));
  return opened;
}

export function openSockets(port: number, count: number): Promise<Socket[]> {
  return openMany(count, async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
    return socket;
  });
}

/** The end of connections leaves nothing behind, so that the next round has ports. */
export function reset(sockets: readonly Socket[]): void {
  for (const socket of sockets)
    socket
      .removeAllListeners('close')
      .on('error', () => socket.destroy())
      .resetAndDestroy();
}

/** A line of `LINE_BYTES`, its end included, that begins and ends so. */
export function padded(head: string, tail: string): Buffer {
  return Buffer.from(`${head}${'X'.repeat(LINE_BYTES - head.length - tail.length - 1)}${tail}\n`);
}

/** A request under each of some ids of the same length: those under way on a connection must differ. */
export function requests(rest: string, tail: string): Buffer[] {
  return Array.from({ length: IDS }, (_, n) => padded(`{"id":${100 + n},"jsonrpc":"2.0",${rest}`, tail));
}

/** How many answers there are in it. One that is an error is thrown. */
function answersIn(chunk: Buffer): number {
  if (chunk.includes(ERROR)) throw new Error(`an error is no answer: ${chunk.toString().slice(0, 300)}`);
  let answers = 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) answers++;
  return answers;
}

/** Round trips: each socket has `depth` requests under way, until all together have had `count` answers. */
export function roundTrips(
  sockets: readonly Socket[],
  lines: readonly Buffer[],
  depth: number,
  count: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const write = (socket: Socket, wanted: number): void => {
      const more = Math.min(wanted, count - sent);
      socket.cork();
      for (let n = 0; n < more; n++) socket.write(lines[sent++ % lines.length] as Buffer);
      socket.uncork();
    };
    const finish = (error?: unknown): void => {
      for (const socket of sockets) socket.removeAllListeners('data').removeAllListeners('close');
      if (error === undefined) resolve();
      else reject(error);
    };
    for (const socket of sockets) {
      socket.on('close', () => finish(new Error('the server has closed a connection')));
      socket.on('data', (chunk: Buffer) => {
        try {
          const answers = answersIn(chunk);
          answered += answers;
          if (answered >= count) finish();
          else write(socket, answers);
        } catch (error) {
          finish(error);
        }
      });
    }
    for (const socket of sockets) write(socket, depth);
  });
}

/** Sends `perSocket` lines on each socket that bring no answer, then one that does: all were read when it comes. */
export async function sendAll(
  sockets: readonly Socket[],
  line: Buffer,
  perSocket: number,
  last: readonly Buffer[],
): Promise<void> {
  for (const socket of sockets) {
    socket.cork();
    for (let n = 0; n < perSocket; n++) socket.write(line);
    socket.uncork();
  }
  await roundTrips(sockets, last, 1, sockets.length);
}
