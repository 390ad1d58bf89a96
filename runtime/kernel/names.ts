import { Alias } from './alias.ts';
import { badArgument, shown } from './arguments.ts';
import { BadArgError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { type Dest, Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { ViaCaller, ViaName, ViaRegistry } from './via.ts';

/** Who stands behind a name, a name in a registry, or an alias. */
export class Names {
  private readonly local: Map<string, Process>;
  private readonly kernel: Kernel;
  /** The system as a registry may look at it. */
  private readonly viaCaller: ViaCaller;

  constructor(kernel: Kernel, local: Map<string, Process>) {
    this.local = local;
    this.kernel = kernel;
    this.viaCaller = {
      whereis: (name) => kernel.whereis(name),
      isAlive: (pid) => kernel.isAlive(pid),
      table: (name) => kernel.tables.open(null, name),
    };
  }

  /** A destination that is neither a pid nor a registered name. */
  elsewhere(dest: Exclude<Dest, Pid | string>): Process | undefined {
    if (dest instanceof Alias) {
      const process = this.kernel.find(dest.pid);
      return process?.aliases?.has(dest.ref) === true ? process : undefined;
    }
    const pid = isVia(dest) ? dest.via.whereisName(this.viaCaller, dest.name) : undefined;
    return pid === undefined ? undefined : this.kernel.find(pid);
  }

  /** Whether the process of a pid runs, or ran, on another thread of this system. */
  isElsewhere({ thread, system }: Pid): boolean {
    return thread !== this.kernel.thread && system === this.kernel.id;
  }

  /** A destination on another thread: the process, and what to address there. */
  onOtherThread(dest: Dest): { readonly pid: Pid; readonly to: Pid | Alias } | undefined {
    if (dest instanceof Alias) return this.isElsewhere(dest.pid) ? { pid: dest.pid, to: dest } : undefined;
    const pid = this.pidOf(dest);
    return pid !== undefined && this.isElsewhere(pid) ? { pid, to: pid } : undefined;
  }

  private pidOf(dest: Exclude<Dest, Alias>): Pid | undefined {
    if (dest instanceof Pid) return dest;
    if (typeof dest === 'string') return this.kernel.remote?.holder(dest);
    return isVia(dest) ? dest.via.whereisName(this.viaCaller, dest.name) : undefined;
  }

  /** For whom a message to such a destination is. */
  addressee(dest: Exclude<Dest, Pid | string>): Process | undefined {
    const process = this.elsewhere(dest);
    if (dest instanceof Alias) this.use(dest);
    return process;
  }

  /** A message goes through the alias: one for a single reply is used up by it. */
  private use(alias: Alias): void {
    const process = this.kernel.find(alias.pid);
    const options = process?.aliases?.get(alias.ref);
    if (process === undefined || options === undefined || options.reply !== true) return;
    process.aliases?.delete(alias.ref);
    if (options.monitor !== undefined) this.kernel.signals.demonitor(process, options.monitor, true);
  }

  /** `claimed`: by the thread that spawns the process. */
  register(name: string, process: Process, claimed = false): void {
    if (!claimed) {
      this.assertFree(name);
      if (process.name !== null) throw new BadArgError(`${process.pid} has the name '${process.name}' already`);
      const holder = this.kernel.remote?.claim(name, process.pid);
      if (holder !== undefined) throw isTaken(name, holder);
    }
    process.name = name;
    this.local.set(name, process);
  }

  registerPid(name: string, pid: Pid): void {
    const process = this.kernel.find(pid);
    if (process === undefined && this.kernel.isAlive(pid)) {
      throw new BadArgError(`cannot register ${shown(name)}: ${pid} is on another thread; let it register itself`);
    }
    if (process === undefined) throw new BadArgError(`cannot register ${shown(name)}: ${pid} is not alive`);
    this.register(name, process);
  }

  unregister(name: string): void {
    const holder = this.local.get(name);
    if (holder !== undefined) {
      holder.name = null;
      this.release(name, holder.pid);
      return;
    }
    const far = this.kernel.remote?.holder(name);
    if (far === undefined) throw new BadArgError(`no process has the name ${shown(name)}`);
    this.kernel.remote?.unname(name, far);
  }

  /** Its holder has exited, or given it up. */
  release(name: string, holder: Pid): void {
    if (this.local.get(name)?.pid === holder) this.local.delete(name);
    this.kernel.remote?.release(name, holder);
  }

  assertFree(name: string): void {
    if (!isName(name)) throw new BadArgError('a name is a text that is not empty');
    const holder = this.local.get(name)?.pid ?? this.kernel.remote?.holder(name);
    if (holder !== undefined) throw isTaken(name, holder);
  }
}

function isTaken(name: string, holder: Pid): BadArgError {
  return new BadArgError(`the name '${name}' is taken by ${holder}`);
}

export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Whether a value is a name in a registry of one's own: `{ via, name }`. */
export function isVia(value: unknown): value is ViaName {
  if (typeof value !== 'object' || value === null || value instanceof Pid || !('name' in value)) return false;
  const via: Partial<ViaRegistry> | null | undefined = (value as Partial<ViaName>).via;
  return (
    typeof via?.whereisName === 'function' &&
    typeof via.registerName === 'function' &&
    typeof via.unregisterName === 'function'
  );
}

/** A destination as messages for people show it. */
export function describeDest(dest: Dest): string {
  return isVia(dest) ? describeName(dest) : String(dest);
}

/** Whether a message can go there at all, be there somebody or not. */
function isDest(dest: unknown): dest is Dest {
  return typeof dest === 'string' || dest instanceof Pid || dest instanceof Alias || isVia(dest);
}

/** Looked at where nobody was found: it is no destination, as an option that was forgotten, or nobody is there. */
export function assertDest(dest: Dest): void {
  if (!isDest(dest)) throw badArgument('the destination', 'a pid, a name, { via, name } or an alias', dest);
}

export function describeName(name: string | ViaName): string {
  return typeof name === 'string' ? `the name '${name}'` : `the name ${shown(name.name)} in its registry`;
}

/** There is nobody at that destination: a mistake if it is a name (erlang:send/2), none if it is an address. */
export function assertNoName(dest: Dest): void {
  assertDest(dest);
  if (typeof dest === 'string' || isVia(dest)) throw new BadArgError(`no process has ${describeName(dest)}`);
}
