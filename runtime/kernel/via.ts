import type { Context, Messaging } from './context.ts';
import type { Pid } from './pid.ts';
import type { Protocol } from './protocol.ts';

/** Who asks a registry for a name: a process, a system, or the kernel on behalf of one. */
export type ViaCaller = Pick<Messaging, 'whereis' | 'isAlive' | 'table'>;

/**
 * A registry of names beside the kernel's own (OTP: the module of `{via, Module, ViaName}`). It is no part of a system:
 * who asks tells it which system is meant. All three must answer at once, since a send cannot wait.
 */
export interface ViaRegistry<Key = any> {
  /** The living process that holds the name; undefined if it is free or there is no such registry (whereis_name/1). */
  whereisName(caller: ViaCaller, key: Key): Pid | undefined;
  /**
   * Gives the name to the process of the context, until it exits or gives the name up; false if the name is taken
   * (register_name/2: yes, no). `BadArgError` if there is no such registry in the system.
   */
  registerName(ctx: Context, key: Key): boolean;
  /** The process of the context gives the name up; nothing happens if it does not hold it (unregister_name/1). */
  unregisterName(ctx: Context, key: Key): void;
}

/** A name in a registry of one's own, wherever a `Dest` or the name of a start is asked for (`{via, Module, Name}`). */
export interface ViaName<P extends Protocol = any, Key = any> {
  readonly via: ViaRegistry<Key>;
  readonly name: Key;
  readonly protocol?: P;
}
