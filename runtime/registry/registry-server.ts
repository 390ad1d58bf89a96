import type { Name, Pid } from '../kernel/pid.ts';
import { type GenServer, sealedServer } from '../server/gen-server.ts';
import { noreply } from '../server/server-result.ts';
import { RegistryEntries, type RegistryEntry } from './registry-entries.ts';

export interface RegistryStart {
  readonly name: string;
  readonly listeners: readonly Name[];
}

/** What a listener of a registry understands: info messages for each registration that comes and goes. */
export interface RegistryListenerInfo<Key = any, Value = any> {
  /** A process has registered. */
  readonly register: RegistryEntry<Key, Value> & { readonly registry: string };
  /** A registration has ended, by itself or with its process. */
  readonly unregister: { readonly registry: string; readonly key: Key; readonly pid: Pid };
}

export const registryTable = (name: string): string => `registry:${name}`;

/**
 * Holds the entries of one registry, and lets others read and write them without a message. It is linked to all who are
 * registered: if it crashes they exit too, since nobody could find them any more, and register again when restarted.
 */
export const RegistryServer: GenServer<Record<never, never>, RegistryStart> = sealedServer(
  import.meta,
  'RegistryServer',
  {
    init({ name, listeners }, ctx) {
      ctx.trapExit(true);
      ctx.setLabel(`registry ${name}`);
      const tell = (tag: string, payload: object): void => {
        for (const listener of listeners) if (ctx.whereis(listener) !== undefined) ctx.send(listener, tag, payload);
      };
      const entries = new RegistryEntries(
        ctx.self,
        (entry) => tell('register', { registry: name, ...entry }),
        ({ key, pid }) => tell('unregister', { registry: name, key, pid }),
      );
      ctx.openPort({ close: () => entries.close() });
      ctx.newTable<string, RegistryEntries>(registryTable(name)).set('entries', entries);
      return entries;
    },
    handleInfo: {
      // A process that was registered has exited; its entries went with it.
      EXIT: (entries) => noreply(entries),
    },
  },
);
