import type { Pid, Ref } from './pid.ts';
import type { Process } from './process.ts';
import type { Protocol } from './protocol.ts';

/**
 * A second address of a process, which it can give up: what is sent to it after that is lost (erlang:alias/1). Made by
 * `ctx.alias`.
 */
export class Alias<P extends Protocol = any> {
  /** Exists for the compiler only. */
  declare readonly protocol?: P;
  /** Whose address it is. */
  readonly pid: Pid;
  readonly ref: Ref;

  constructor(pid: Pid, ref: Ref) {
    this.pid = pid;
    this.ref = ref;
  }

  toString(): string {
    return `<alias ${this.ref} of ${this.pid}>`;
  }
}

/** Options of `ctx.alias`: when it ends by itself; by default only with its process. */
export interface AliasOptions {
  /** The first message that comes through it ends it. Default false. */
  readonly reply?: boolean;
  /**
   * A monitor of this process that it belongs to: it ends when the monitor fires or is ended, and with `reply` its
   * first message ends the monitor too (monitor/3, option alias: `demonitor` and `reply_demonitor`).
   */
  readonly monitor?: Ref;
}

/** Opens an alias of a process. */
export function openAlias(process: Process, ref: Ref, options: AliasOptions): Alias {
  const alias = new Alias(process.pid, ref);
  // One that belongs to a monitor which has fired is over before it begins.
  const { monitor } = options;
  if (monitor !== undefined && process.monitors?.has(monitor) !== true) return alias;
  process.aliases ??= new Map();
  process.aliases.set(ref, options);
  return alias;
}

/** Ends an alias of a process; says whether it was open. */
export function closeAlias(process: Process, alias: Alias): boolean {
  return alias.pid === process.pid && process.aliases !== null && process.aliases.delete(alias.ref);
}

/** A monitor is over, and with it the aliases that belong to it. */
export function closeAliasesOf(process: Process, monitor: Ref): void {
  if (process.aliases === null) return;
  for (const [ref, options] of process.aliases) if (options.monitor === monitor) process.aliases.delete(ref);
}
