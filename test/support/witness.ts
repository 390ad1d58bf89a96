/** Sees child processes live and die: each holds a connection, which its death closes, however it comes. */

import { createServer, type Server, type Socket } from 'node:net';
import type { Cleanup } from './test-system.ts';

export class Witness {
  readonly told: string[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
        const lines = text.split('\n');
        text = lines.pop()!;
        this.told.push(...lines);
        this.look();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.look();
      });
      this.look();
    });
  }

  static async start(t: Cleanup): Promise<Witness> {
    const server = createServer();
    const witness = new Witness(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of witness.sockets) socket.destroy();
      server.close();
    });
    return witness;
  }

  get port(): string {
    return String((this.server.address() as { port: number }).port);
  }

  /** When a child has said that. */
  heard(line: string, times = 1): Promise<void> {
    return this.until(() => this.told.filter((each) => each === line).length >= times);
  }

  /** When every child that was there has gone. */
  allGone(): Promise<void> {
    return this.until(() => this.sockets.size === 0);
  }

  private until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  private look(): void {
    for (const look of [...this.waiting]) look();
  }
}
