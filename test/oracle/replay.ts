/** Replays one scenario in a system of its own, on a clock that moves only when nothing else does. */

import {
  type ChildSpec,
  child,
  type Pid,
  type System,
  startChild,
  startSystem,
  terminateChild,
} from '../../runtime/index.ts';
import { type SimulatedClock, settle, simulatedClock } from '../../runtime/testing.ts';
import { Attempts, countAttempt } from './attempts.ts';
import { childSpec } from './child-specs.ts';
import { act, count, type Driver, type Result, resultText, which } from './driver.ts';
import { type LaneContext, lanesOf } from './lanes.ts';
import { type Instance, instanceName, Recorder } from './recorder.ts';
import { tickMs, untilAtRest, untilSettled } from './rest.ts';
import { type Action, joinPath, type Scenario, type Step, type SupervisorNode, type Trace } from './scenario.ts';

/** `jitter`: the seed of the delays that workers make; 0 for none. Rejects if the tree never comes to rest. */
export async function replay(scenario: Scenario, jitter: number): Promise<Trace> {
  const name = `oracle ${scenario.id}`;
  const clock = simulatedClock();
  const templates = templatesOf(scenario.root, '');
  const recorder = new Recorder(name, (path) => templates.has(path));
  let system: System | undefined;
  try {
    system = await startSystem({ name, clock, children: [child(Attempts, undefined)] });
    recorder.begin(system.root);
    return await new Replay(system, clock, recorder, templates, jitter).run(scenario);
  } finally {
    recorder.stop();
    if (system !== undefined) await stopHard(system, clock);
  }
}

class Replay {
  private readonly system: System;
  private readonly clock: SimulatedClock;
  private readonly recorder: Recorder;
  private readonly templates: ReadonlyMap<string, string>;
  private readonly driver: Driver;

  constructor(
    system: System,
    clock: SimulatedClock,
    recorder: Recorder,
    templates: ReadonlyMap<string, string>,
    jitter: number,
  ) {
    this.system = system;
    this.clock = clock;
    this.recorder = recorder;
    this.templates = templates;
    this.driver = {
      system,
      jitter,
      sender: (from) => recorder.sender(from),
      latest: (path) => recorder.latest.get(path),
      isDynamic: (path) => templates.has(path),
    };
  }

  async run({ root, actions, per_child }: Scenario): Promise<Trace> {
    const lanes = this.laneContext(per_child === true);
    const steps = [await this.step('start', () => this.start(root), lanes)];
    for (const action of actions) steps.push(await this.step(action.op, () => this.perform(action), lanes));
    const final = await this.snapshot();
    steps.push(await this.step('stop_root', () => this.stop(root), lanes));
    const leaks = this.living().map(([, instance]) => instanceName(instance));
    return { steps, final, leaks: leaks.sort() };
  }

  private laneContext(perChild: boolean): LaneContext {
    const { instances, started, terminating } = this.recorder;
    const { sender } = this.driver;
    return { instances, started, terminating, sender, perChild, template: (path) => this.templates.get(path) };
  }

  /** The scenario's root is a child of the system's, which never restarts it: its processes do not know the driver. */
  private async start(root: SupervisorNode): Promise<Result> {
    const spec: ChildSpec = { ...childSpec(root, '', this.driver.jitter), restart: 'temporary' };
    const result = await untilSettled(this.clock, startChild(this.system, this.system.root, spec));
    return 'error' in result ? { error: result.error } : result;
  }

  private async stop(root: SupervisorNode): Promise<Result> {
    const pid = this.recorder.latest.get(root.id);
    if (pid === undefined || !this.system.isAlive(pid)) return { error: 'dead' };
    return await untilSettled(this.clock, terminateChild(this.system, this.system.root, root.id));
  }

  private async perform(action: Action): Promise<Result> {
    if (action.op !== 'sleep') return await untilSettled(this.clock, act(this.driver, action));
    await this.clock.advance(action.ms);
    return 'ok';
  }

  private async step(op: string, run: () => Promise<Result>, context: LaneContext): Promise<Step> {
    const { system, clock, recorder } = this;
    const mark = recorder.events.length;
    const result = await run();
    this.place();
    await untilAtRest({ system, clock, living: () => this.living(), eventCount: () => recorder.events.length });
    const lanes = lanesOf(recorder.events.slice(mark), context);
    const res = resultText(this.driver, result);
    return lanes === undefined ? { op, res } : { op, res, lanes };
  }

  private living(): [Pid, Instance][] {
    this.place();
    return [...this.recorder.instances].filter(([pid]) => this.system.isAlive(pid));
  }

  private place(): void {
    this.recorder.place((path) => countAttempt(this.system, path));
  }

  private async snapshot(): Promise<Trace['final']> {
    const rows: [string, Trace['final'][string]][] = [];
    for (const [pid, instance] of this.living()) {
      if (instance.type === 'worker') continue;
      const listed = await which(this.driver, pid, instance.path);
      rows.push([instanceName(instance), { which: listed, count: await count(this.driver, pid) }]);
    }
    return Object.fromEntries(rows);
  }
}

/** The `simple_one_for_one` supervisors of a tree, with the id of the template of each. */
function templatesOf(
  node: SupervisorNode,
  parent: string,
  found: Map<string, string> = new Map(),
): Map<string, string> {
  const path = joinPath(parent, node.id);
  const first = node.children[0];
  if (node.strategy === 'simple_one_for_one' && first !== undefined) found.set(path, first.id);
  for (const each of node.children) if (each.type === 'supervisor') templatesOf(each, path, found);
  return found;
}

/** Kills: a tree that hangs cannot be stopped in order, and a system left to itself would keep the program alive. */
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
