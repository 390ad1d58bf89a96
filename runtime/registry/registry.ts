import { checkArray, checkObject, checkOneOf, checkText, shown } from '../kernel/arguments.ts';
import type { Context, Messaging } from '../kernel/context.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { Name, Pid } from '../kernel/pid.ts';
import type { PayloadArgs, Protocol } from '../kernel/protocol.ts';
import type { ViaName, ViaRegistry } from '../kernel/via.ts';
import { type ChildSpec, child } from '../supervisor/child-spec.ts';
import type { RegistryEntries, RegistryEntry } from './registry-entries.ts';
import { RegistryServer, registryTable } from './registry-server.ts';

/** Options of `registry`. */
export interface RegistryOptions {
  /** Whether one process or several may be registered under a key. */
  readonly keys: 'unique' | 'duplicate';
  /** Names of processes that get an info message for each change (`RegistryListenerInfo`). Default none. */
  readonly listeners?: readonly Name[];
}

/** Who asks: a process or the system. */
type Reader = Pick<Messaging, 'table'>;

/**
 * Processes by key, each with a value (Elixir's Registry). Plain data, of no system: who asks says which system is
 * meant. Keys are compared as in a `Map`. Entries are made and read without a message, and those of a process are gone
 * before anybody learns of its exit. A registry is of the thread on which it runs: who registers or looks up is there
 * too. Every method but `whereisName` throws `BadArgError` if the registry does not run on this thread.
 */
export class Registry<Key = string, Value = void> {
  readonly name: string;
  /** The registry as a child of a supervisor or a system, to be started before those that register in it. */
  readonly childSpec: ChildSpec;
  protected readonly unique: boolean;

  constructor(name: string, { keys, listeners = [] }: RegistryOptions) {
    checkText(name, 'the name of a registry');
    checkOneOf(keys, `registry '${name}': keys`, ['unique', 'duplicate']);
    checkArray(listeners, `registry '${name}': listeners`);
    for (const listener of listeners) checkText(listener, `registry '${name}': each of listeners`);
    this.name = name;
    this.unique = keys === 'unique';
    this.childSpec = child(RegistryServer, { name, listeners }, { id: name, name });
  }

  /**
   * Registers the calling process under a key, until it exits or unregisters. It is linked to the registry meanwhile.
   * With unique keys, `{ error: { already_registered: pid } }` if one is taken, also by the caller itself.
   */
  register(
    ctx: Context,
    key: Key,
    ...[value]: PayloadArgs<Value>
  ): 'ok' | { readonly error: { readonly already_registered: Pid } } {
    const entries = this.entriesFor(ctx);
    const holder = this.unique ? entries.first(key) : undefined;
    if (holder !== undefined) return { error: { already_registered: holder.pid } };
    entries.add({ key, pid: ctx.self, value }, () => {
      ctx.link(entries.owner);
      const release = ctx.openPort({ close: () => entries.forget(ctx.self) });
      return () => {
        ctx.unlink(entries.owner);
        release();
      };
    });
    return 'ok';
  }

  /** Ends the registrations of the calling process under a key: all, or those whose value matches. */
  unregister(ctx: Context, key: Key, match: (value: Value) => boolean = () => true): 'ok' {
    const entries = this.entriesFor(ctx);
    for (const entry of this.of(entries, key)) {
      if (entry.pid === ctx.self && match(entry.value)) entries.remove(entry);
    }
    return 'ok';
  }

  /** Who is registered under the key, in the order of registration; none if nobody is. */
  lookup(reader: Reader, key: Key): readonly RegistryEntry<Key, Value>[] {
    return this.of(this.entriesFor(reader), key);
  }

  /** Calls `each` in the calling process with all entries of the key, unless there are none. */
  dispatch(reader: Reader, key: Key, each: (entries: readonly RegistryEntry<Key, Value>[]) => void): void {
    const found = this.lookup(reader, key);
    if (found.length > 0) each(found);
  }

  /** The keys of a process, one for each of its registrations. */
  keys(reader: Reader, pid: Pid): Key[] {
    return this.entriesFor(reader)
      .heldBy(pid)
      .map(({ key }) => key as Key);
  }

  /** The values of a process under a key. */
  values(reader: Reader, key: Key, pid: Pid): Value[] {
    return this.lookup(reader, key)
      .filter((entry) => entry.pid === pid)
      .map(({ value }) => value);
  }

  /** How many registrations there are. */
  count(reader: Reader): number {
    return this.entriesFor(reader).size;
  }

  /** All registrations that match (Elixir's select). */
  select(reader: Reader, match: (entry: RegistryEntry<Key, Value>) => boolean): RegistryEntry<Key, Value>[] {
    const all = this.entriesFor(reader).all() as Iterable<RegistryEntry<Key, Value>>;
    return [...all].filter(match);
  }

  protected find(reader: Reader): RegistryEntries | undefined {
    return reader.table<string, RegistryEntries>(registryTable(this.name))?.get('entries');
  }

  protected entriesFor(reader: Reader): RegistryEntries {
    const entries = this.find(reader);
    if (entries !== undefined) return entries;
    throw new BadArgError(
      `the registry '${this.name}' does not run: make its childSpec a child before those that use it`,
    );
  }

  private of(entries: RegistryEntries, key: Key): readonly RegistryEntry<Key, Value>[] {
    return entries.of(key) as readonly RegistryEntry<Key, Value>[];
  }
}

/**
 * A registry with one process per key, which can stand for names: `registry.via(key)` is a destination, and the `name`
 * of a start.
 */
export class UniqueRegistry<Key = string, Value = void, P extends Protocol = any>
  extends Registry<Key, Value>
  implements ViaRegistry<Key>
{
  /** The process under a key as a destination, or as the name of one that is to be started ({via, Registry, …}). */
  via(key: Key): ViaName<P, Key> {
    return { via: this, name: key };
  }

  /**
   * Changes the value of the calling process. `{ error: 'not_registered' }` if it does not hold the key; if `update`
   * throws, nothing has changed.
   */
  updateValue(
    ctx: Context,
    key: Key,
    update: (value: Value) => Value,
  ): { readonly ok: Value } | { readonly error: 'not_registered' } {
    const entries = this.entriesFor(ctx);
    const entry = entries.first(key);
    if (entry === undefined || entry.pid !== ctx.self) return { error: 'not_registered' };
    const value = update(entry.value as Value);
    entries.replace(entry, { ...entry, value });
    return { ok: value };
  }

  whereisName(reader: Reader, key: Key): Pid | undefined {
    return this.find(reader)?.first(key)?.pid;
  }

  registerName(ctx: Context, key: Key): boolean {
    return this.register(ctx, key, ...([] as unknown as PayloadArgs<Value>)) === 'ok';
  }

  unregisterName(ctx: Context, key: Key): void {
    this.unregister(ctx, key);
  }
}

/**
 * A registry, to be made once, at the top of a module: `registry('sessions', { keys: 'unique' })`. Two of one name are
 * the same registry within a system. Throws `BadArgError` if the name or an option is wrong.
 */
export function registry<Key = string, Value = void, P extends Protocol = any>(
  name: string,
  options: RegistryOptions & { readonly keys: 'unique' },
): UniqueRegistry<Key, Value, P>;
export function registry<Key = string, Value = void>(
  name: string,
  options: RegistryOptions & { readonly keys: 'duplicate' },
): Registry<Key, Value>;
export function registry(name: string, options: RegistryOptions): Registry<any, any> {
  checkObject(options, `registry ${shown(name)}: its options`);
  return options.keys === 'unique' ? new UniqueRegistry(name, options) : new Registry(name, options);
}
