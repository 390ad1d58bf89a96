import {
  badArgument,
  checkArray,
  checkFunction,
  checkObject,
  checkText,
  isObject,
  shown,
} from '../kernel/arguments.ts';
import type { Context, Messaging } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import { type Name, name } from '../kernel/pid.ts';
import type { MaybePromise } from '../kernel/protocol.ts';
import { type ChildOptions, type ChildSpec, child } from '../supervisor/child-spec.ts';
import type { RestartType } from '../supervisor/restart.ts';
import {
  ApplicationController,
  type ApplicationInfo,
  type ApplicationProtocol,
  type ApplicationResult,
  type BootApplication,
} from './application-controller.ts';

/** A part of a system that is started and stopped as a whole; made by `application`. */
export interface Application {
  readonly name: string;
  /** For the runtime, not for users. */
  readonly definition: ApplicationDefinition;
}

/**
 * What the start of an application brings: its top process, with a state for the callbacks at its end; or a refusal.
 */
export type ApplicationStart<State> =
  | ChildSpec
  | { readonly top: ChildSpec; readonly state: State }
  | { readonly error: ExitReason };

/** The callbacks of an application (application, "Callback Module"; .app, `applications`). Each may be async. */
export interface ApplicationCallbacks<State = undefined> {
  /** Those that must run before it. Default none. */
  readonly applications?: readonly Application[];
  /**
   * Returns the top process, which is started then: usually a supervisor (start/2). Without `start` the application is
   * a library: it is started and stopped, and runs nothing. `ctx` is that of the process above the top.
   */
  readonly start?: (ctx: Context) => MaybePromise<ApplicationStart<State>>;
  /** Runs before the processes are stopped, or when the top has exited; returns the state for `stop` (prep_stop/1). */
  readonly prepStop?: (state: State, ctx: Context) => MaybePromise<State>;
  /** Runs when all processes have exited (stop/1). */
  readonly stop?: (state: State, ctx: Context) => unknown;
}

/** The callbacks as the runtime uses them. */
export interface ApplicationDefinition {
  readonly applications: readonly Application[];
  readonly start: ((ctx: Context) => MaybePromise<ApplicationStart<any>>) | undefined;
  readonly prepStop: ((state: any, ctx: Context) => unknown) | undefined;
  readonly stop: ((state: any, ctx: Context) => unknown) | undefined;
}

type Caller = Pick<Messaging, 'call'>;

const controller: Name<ApplicationProtocol> = name('application_controller');
/** Starting and stopping takes as long as it takes. */
const wait = { timeoutMs: 'infinity' } as const;

/**
 * Defines an application (application(3)); nothing starts. Its name is unique in a system. A `prepStop` or `stop` that
 * throws is published on `beamish:application-report`, and keeps nothing from stopping. Throws `BadArgError` if the
 * callbacks are malformed.
 */
export function application<State = undefined>(
  applicationName: string,
  callbacks: ApplicationCallbacks<State>,
): Application {
  checkText(applicationName, 'the name of an application');
  const owner = `application '${applicationName}'`;
  checkObject(callbacks, `${owner}: its callbacks`);
  const { applications = [], start, prepStop, stop } = callbacks;
  for (const [key, callback] of Object.entries({ start, prepStop, stop })) {
    if (callback !== undefined) checkFunction(callback, `${owner}: ${key}`);
  }
  checkArray(applications, `${owner}: applications`);
  for (const needed of applications) {
    if (!isApplication(needed)) throw badArgument(`${owner}: each of applications`, 'an application', needed);
  }
  const definition = Object.freeze({ applications: Object.freeze([...applications]), start, prepStop, stop });
  return Object.freeze({ name: applicationName, definition });
}

/**
 * The specification of the process that starts and stops applications: one child of the system, named
 * `application_controller`. Put it after the children that applications need.
 *
 * `boot`: what is started with it, in that order, each after the applications that it needs; alone an application is
 * `'permanent'`. If one fails, so does the start, with `{ application_start_failure: { application, reason } }`. When
 * the system stops, all applications are stopped in the reverse order of their starts; how long that may take is up to
 * their processes, unless `shutdown` (default `'infinity'`) is a time.
 *
 * The restart type of an application says what its end by itself means: `'temporary'`: nothing; `'transient'`: with
 * another reason than `'normal'` the system stops; `'permanent'`: it stops in any case. So does a start that fails, but
 * for temporary ones. `system.terminated` is then `{ application_terminated: { application, reason } }` or
 * `{ application_start_failure: … }`; the Node.js process goes on.
 */
export function applicationController(
  boot: readonly (Application | BootApplication)[] = [],
  options: Omit<ChildOptions, 'id' | 'name'> = {},
): ChildSpec {
  checkArray(boot, 'boot');
  const complete = boot.map((each) => {
    checkObject(each, 'each of boot');
    return 'application' in each ? each : { application: each, type: 'permanent' as const };
  });
  return child(ApplicationController, complete, { shutdown: 'infinity', ...options, id: controller, name: controller });
}

/**
 * Starts an application (application:start/2) of a type, default `'temporary'`, and waits until it runs. `{ error }`:
 * `{ already_started: name }`; `{ not_started: name }`, one that it needs was not started; `{ not_running: name }`, one
 * that it needs has ended; `{ reason, start: name }`, `start` or the top process failed; `{ bad_return: { start, value
 * } }`, `start` returned anything else, or the top ignored its start; `{ invalid_restart_type }`; `{ bad_application
 * }`. Rejects with `CallError` if the system has no `applicationController`.
 */
export function startApplication(
  caller: Caller,
  app: Application,
  type: RestartType = 'temporary',
): Promise<ApplicationResult> {
  return caller.call<ApplicationProtocol, 'start'>(controller, 'start', { application: app, type }, wait);
}

/**
 * Stops an application (application:stop/1): `prepStop`, its processes, `stop`, and waits for it. Those that need it
 * run on. `{ error }`: `{ not_started: name }`, `{ bad_application }`. Not to be called by processes of the
 * application, which it would wait for.
 */
export function stopApplication(caller: Caller, app: Application | string): Promise<ApplicationResult> {
  if (typeof app !== 'string' && !isApplication(app)) return Promise.resolve({ error: { bad_application: app } });
  const appName = typeof app === 'string' ? app : app.name;
  return caller.call<ApplicationProtocol, 'stop'>(controller, 'stop', appName, wait);
}

/**
 * Starts an application after all that it needs (application:ensure_all_started/2); what runs already stays. `{ ok }`
 * with the names of what was started, in order; `{ error: { application, reason } }`, and what was started is stopped.
 */
export async function ensureAllStarted(
  caller: Caller,
  app: Application,
  type: RestartType = 'temporary',
): Promise<{ readonly ok: readonly string[] } | { readonly error: { application: string; reason: ExitReason } }> {
  if (!isApplication(app)) return { error: { application: shown(app), reason: { bad_application: app } } };
  const started: string[] = [];
  const error = await ensure(caller, app, type, started);
  if (error === undefined) return { ok: started };
  for (const each of started.reverse()) await stopApplication(caller, each);
  return { error };
}

/** What runs, the newest first (application:which_applications/0). */
export function whichApplications(caller: Caller): Promise<readonly ApplicationInfo[]> {
  return caller.call<ApplicationProtocol, 'which'>(controller, 'which', undefined, wait);
}

function isApplication(value: unknown): value is Application {
  return isObject(value) && typeof (value as Partial<Application>).definition === 'object' && 'name' in value;
}

async function ensure(
  caller: Caller,
  app: Application,
  type: RestartType,
  started: string[],
): Promise<{ application: string; reason: ExitReason } | undefined> {
  if ((await whichApplications(caller)).some((each) => each.name === app.name)) return undefined;
  for (const needed of app.definition.applications) {
    const error = await ensure(caller, needed, type, started);
    if (error !== undefined) return error;
  }
  const result = await startApplication(caller, app, type);
  if (result === 'ok') started.push(app.name);
  const already =
    result !== 'ok' && (result.error as { readonly already_started?: string }).already_started === app.name;
  return result === 'ok' || already ? undefined : { application: app.name, reason: result.error };
}
