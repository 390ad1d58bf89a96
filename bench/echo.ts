/** A client that sends a few bytes to an echo server and waits for them, again and again. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const message = Buffer.alloc(64, 'x');

export class Echo {
  private readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async connect(port: number): Promise<Echo> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    return new Echo(socket);
  }

  /** Milliseconds of each round trip until the promise settles. */
  async roundTripsUntil(end: Promise<unknown>): Promise<number[]> {
    let ended = false;
    const stop = (): void => {
      ended = true;
    };
    end.then(stop, stop);
    const roundTrips: number[] = [];
    while (!ended) {
      const start = performance.now();
      this.socket.write(message);
      for (let received = 0; received < message.length; ) {
        const [chunk] = (await once(this.socket, 'data')) as [Buffer];
        received += chunk.length;
      }
      roundTrips.push(performance.now() - start);
    }
    return roundTrips;
  }

  close(): void {
    this.socket.destroy();
  }
}
