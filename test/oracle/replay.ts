/** Replays one scenario, wherever it is set. */

import { type ChildSpec, type Pid, type System, startChild, terminateChild } from '../../runtime/index.ts';
import { childSpec } from './child-specs.ts';
import { act, type Driver, type Result, resultText, snapshot } from './driver.ts';
import { Gate } from './gate.ts';
import { type LaneContext, lanesOf } from './lanes.ts';
import { type Instance, instanceName, type Recorder } from './recorder.ts';
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
import type { Setting } from './setting.ts';

export class Replay {
  private readonly setting: Setting;
  private readonly system: System;
  private readonly recorder: Recorder;
  private readonly scenario: Scenario;
  private readonly driver: Driver;
  private readonly gate: Gate;

  constructor(setting: Setting, scenario: Scenario) {
    const { system, recorder, making } = setting;
    this.setting = setting;
    this.system = system;
    this.recorder = recorder;
    this.scenario = scenario;
    this.driver = {
      system,
      making,
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

  /** The scenario's root is a temporary child of the top: it is never restarted, and its processes do not know us. */
  private async start(root: SupervisorNode): Promise<Result> {
    const { system, top, making } = this.setting;
    const spec: ChildSpec = { ...childSpec(root, '', making), restart: 'temporary' };
    const result = await this.setting.answer(startChild(system, top, spec));
    return 'error' in result ? { error: result.error } : result;
  }

  private async stop(root: SupervisorNode): Promise<Result> {
    const pid = this.recorder.process(root.id);
    if (pid === undefined || !this.system.isAlive(pid)) return { error: 'dead' };
    return await this.setting.answer(terminateChild(this.system, this.setting.top, root.id));
  }

  private async perform(action: Action): Promise<Result | readonly Result[]> {
    if (action.op === 'during') return await this.performDuring(action);
    if (action.op !== 'sleep') return await this.setting.answer(act(this.driver, action));
    await this.setting.sleep(action.ms);
    return 'ok';
  }

  private async performDuring({ action, calls }: During): Promise<readonly Result[]> {
    this.gate.close();
    const first = await this.setting.answer(act(this.driver, action));
    await this.setting.untilQuiet(this.gate);
    this.recorder.place();
    // All are sent now: they wait in the mailbox of the supervisor while the start is held.
    const answers = calls.map((call) => act(this.driver, call));
    await this.setting.untilDelivered();
    this.gate.open();
    return [first, ...(await this.setting.answer(Promise.all(answers)))];
  }

  private async step(op: string, run: () => Promise<Result | readonly Result[]>, context: LaneContext): Promise<Step> {
    const { recorder } = this;
    const mark = recorder.events.length;
    const result = await run();
    await this.setting.untilAtRest();
    recorder.place();
    const lanes = lanesOf(recorder.events.slice(mark), context);
    const res = resultText(this.driver, result);
    return lanes === undefined ? { op, res } : { op, res, lanes };
  }

  private living(): readonly (readonly [Pid, Instance])[] {
    this.recorder.place();
    return [...this.recorder.instances].filter(([pid]) => this.system.isAlive(pid));
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
