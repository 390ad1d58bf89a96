import type { Next } from '../server/server-result.ts';
import type { ProcessFunction } from './context.ts';
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

/** What a process can be started with. */
export type Code = Behaviour | ProcessFunction<any>;

/** What was started, as reports say it (proc_lib: $initial_call). */
export function initialCallOf(code: Code): string {
  if (typeof code === 'function') return code.name || 'function';
  const { module, exportName } = code;
  return `${module.slice(module.lastIndexOf('/') + 1)}#${exportName}`;
}
