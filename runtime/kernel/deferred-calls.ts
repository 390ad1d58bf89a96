import type { OpenCall } from './pending-call.ts';
import type { Ref } from './pid.ts';
import type { Process } from './process.ts';

/** Calls answered with `noreply` so far: a reply finds them by their ref. */
export class DeferredCalls {
  private readonly servers = new Map<Ref, Process>();

  /** The server will reply later, or another process will. */
  add(server: Process, call: OpenCall): void {
    if (call.done) return;
    server.deferredCalls ??= new Map();
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
  takeAll(server: Process): Iterable<OpenCall> {
    const { deferredCalls } = server;
    if (deferredCalls === null) return [];
    server.deferredCalls = null;
    for (const ref of deferredCalls.keys()) this.servers.delete(ref);
    return deferredCalls.values();
  }
}
