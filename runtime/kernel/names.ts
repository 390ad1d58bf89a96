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
      whereis: (name) => kernel.resolve(name)?.pid,
      isAlive: (pid) => kernel.find(pid) !== undefined,
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

  register(name: string, process: Process): void {
    this.assertFree(name);
    if (process.name !== null) throw new BadArgError(`${process.pid} has the name '${process.name}' already`);
    process.name = name;
    this.local.set(name, process);
  }

  registerPid(name: string, pid: Pid): void {
    const process = this.kernel.find(pid);
    if (process === undefined) throw new BadArgError(`cannot register ${shown(name)}: ${pid} is not alive`);
    this.register(name, process);
  }

  unregister(name: string): void {
    const holder = this.local.get(name);
    if (holder === undefined) throw new BadArgError(`no process has the name ${shown(name)}`);
    holder.name = null;
    this.local.delete(name);
  }

  assertFree(name: string): void {
    if (!isName(name)) throw new BadArgError('a name is a text that is not empty');
    const holder = this.local.get(name);
    if (holder !== undefined) throw new BadArgError(`the name '${name}' is taken by ${holder.pid}`);
  }
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
