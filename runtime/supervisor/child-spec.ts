import { checkObject, shown } from '../kernel/arguments.ts';
import type { Behaviour } from '../kernel/behaviour.ts';
import { type ProcessOptions, processOptions } from '../kernel/context.ts';
import { processOptionError } from '../kernel/start-check.ts';
import { isTime } from '../kernel/time.ts';
import type { ViaName } from '../kernel/via.ts';
import { RESTART_INTENSITY, RESTART_PERIOD_MS, WORKER_SHUTDOWN_MS } from '../limits.ts';
import type { AutoShutdown, RestartType, Strategy } from './restart.ts';

/** How a supervisor stops a child: kill at once, wait that many milliseconds and then kill, or wait for ever. */
export type Shutdown = 'brutal_kill' | number | 'infinity';

/**
 * What a supervisor needs to start, restart and stop one child (supervisor, "Child specification"): plain data, except
 * that `start.behaviour` stands for a module and an export.
 */
export interface ChildSpec extends ProcessOptions {
  /** Unique in its supervisor. */
  readonly id: string;
  /** What runs, and what its init gets at each start. */
  readonly start: { readonly behaviour: Behaviour; readonly arg: unknown };
  /** When it is restarted; see `ChildOptions`. */
  readonly restart: RestartType;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  /** Whether its end may end the supervisor. */
  readonly significant: boolean;
  /** Registered before each init. */
  readonly name?: string | ViaName;
}

/** What may be said of a child beside its behaviour and its argument (supervisor, "Child specification"). */
export interface ChildOptions extends ProcessOptions {
  /** Unique in its supervisor. Default: the behaviour's export name. */
  readonly id?: string;
  /** Registered before each init. Default: none. */
  readonly name?: string | ViaName;
  /** `'permanent'` (default): always restarted. `'transient'`: after an abnormal exit. `'temporary'`: never. */
  readonly restart?: RestartType;
  /** Default 5,000 ms; a supervisor `'infinity'`. */
  readonly shutdown?: Shutdown;
  /** Its end may end the supervisor, see `autoShutdown`. Default false. */
  readonly significant?: boolean;
}

/** Flags of a supervisor (supervisor, "Supervisor flags"). */
export interface SupervisorFlags {
  /**
   * Who is restarted when a child fails: it alone (`'one_for_one'`, default), all (`'one_for_all'`), it and those after
   * it (`'rest_for_one'`), or it, of any number of equal children (`'simple_one_for_one'`).
   */
  readonly strategy?: Strategy;
  /** Restarts within `periodMs` after which one more makes the supervisor give up. Default 1. */
  readonly intensity?: number;
  /** Default 5,000 ms. */
  readonly periodMs?: number;
  /**
   * Whether the supervisor stops its children and exits `'shutdown'` when significant ones end by themselves and are
   * not restarted: `'never'` (default), at the first (`'any_significant'`), or with the last that runs
   * (`'all_significant'`).
   */
  readonly autoShutdown?: AutoShutdown;
  /**
   * How many children a `'simple_one_for_one'` supervisor has at the most; then `startChild` returns `{ error:
   * 'max_children' }` (DynamicSupervisor, max_children). Default `'infinity'`.
   */
  readonly maxChildren?: number | 'infinity';
}

export interface SupervisorStart {
  /** What reports call it if it has no registered name. */
  readonly id: string;
  readonly flags: Required<SupervisorFlags>;
  readonly children: readonly ChildSpec[];
}

/**
 * What is wrong with a specification or a flag, in OTP's terms: `'missing_id'`, `'missing_start'`; `{ bad_combination:
 * {…} }` of several; `{ duplicate_child_name: id }`; else `{ invalid_…: value }`: `invalid_child_spec`,
 * `invalid_child_id`, `invalid_restart_type`, `invalid_shutdown`, `invalid_child_type`, `invalid_significant`,
 * `invalid_name`, `invalid_handler_timeout`, `invalid_attribute`, `invalid_mailbox_max`, `invalid_mailbox_policy`,
 * `invalid_hibernate_after` of children, `invalid_strategy`, `invalid_intensity`, `invalid_period`,
 * `invalid_auto_shutdown`, `invalid_max_children` of flags.
 */
export type SpecError = 'missing_id' | 'missing_start' | { readonly [term: string]: unknown };

const strategies = new Set<unknown>(['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one']);
const restarts = new Set<unknown>(['permanent', 'transient', 'temporary']);
const autoShutdowns = new Set<unknown>(['never', 'any_significant', 'all_significant']);
const types = new Set<unknown>(['worker', 'supervisor']);

/**
 * The specification of a child. Plain data; nothing starts. Options and defaults: `ChildOptions`. A wrong value makes
 * the supervisor refuse it with OTP's error term when it is started there; options that are no object throw
 * `BadArgError`.
 */
export function child<Start>(behaviour: Behaviour<any, Start>, arg: Start, options: ChildOptions = {}): ChildSpec {
  return spec(behaviour, arg, 'worker', WORKER_SHUTDOWN_MS, options);
}

/** Completes a specification; shared with `supervisor()`, whose children default to waiting for ever. */
export function spec(
  behaviour: Behaviour,
  arg: unknown,
  type: ChildSpec['type'],
  defaultShutdown: Shutdown,
  options: ChildOptions,
): ChildSpec {
  checkObject(options, `the options of child ${shown(behaviour?.exportName)}`);
  const { id, restart, shutdown, significant, name } = options;
  return {
    id: id ?? behaviour?.exportName,
    start: { behaviour, arg },
    restart: restart ?? 'permanent',
    shutdown: shutdown ?? defaultShutdown,
    type,
    significant: significant ?? false,
    ...(name === undefined ? {} : { name }),
    ...processOptions(options),
  };
}

export function completeFlags(flags: SupervisorFlags): Required<SupervisorFlags> {
  checkObject(flags, 'the flags of a supervisor');
  return {
    strategy: flags.strategy ?? 'one_for_one',
    intensity: flags.intensity ?? RESTART_INTENSITY,
    periodMs: flags.periodMs ?? RESTART_PERIOD_MS,
    autoShutdown: flags.autoShutdown ?? 'never',
    maxChildren: flags.maxChildren ?? 'infinity',
  };
}

/** supervisor:init/1 checks of the flags; undefined if they are sound. */
export function checkFlags(flags: Required<SupervisorFlags>): SpecError | undefined {
  const { strategy, intensity, periodMs, autoShutdown, maxChildren } = flags;
  if (!strategies.has(strategy)) return { invalid_strategy: strategy };
  if (!Number.isSafeInteger(intensity) || intensity < 0) return { invalid_intensity: intensity };
  if (!(typeof periodMs === 'number' && periodMs > 0)) return { invalid_period: periodMs };
  if (!autoShutdowns.has(autoShutdown)) return { invalid_auto_shutdown: autoShutdown };
  if (maxChildren === 'infinity') return undefined;
  if (!Number.isSafeInteger(maxChildren) || maxChildren < 0) return { invalid_max_children: maxChildren };
  if (strategy !== 'simple_one_for_one') return { bad_combination: { strategy, max_children: maxChildren } };
  return undefined;
}

/** supervisor:check_childspecs/2 for one child; undefined if it is sound. */
export function checkChildSpec(child: ChildSpec, autoShutdown: AutoShutdown): SpecError | undefined {
  if (typeof child !== 'object' || child === null) return { invalid_child_spec: child };
  if (child.id === undefined) return 'missing_id';
  if (typeof child.id !== 'string') return { invalid_child_id: child.id };
  if (typeof child.start?.behaviour?.createRunner !== 'function') return 'missing_start';
  if (!restarts.has(child.restart)) return { invalid_restart_type: child.restart };
  if (!isShutdown(child.shutdown)) return { invalid_shutdown: child.shutdown };
  if (!types.has(child.type)) return { invalid_child_type: child.type };
  if (typeof child.significant !== 'boolean') return { invalid_significant: child.significant };
  const wrong = processOptionError(child);
  if (wrong !== undefined) return wrong.term;
  if (!child.significant) return undefined;
  if (autoShutdown === 'never') return { bad_combination: { auto_shutdown: autoShutdown, significant: true } };
  if (child.restart === 'permanent') return { bad_combination: { restart: child.restart, significant: true } };
  return undefined;
}

/** All children of a supervisor; undefined if they are sound. */
export function checkChildSpecs(start: SupervisorStart): SpecError | undefined {
  const { flags, children } = start;
  if (!Array.isArray(children)) return { bad_start_spec: children };
  if (flags.strategy === 'simple_one_for_one' && children.length !== 1) return { bad_start_spec: children };
  const ids = new Set<string>();
  for (const child of children) {
    const error = checkChildSpec(child, flags.autoShutdown);
    if (error !== undefined) return { start_spec: error };
    if (ids.has(child.id)) return { start_spec: { duplicate_child_name: child.id } };
    ids.add(child.id);
  }
  return undefined;
}

function isShutdown(value: unknown): value is Shutdown {
  return value === 'brutal_kill' || value === 'infinity' || isTime(value);
}
