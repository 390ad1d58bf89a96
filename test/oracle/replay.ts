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
import { act, type Driver, type Result, resultText, snapshot } from './driver.ts';
import { Gate } from './gate.ts';
import { type LaneContext, lanesOf } from './lanes.ts';
import { type Instance, instanceName, Recorder } from './recorder.ts';
import { tickMs, untilAtRest, untilQuiet, untilSettled } from './rest.ts';
import {
  type Action,
  type During,
  isDynamic,
  nodeAt,
  type Scenario,
  type Step,
  type SupervisorNode,
  type Trace,
} from './scenario.ts';

/** `jitter`: the seed of the delays that workers make; 0 for none. Rejects if the tree never comes to rest. */
export async function replay(scenario: Scenario, jitter: number): Promise<Trace> {
  const name = `oracle ${scenario.id}`;
  const clock = simulatedClock();
  const recorder = new Recorder(name, (path) => isDynamic(nodeAt(scenario.root, path)));
  let system: System | undefined;
  try {
    system = await startSystem({ name, clock, children: [child(Attempts, undefined)] });
    recorder.begin(system.root);
    return await new Replay(system, clock, recorder, scenario, jitter).run();
  } finally {
    recorder.stop();
    if (system !== undefined) await stopHard(system, clock);
  }
}

class Replay {
  private readonly system: System;
  private readonly clock: SimulatedClock;
  private readonly recorder: Recorder;
  private readonly scenario: Scenario;
  private readonly driver: Driver;
  private readonly gate: Gate;

  constructor(system: System, clock: SimulatedClock, recorder: Recorder, scenario: Scenario, jitter: number) {
    this.system = system;
    this.clock = clock;
    this.recorder = recorder;
    this.scenario = scenario;
    this.driver = {
      system,
      jitter,
      sender: (from) => recorder.sender(from),
      process: (path, attempt) => recorder.process(path, attempt),
      node: (path) => nodeAt(scenario.root, path),
    };
    this.gate = new Gate(system);
    recorder.onHold = (worker) => this.gate.arrived(worker);
  }

  async run(): Promise<Trace> {
    const { root, actions } = this.scenario;
    const lanes = this.laneContext();
    const steps = [await this.step('start', () => this.start(root), lanes)];
    for (const action of actions) steps.push(await this.step(action.op, () => this.perform(action), lanes));
    const final = await this.snapshot();
    steps.push(await this.step('stop_root', () => this.stop(root), lanes));
    const leaks = this.living().map(([, instance]) => instanceName(instance));
    return { steps, final, leaks: leaks.sort() };
  }

  private laneContext(): LaneContext {
    const { instances, started, terminating } = this.recorder;
    const { sender, node } = this.driver;
    const template = (path: string): string | undefined => {
      const at = node(path);
      return isDynamic(at) ? at.children[0]?.id : undefined;
    };
    return { instances, started, terminating, sender, template, perChild: this.scenario.per_child === true };
  }

  /** The scenario's root is a child of the system's, which never restarts it: its processes do not know the driver. */
  private async start(root: SupervisorNode): Promise<Result> {
    const spec: ChildSpec = { ...childSpec(root, '', this.driver.jitter), restart: 'temporary' };
    const result = await untilSettled(this.clock, startChild(this.system, this.system.root, spec));
    return 'error' in result ? { error: result.error } : result;
  }

  private async stop(root: SupervisorNode): Promise<Result> {
    const pid = this.recorder.process(root.id);
    if (pid === undefined || !this.system.isAlive(pid)) return { error: 'dead' };
    return await untilSettled(this.clock, terminateChild(this.system, this.system.root, root.id));
  }

  private async perform(action: Action): Promise<Result | readonly Result[]> {
    if (action.op === 'during') return await this.performDuring(action);
    if (action.op !== 'sleep') return await untilSettled(this.clock, act(this.driver, action));
    await this.clock.advance(action.ms);
    return 'ok';
  }

  private async performDuring({ action, calls }: During): Promise<readonly Result[]> {
    this.gate.close();
    const first = await untilSettled(this.clock, act(this.driver, action));
    await untilQuiet(this.clock, () => this.gate.isHolding);
    this.place();
    // All are sent now: they wait in the mailbox of the supervisor while the start is held.
    const answers = calls.map((call) => act(this.driver, call));
    this.gate.open();
    return [first, ...(await untilSettled(this.clock, Promise.all(answers)))];
  }

  private async step(op: string, run: () => Promise<Result | readonly Result[]>, context: LaneContext): Promise<Step> {
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
      rows.push([instanceName(instance), await snapshot(this.driver, pid, instance.path)]);
    }
    return Object.fromEntries(rows);
  }
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
