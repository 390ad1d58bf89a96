/** Scenarios determined by a seed, with one outcome whatever the timing: no two time-outs can fall due together. */

import { randoms } from '../oracle/jitter.ts';
import { type Action, END, type EventName, type Result, type ResultKind, type Scenario } from './scenario.ts';

type Random = (bound: number) => number;

const states = ['a', 'b', 'c'] as const;
const timeouts = ['state_timeout', 'timeout', 'timeout:x', 'timeout:y'] as const;
/** Each is used once, and any two sums of them differ by at least the first. */
const timesMs = [50, 100, 200, 400] as const;
const neverMs = 60_000;
const endMs = 1_000;
/** Events 1 … 6 may be messages, the others are inserted or time-outs. */
const messageEvents = 6;
const allEvents = 16;

/** How often each kind is drawn: machines that end early show little. */
const eventKinds = weighted({
  next_state: 42,
  keep_state: 14,
  keep_state_and_data: 22,
  repeat_state: 8,
  repeat_state_and_data: 7,
  stop: 2,
  stop_and_reply: 2,
  throw: 2,
  bad: 1,
});
const enterKinds = weighted({
  next_state: 3,
  keep_state: 32,
  keep_state_and_data: 47,
  repeat_state: 8,
  repeat_state_and_data: 6,
  stop: 1,
  stop_and_reply: 1,
  throw: 1,
  bad: 1,
});

function weighted(weights: Readonly<Record<ResultKind, number>>): readonly ResultKind[] {
  return Object.entries(weights).flatMap(([kind, weight]) => Array<ResultKind>(weight).fill(kind as ResultKind));
}

class Plan {
  private readonly random: Random;
  private readonly times: number[] = [...timesMs];
  private data = 0;

  constructor(key: string) {
    this.random = randoms(key);
  }

  whole(low: number, high: number): number {
    return low + this.random(high - low + 1);
  }

  percent(chance: number): boolean {
    return this.random(100) < chance;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.random(choices.length)] as T;
  }

  list<T>(low: number, high: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.whole(low, high) }, (_, index) => make(index));
  }

  result(kinds: readonly ResultKind[], actions: () => Action[]): Result {
    const kind = this.of(kinds);
    const state = this.of(states);
    return kind === 'stop_and_reply'
      ? { kind, state, data: ++this.data, actions: this.list(0, 2, () => this.reply()) }
      : { kind, state, data: ++this.data, actions: kind === 'throw' || kind === 'bad' ? [] : actions() };
  }

  eventActions(): Action[] {
    const actions = this.list(0, 3, () => this.eventAction());
    return this.percent(22) ? [...actions, { do: 'postpone' }] : actions;
  }

  enterActions(): Action[] {
    if (this.percent(2)) return [this.eventAction(), { do: 'postpone' }];
    return this.list(0, 2, () => (this.percent(25) ? this.reply() : this.timeout()));
  }

  private eventAction(): Action {
    const draw = this.random(100);
    if (draw < 40) return this.timeout();
    if (draw < 80) return { do: 'next_event', type: this.of(eventTypes), event: this.inserted() };
    if (draw < 99) return this.reply();
    return { do: 'bad' };
  }

  private reply(): Action {
    return { do: 'reply', call: this.whole(1, messageEvents) };
  }

  private timeout(): Action {
    return { do: 'set', timeout: this.of(timeouts), event: this.inserted(), ...this.time() };
  }

  private time(): { time: number | 'infinity' | 'update' | 'cancel'; abs: boolean } {
    const draw = this.random(100);
    if (draw < 45) return { time: 0, abs: false };
    if (draw < 55) return { time: 'update', abs: false };
    if (draw < 62) return { time: this.of(['infinity', 'cancel'] as const), abs: false };
    if (draw < 72 || this.times.length === 0) return { time: neverMs, abs: this.percent(30) };
    return { time: this.times.splice(this.random(this.times.length), 1)[0] as number, abs: this.percent(30) };
  }

  private inserted(): number {
    return this.percent(85) ? this.whole(messageEvents + 1, allEvents) : this.whole(1, messageEvents);
  }
}

const eventTypes: readonly EventName[] = ['internal', 'internal', 'cast', 'info', 'call', ...timeouts];

export function generateOne(seed: number, number: number): Scenario {
  const plan = new Plan(`statem ${seed} ${number}`);
  const messages = plan.list(2, messageEvents, (index) => ({
    type: plan.of(['call', 'cast', 'info'] as const),
    event: index + 1,
  }));
  const byEvent = (index: number): [string, Result[]] => [
    String(index + 1),
    plan.list(1, 2, () => plan.result(eventKinds, () => plan.eventActions())),
  ];
  const byState = (): Result[] => plan.list(0, 3, () => plan.result(enterKinds, () => plan.enterActions()));
  return {
    id: `s${seed}-${number}`,
    enter: plan.percent(60),
    init: { state: plan.of(states), data: 0, actions: plan.eventActions().filter((action) => action.do !== 'bad') },
    events: {
      ...Object.fromEntries(plan.list(allEvents, allEvents, byEvent)),
      [END]: [{ kind: 'stop', state: 'a', data: -1, actions: [] }],
    },
    enters: { a: byState(), b: byState(), c: byState() },
    messages,
    endMs,
  };
}

/** The scenario of a recording. */
export function scenarioOf(id: string): Scenario {
  const [seed, number] = id.slice(1).split('-').map(Number);
  return generateOne(seed as number, number as number);
}

/** That many scenarios. */
export function generate(seed: number, count: number): Scenario[] {
  return Array.from({ length: count }, (_, number) => generateOne(seed, number));
}
