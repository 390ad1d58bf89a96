import { IdMap } from './id-map.ts';
import type { OpenCall } from './pending-call.ts';
import type { Ref } from './pid.ts';
import type { Process } from './process.ts';
import { RefMap } from './ref-map.ts';

const none: readonly OpenCall[] = [];

/** Calls answered with `noreply` so far: a reply finds them by their ref. */
export class DeferredCalls {
  private readonly servers = new IdMap<Ref, Process>();

  /** The server will reply later, or another process will. */
  add(server: Process, call: OpenCall): void {
    if (call.done) return;
    server.deferredCalls ??= new RefMap();
    server.deferredCalls.set(call.ref, call);
    this.servers.set(call.ref, server);
  }

  /** The call is settled, one way or the other; undefined if it is none of these. */
  take(ref: Ref): OpenCall | undefined {
    const server = this.servers.get(ref);
    if (server === undefined) return undefined;
    this.servers.delete(ref);
    const call = server.deferredCalls?.get(ref);
    server.deferredCalls?.delete(ref);
    return call;
  }

  /** All that a server has left open. */
  takeAll(server: Process): readonly OpenCall[] {
    const { deferredCalls } = server;
    if (deferredCalls === null) return none;
    server.deferredCalls = null;
    deferredCalls.forEach((_call, ref) => {
      this.servers.delete(ref);
    });
    return deferredCalls.values();
  }
}
