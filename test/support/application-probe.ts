/** Applications that write down their callbacks, with a worker that a test ends. */

import {
  type Application,
  type ApplicationReport,
  application,
  applicationController,
  channels,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type RestartType,
  supervisor,
} from '../../runtime/index.ts';
import { eventsOf } from './supervision-trace.ts';
import { startTestSystem, type TestSystem } from './test-system.ts';

type WorkerProtocol = { readonly cast: { readonly exit: unknown } };
interface WorkerStart {
  readonly name: string;
  readonly log: string[];
}

/** Exits with the reason that a cast gives. */
const Worker: GenServer<WorkerProtocol, WorkerStart> = genServer(import.meta, 'Worker', {
  init: (start, ctx) => {
    ctx.trapExit(true);
    start.log.push(`${start.name} worker`);
    return start;
  },
  handleCast: { exit: (_state, reason, ctx) => ctx.exit(reason) },
  handleInfo: { EXIT: (state) => noreply(state) },
  terminate: (reason, state) => state.log.push(`${state.name} worker ${JSON.stringify(reason)}`),
});

export const workerOf = (app: string): ReturnType<typeof name<WorkerProtocol>> => name<WorkerProtocol>(`${app}.worker`);

/** An application whose top is a supervisor that restarts nothing, over a worker named `<app>.worker`. */
export function probe(app: string, log: string[], applications: readonly Application[] = []): Application {
  const worker = child(Worker, { name: app, log }, { name: `${app}.worker` });
  return application(app, {
    applications,
    start: () => {
      log.push(`${app} start`);
      return { top: supervisor(app, { intensity: 0 }, [worker]), state: 'state' };
    },
    prepStop: (state) => {
      log.push(`${app} prepStop ${state}`);
      return `${state}, prepared`;
    },
    stop: (state) => {
      log.push(`${app} stop ${state}`);
    },
  });
}

export interface ApplicationSystem extends TestSystem {
  readonly log: string[];
  readonly reports: ApplicationReport[];
  readonly a: Application;
  /** Needs a. */
  readonly b: Application;
  /** Needs b. */
  readonly c: Application;
}

/** A system with a controller, and three applications in a row that are not started, unless `boot` names some. */
export async function startApplications(
  t: Parameters<typeof startTestSystem>[0],
  boot: Readonly<Record<string, RestartType>> = {},
): Promise<ApplicationSystem> {
  const log: string[] = [];
  const a = probe('a', log);
  const b = probe('b', log, [a]);
  const c = probe('c', log, [b]);
  const first = [a, b, c].flatMap((each) => {
    const type = boot[each.name];
    return type === undefined ? [] : [{ application: each, type }];
  });
  const system = await startTestSystem(t, { children: [applicationController(first)] });
  const reports = eventsOf<ApplicationReport>(t, channels.applicationReport, system.system.name);
  return { ...system, log, reports, a, b, c };
}
