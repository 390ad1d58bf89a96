import { settle } from '../../runtime/testing.ts';
import { randoms } from '../oracle/jitter.ts';
import { startTestSystem, watch } from '../support/test-system.ts';
import { type MachineProtocol, type MachineStart, machine, reasonText } from './machine.ts';
import { END, type Scenario, type Trace } from './scenario.ts';

export interface ReplayOptions {
  readonly mode: 'states' | 'handleEvent';
  /** Makes some clauses async; 0 makes none so. */
  readonly jitter: number;
}

/** One scenario from start to end, in a system of its own. */
export async function replay(scenario: Scenario, { mode, jitter }: ReplayOptions): Promise<Trace> {
  const ends: (() => unknown)[] = [];
  try {
    return await run(scenario, mode, jitter, (end) => ends.push(end));
  } finally {
    for (const end of ends) await end();
  }
}

async function run(
  scenario: Scenario,
  mode: ReplayOptions['mode'],
  jitter: number,
  after: (end: () => unknown) => void,
): Promise<Trace> {
  const system = await startTestSystem({ after });
  const log: string[] = [];
  const replies: string[] = [];
  const random = randoms(`${jitter} ${scenario.id}`);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const start: MachineStart = { scenario, log, gate, turns: () => (jitter === 0 ? 0 : random(4)) };
  const pid = system.system.spawn<MachineProtocol, MachineStart>(machine(mode, scenario.enter), start);
  const { reasons } = await watch(system, pid);
  for (const { type, event } of scenario.messages) {
    if (type === 'cast') system.system.cast(pid, 'e', event);
    else if (type === 'info') system.system.send(pid, 'e', event);
    else {
      system.system.call(pid, 'e', event, { timeoutMs: 'infinity' }).then(
        (value) => replies.push(`${event} ${value}`),
        () => undefined, // the machine ended first: no reply
      );
    }
  }
  open();
  await system.clock.advance(scenario.endMs);
  system.system.cast(pid, 'e', END);
  await settle();
  return { log, replies, exit: reasonText(reasons[0]) };
}
