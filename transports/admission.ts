import {
  type Context,
  type Name,
  name,
  type Pid,
  type Ref,
  startChild,
  type Table,
  whichChildren,
} from '../runtime/index.ts';

/** What a listener admits at one time. */
interface AdmissionMax {
  readonly connections: number;
  readonly ofAddress: number;
}

interface Admitted {
  readonly pid: Pid;
  readonly address: string | undefined;
}

/**
 * A listener's count of the connections under its connection supervisor. It is kept by monitors, so that it is right
 * after a crash of the listener too: the next one counts whom it finds. Addresses are counted only if their bound is
 * the lower one; a table then keeps them for the next listener.
 */
export class Admission {
  private readonly ctx: Context;
  private readonly connections: Name;
  private readonly max: AdmissionMax;
  private readonly monitors = new Map<Ref, Admitted | undefined>();
  private readonly ofAddress = new Map<string, number>();
  private readonly addresses: Table<string, string> | undefined;
  private starting = 0;

  constructor(
    ctx: Context,
    connections: Name,
    connectionsMax: number,
    connectionsPerAddressMax: number = connectionsMax,
  ) {
    this.ctx = ctx;
    this.connections = connections;
    this.max = { connections: connectionsMax, ofAddress: connectionsPerAddressMax };
    if (connectionsPerAddressMax < connectionsMax) this.addresses = lastingTable(ctx, `${connections}_addresses`);
  }

  get count(): number {
    return this.monitors.size + this.starting;
  }

  get isFull(): boolean {
    return this.count >= this.max.connections;
  }

  isFullFor(address: string | undefined): boolean {
    if (this.addresses === undefined || address === undefined) return false;
    return (this.ofAddress.get(address) ?? 0) >= this.max.ofAddress;
  }

  /** Counts the connections that an earlier listener admitted. */
  async recount(): Promise<void> {
    for (const { pid } of await whichChildren(this.ctx, this.connections)) {
      if (typeof pid !== 'object') continue;
      const address = this.addresses?.get(String(pid));
      this.monitor(pid, address);
      if (address !== undefined) this.add(address, 1);
    }
  }

  /** Starts the process of a connection; says why it could not. It must not be full, nor full for that address. */
  async admit(start: unknown, address?: string): Promise<{ readonly error: unknown } | undefined> {
    this.starting++;
    const counted = this.addresses === undefined ? undefined : address;
    if (counted !== undefined) this.add(counted, 1);
    let pid: Pid | undefined;
    try {
      const result = await startChild(this.ctx, this.connections, start);
      if ('error' in result) return { error: result.error };
      pid = result.ok;
      return undefined;
    } catch (error) {
      return { error }; // no supervisor: it is being stopped or restarted
    } finally {
      this.starting--;
      if (pid !== undefined) this.monitor(pid, counted);
      else if (counted !== undefined) this.add(counted, -1);
    }
  }

  /** A DOWN came in. */
  left(ref: Ref): void {
    const admitted = this.monitors.get(ref);
    this.monitors.delete(ref);
    if (admitted?.address === undefined) return;
    this.addresses?.delete(String(admitted.pid));
    this.add(admitted.address, -1);
  }

  private monitor(pid: Pid, address: string | undefined): void {
    if (address !== undefined) this.addresses?.set(String(pid), address);
    this.monitors.set(this.ctx.monitor(pid), address === undefined ? undefined : { pid, address });
  }

  private add(address: string, difference: number): void {
    const count = (this.ofAddress.get(address) ?? 0) + difference;
    if (count > 0) this.ofAddress.set(address, count);
    else this.ofAddress.delete(address);
  }
}

/**
 * A table that the next listener of the same name finds: its heir is the first process of the system, so that it
 * outlives a restart of any tier above.
 */
export function lastingTable<K, V>(ctx: Context, tableName: string): Table<K, V> {
  const heir = ctx.whereis(name('init'));
  return ctx.table<K, V>(tableName) ?? ctx.newTable<K, V>(tableName, { access: 'public', ...(heir && { heir }) });
}
