import type { Next } from '../server/server-result.ts';
import type { ProcessFunction } from './context.ts';
import { UndefError } from './errors.ts';
import { importModule } from './imports.ts';
import type { Kernel } from './kernel.ts';
import type { Process, Runner } from './process.ts';
import type { Protocol } from './protocol.ts';

declare const startType: unique symbol;
declare const protocolType: unique symbol;

/**
 * Code that a process can run, as data: the module and export that hold it. Another thread finds the code by importing
 * them, so define a behaviour at the top of a module and export it under `exportName`.
 */
export interface Behaviour<P extends Protocol = any, Start = any> {
  /** The URL of the module. */
  readonly module: string;
  readonly exportName: string;
  /** Makes the loop of one process. For the kernel, not for users. */
  readonly createRunner: (kernel: Kernel, start: Start) => BehaviourRunner;
  readonly [protocolType]?: P;
  readonly [startType]?: (start: Start) => void;
}

/** What names a behaviour on every thread. */
export type BehaviourName = Pick<Behaviour, 'module' | 'exportName'>;

/** A runner is told its process once that exists. */
export interface BehaviourRunner extends Runner {
  attach(process: Process): void;
  /** Takes over a running process with that state, without init; see `enterLoop`. */
  enter?(state: unknown, next: Next | null): void;
}

/** Where a behaviour stands: the `import.meta` of its module. */
export interface ModuleMeta {
  readonly url: string;
}

/** What a process was started with; the code of a behaviour may have to be imported first. */
export type StartedCode = BehaviourName | ProcessFunction<any>;

/** What a process can be started with. */
export type Code = Behaviour | ProcessFunction<any>;

/** What was started, as reports say it (proc_lib: $initial_call). */
export function initialCallOf(code: StartedCode): string {
  if (typeof code === 'function') return code.name || 'function';
  const { module, exportName } = code;
  return `${module.slice(module.lastIndexOf('/') + 1)}#${exportName}`;
}

const imported = new Map<string, Behaviour>();

/** The behaviour that those name, if this thread has imported it for another thread before. */
export function importedBehaviour({ module, exportName }: BehaviourName): Behaviour | undefined {
  return imported.get(`${module}#${exportName}`);
}

/** Imports a behaviour by its name; rejects with `UndefError` if there is none. */
export async function importBehaviour(name: BehaviourName): Promise<Behaviour> {
  const { module, exportName } = name;
  const exports = await importModule(module).catch((error: unknown) => {
    throw new UndefError(`cannot import ${module} for '${exportName}' on another thread`, { cause: error });
  });
  const found = exports[exportName];
  if (isBehaviour(found)) {
    imported.set(`${module}#${exportName}`, found);
    return found;
  }
  const hint = `export it there: export const ${exportName} = …`;
  const what = found === undefined ? 'has no export' : 'exports something else as';
  throw new UndefError(`${module} ${what} '${exportName}'; ${hint}`);
}

export function isBehaviour(value: unknown): value is Behaviour {
  if (typeof value !== 'object' || value === null) return false;
  const { module, exportName, createRunner } = value as Partial<Behaviour>;
  return typeof createRunner === 'function' && typeof module === 'string' && typeof exportName === 'string';
}
