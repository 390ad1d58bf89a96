/** Replays one scenario in a system of its own, on a clock that moves only when nothing else does. */

import {
  CallError,
  child,
  type Pid,
  type System,
  startChild,
  startSystem,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { type SimulatedClock, settle, simulatedClock } from '../../runtime/testing.ts';
import { Attempts, countAttempt } from './attempts.ts';
import { childSpec } from './child-specs.ts';
import { act, count, type Driver, type Result, resultText, which } from './driver.ts';
import { type LaneContext, lanesOf } from './lanes.ts';
import { type Instance, instanceName, Recorder } from './recorder.ts';
import { joinPath, type Scenario, type Step, type SupervisorNode, type Trace } from './scenario.ts';
import type { WorkerProtocol } from './worker.ts';

const tickMs = 10;
/** No action takes this long, or needs so many looks at the tree: what has not come to rest by then never will. */
const restLimitMs = 60_000;
const looksMax = 1_000;

/** `jitter`: the seed of the delays that workers make; 0 for none. Rejects if the tree never comes to rest. */
export async function replay(scenario: Scenario, jitter: number): Promise<Trace> {
  const name = `oracle ${scenario.id}`;
  const templates = templatesOf(scenario.root, '');
  const clock = simulatedClock();
  const recorder = new Recorder(name, (path) => templates.has(path));
  let system: System | undefined;
  try {
    system = await startSystem({ name, clock, children: [child(Attempts, undefined)] });
    recorder.begin(system.root);
    return await new Replay(scenario, jitter, system, clock, recorder, templates).run();
  } finally {
    recorder.stop();
    // A tree that hangs cannot be stopped in order; leaving the system to itself would keep the program alive.
    if (system !== undefined) await stopHard(system, clock);
  }
}

class Replay {
  private readonly scenario: Scenario;
  private readonly system: System;
  private readonly clock: SimulatedClock;
  private readonly recorder: Recorder;
  private readonly driver: Driver;
  private readonly lanes: LaneContext;

  constructor(
    scenario: Scenario,
    jitter: number,
    system: System,
    clock: SimulatedClock,
    recorder: Recorder,
    templates: ReadonlyMap<string, string>,
  ) {
    this.scenario = scenario;
    this.system = system;
    this.clock = clock;
    this.recorder = recorder;
    const sender = (from: unknown): string => recorder.sender(from);
    const template = (path: string): string | undefined => templates.get(path);
    this.driver = {
      system,
      jitter,
      sender,
      latest: (path) => recorder.latest.get(path),
      isDynamic: (path) => templates.has(path),
    };
    const { instances, started, terminating } = recorder;
    this.lanes = { instances, started, terminating, sender, template, perChild: scenario.per_child === true };
  }

  async run(): Promise<Trace> {
    const { root, actions } = this.scenario;
    const { system } = this;
    // The root of the scenario is a child that its parent never restarts, and that strangers cannot order to stop.
    const spec = { ...childSpec(root, '', this.driver.jitter), restart: 'temporary' } as const;
    const steps = [await this.step('start', () => this.started(spec))];
    for (const action of actions) {
      steps.push(
        await this.step(action.op, () => (action.op === 'sleep' ? this.sleep(action.ms) : act(this.driver, action))),
      );
    }
    const final = await this.snapshot();
    steps.push(
      await this.step('stop_root', async () => {
        const pid = this.recorder.latest.get(root.id);
        if (pid === undefined || !system.isAlive(pid)) return { error: 'dead' };
        return await terminateChild(system, system.root, root.id);
      }),
    );
    const leaks = this.living().map(([, instance]) => instanceName(instance));
    return { steps, final, leaks: leaks.sort() };
  }

  private async started(spec: Parameters<typeof startChild>[2]): Promise<Result> {
    const result = await startChild(this.system, this.system.root, spec);
    return 'error' in result ? { error: result.error } : result;
  }

  private async sleep(ms: number): Promise<'ok'> {
    await this.clock.advance(ms);
    return 'ok';
  }

  private async step(op: string, run: () => Promise<Result>): Promise<Step> {
    const { events } = this.recorder;
    const mark = events.length;
    const result = await this.atRest(run());
    this.place();
    const lanes = lanesOf(events.slice(mark), this.lanes);
    const res = resultText(this.driver, result);
    return lanes === undefined ? { op, res } : { op, res, lanes };
  }

  private place(): void {
    this.recorder.place((path) => countAttempt(this.system, path));
  }

  /** Waits for a result, and then until nothing happens any more: everybody answers, nobody has anything to tell. */
  private async atRest<T>(result: Promise<T>): Promise<T> {
    const { events } = this.recorder;
    const value = await this.untilSettled(result);
    for (let looks = 0; looks < looksMax; looks++) {
      const mark = events.length;
      this.place();
      const calm = await this.untilSettled(this.everybodyIsCalm());
      if (calm && events.length === mark && this.clock.pending === 0) return value;
    }
    throw new Error(`after ${looksMax} looks the tree is not at rest`);
  }

  /** Moves time on until the promise has settled and no timer waits. */
  private async untilSettled<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => 'reported by whoever awaits it below');
    const limit = this.clock.now() + restLimitMs;
    await settle();
    while (!settled || this.clock.pending > 0) {
      if (this.clock.now() >= limit) throw new Error(`nothing has answered for ${restLimitMs} ms`);
      await this.clock.advance(tickMs);
    }
    return watched;
  }

  /** Asks every living process. One that is busy answers late; one that ends meanwhile does not answer at all. */
  private async everybodyIsCalm(): Promise<boolean> {
    const answers = this.living().map(([pid, { type }]) => (type === 'worker' ? this.answers(pid) : this.isCalm(pid)));
    try {
      return (await Promise.all(answers)).every((calm) => calm);
    } catch (error) {
      if (error instanceof CallError) return false;
      throw error;
    }
  }

  private async answers(worker: Pid): Promise<boolean> {
    await this.system.call<WorkerProtocol, 'ping'>(worker, 'ping', undefined, { timeoutMs: 'infinity' });
    return true;
  }

  /** A supervisor that lists a dead child has not read its exit signal yet. */
  private async isCalm(supervisor: Pid): Promise<boolean> {
    const rows = await whichChildren(this.system, supervisor);
    return rows.every(({ pid }) => pid === undefined || (pid !== 'restarting' && this.system.isAlive(pid)));
  }

  private living(): [Pid, Instance][] {
    return [...this.recorder.instances].filter(([pid]) => this.system.isAlive(pid));
  }

  private async snapshot(): Promise<Trace['final']> {
    const rows: [string, { which: readonly string[]; count: string }][] = [];
    for (const [pid, instance] of this.living()) {
      if (instance.type === 'worker') continue;
      const listed = await which(this.driver, pid, instance.path);
      rows.push([instanceName(instance), { which: listed, count: await count(this.driver, pid) }]);
    }
    return Object.fromEntries(rows);
  }
}

/** The `simple_one_for_one` supervisors of a tree, with the id of the template of each. */
function templatesOf(node: SupervisorNode, parent: string, found = new Map<string, string>()): Map<string, string> {
  const path = joinPath(parent, node.id);
  const first = node.children[0];
  if (node.strategy === 'simple_one_for_one' && first !== undefined) found.set(path, first.id);
  for (const each of node.children) if (each.type === 'supervisor') templatesOf(each, path, found);
  return found;
}

/** Kills what does not stop. */
async function stopHard(system: System, clock: SimulatedClock): Promise<void> {
  system.exitProcess(system.root, 'kill');
  let stopped = false;
  const stopping = system.terminated.then(() => {
    stopped = true;
  });
  await settle();
  while (!stopped) await clock.advance(tickMs);
  await stopping;
}
