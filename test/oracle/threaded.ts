/** A scenario among others on a stage with worker threads, in real time. */

import { CallError, Pid, whichChildren } from '../../runtime/index.ts';
import { attemptsOf, countAttempt, pathsOf } from './attempts.ts';
import type { Making } from './child-specs.ts';
import type { Gate } from './gate.ts';
import { placesOn } from './places.ts';
import { Recorder } from './recorder.ts';
import { Replay } from './replay.ts';
import { isDynamic, nodeAt, type Scenario, type Trace } from './scenario.ts';
import type { Setting } from './setting.ts';
import type { Stage } from './stage.ts';
import type { WorkerProtocol } from './worker.ts';

/** No scenario takes this long; with a thread to start for every process, on a busy machine. */
const limitMs = 60_000;
const isolatedLimitMs = 600_000;
/** So many looks in a row that find the tree at rest, and nothing new. */
const quietLooks = 2;

/** `jitter`: the seed of the delays that workers make; 0 for none. Rejects if the tree never comes to rest. */
export async function replayOn(stage: Stage, scenario: Scenario, jitter: number): Promise<Trace> {
  const attempts = attemptsOf(pathsOf(scenario));
  const namePrefix = `${scenario.id}: `;
  const top = await stage.newTop(scenario.id);
  await stage.untilArrived();
  const recorder = new Recorder(stage.events.of(top), {
    isDynamic: (path) => isDynamic(nodeAt(scenario.root, path)),
    countAttempt: (path) => countAttempt(attempts, path),
    namePrefix,
  });
  recorder.begin(top, stage.driver);
  const making = { jitter, attempts, namePrefix, place: placesOn(stage.threads) };
  const setting = new Threaded(stage, top, recorder, making);
  try {
    return await Promise.race([new Replay(setting, scenario).run(), setting.untilTooLate()]);
  } finally {
    setting.isOver = true;
    recorder.stop();
    stage.system.exitProcess(top, 'kill');
  }
}

class Threaded implements Setting {
  readonly stage: Stage;
  readonly top: Pid;
  readonly recorder: Recorder;
  readonly making: Making;
  isOver = false;
  private unrest = 'nothing';

  constructor(stage: Stage, top: Pid, recorder: Recorder, making: Making) {
    this.stage = stage;
    this.top = top;
    this.recorder = recorder;
    this.making = making;
  }

  get system(): Stage['system'] {
    return this.stage.system;
  }

  answer<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  sleep(ms: number): Promise<void> {
    return this.stage.sleep(ms);
  }

  untilDelivered(): Promise<void> {
    if (this.stage.threads === 'isolated') {
      throw new Error('a `during` needs threads with a number: nobody else is on the thread of a supervisor to ask');
    }
    return this.stage.untilArrived();
  }

  /** Whoever is blocked by the gate is not waited for. */
  async untilQuiet(gate: Gate): Promise<void> {
    await Promise.race([this.untilAtRest(), gate.untilHolding]);
  }

  async untilTooLate(): Promise<never> {
    const waitMs = this.stage.threads === 'isolated' ? isolatedLimitMs : limitMs;
    await this.stage.sleep(waitMs);
    throw new Error(`after ${waitMs} ms the tree is not at rest: ${this.unrest}; ${this.stage.events.gap}`);
  }

  async untilAtRest(): Promise<void> {
    const { recorder, stage } = this;
    await stage.untilArrived();
    for (let quiet = 0; quiet < quietLooks && !this.isOver; ) {
      const before = recorder.seen;
      const unrest = await this.look();
      await stage.untilArrived();
      if (unrest !== undefined) this.unrest = unrest;
      quiet = unrest === undefined && recorder.seen === before ? quiet + 1 : 0;
    }
  }

  /** Asks every process that there is. What is not yet done, if anything is. */
  private async look(): Promise<string | undefined> {
    this.recorder.place();
    const findings = await Promise.all([...this.recorder.running].map((pid) => this.lookAt(pid)));
    return findings.find((finding) => finding !== undefined);
  }

  /** A process that is busy answers late; one that ends meanwhile does not answer at all. */
  private async lookAt(pid: Pid): Promise<string | undefined> {
    const { recorder, system } = this;
    const instance = recorder.instances.get(pid);
    if (instance === undefined) return `${pid} has no place`;
    try {
      const calm = await (instance.type === 'supervisor' ? this.isCalm(pid) : this.hasNothingToCome(pid));
      if (!calm) return `${instance.path} has something to do`;
    } catch (error) {
      if (error instanceof CallError) return `${instance.path} has ended`;
      throw error;
    }
    const parent = recorder.parentOf(pid);
    return parent !== undefined && system.isAlive(parent) ? undefined : `${instance.path} is an orphan`;
  }

  /** A supervisor that lists a dead child has not read its exit signal yet. */
  private async isCalm(supervisor: Pid): Promise<boolean> {
    const rows = await whichChildren(this.system, supervisor);
    return rows.every(({ pid }) => pid === undefined || (pid instanceof Pid && this.recorder.running.has(pid)));
  }

  private hasNothingToCome(worker: Pid<WorkerProtocol>): Promise<boolean> {
    return this.system.call(worker, 'calm', undefined, { timeoutMs: 'infinity' });
  }
}
