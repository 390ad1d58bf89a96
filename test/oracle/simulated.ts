/** A scenario in a system of its own, on one thread and a clock that moves only when nothing else does. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Pid, type System, startSystem } from '../../runtime/index.ts';
import { type SimulatedClock, settle, simulatedClock } from '../../runtime/testing.ts';
import { attemptsOf, countAttempt, pathsOf } from './attempts.ts';
import type { Making } from './child-specs.ts';
import type { Gate } from './gate.ts';
import { here } from './places.ts';
import { type Listen, Recorder } from './recorder.ts';
import { Replay } from './replay.ts';
import { tickMs, untilAtRest, untilQuiet, untilSettled } from './rest.ts';
import { isDynamic, nodeAt, type Scenario, type Trace } from './scenario.ts';
import type { Setting } from './setting.ts';

/** `jitter`: the seed of the delays that workers make; 0 for none. Rejects if the tree never comes to rest. */
export async function replay(scenario: Scenario, jitter: number): Promise<Trace> {
  const name = `oracle ${scenario.id}`;
  const clock = simulatedClock();
  const attempts = attemptsOf(pathsOf(scenario));
  const recorder = new Recorder(eventsOf(name), {
    isDynamic: (path) => isDynamic(nodeAt(scenario.root, path)),
    countAttempt: (path) => countAttempt(attempts, path),
    namePrefix: '',
  });
  let system: System | undefined;
  try {
    system = await startSystem({ name, clock, children: [] });
    recorder.begin(system.root);
    const making = { jitter, attempts, namePrefix: '', place: here };
    return await new Replay(new Simulated(system, clock, recorder, making), scenario).run();
  } finally {
    recorder.stop();
    if (system !== undefined) await stopHard(system, clock);
  }
}

class Simulated implements Setting {
  readonly system: System;
  readonly recorder: Recorder;
  readonly making: Making;
  readonly clock: SimulatedClock;

  constructor(system: System, clock: SimulatedClock, recorder: Recorder, making: Making) {
    this.system = system;
    this.clock = clock;
    this.recorder = recorder;
    this.making = making;
  }

  get top(): Pid {
    return this.system.root;
  }

  answer<T>(promise: Promise<T>): Promise<T> {
    return untilSettled(this.clock, promise);
  }

  sleep(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  untilAtRest(): Promise<void> {
    return untilAtRest(this);
  }

  untilQuiet(gate: Gate): Promise<void> {
    return untilQuiet(this.clock, () => gate.isHolding);
  }

  /** Within one thread what is sent is there. */
  async untilDelivered(): Promise<void> {}
}

function eventsOf(system: string): Listen {
  return (channel, listener) => {
    const ofSystem = (event: unknown): void => {
      if ((event as { readonly system: string }).system === system) listener(event);
    };
    subscribe(channel, ofSystem);
    return () => unsubscribe(channel, ofSystem);
  };
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
