import {
  type Call,
  type Context,
  type EnterAction,
  type EventAction,
  type EventType,
  eventTimeout,
  type From,
  type GenStatem,
  genericTimeout,
  genStatem,
  initState,
  isErrorExit,
  keepState,
  keepStateAndData,
  nextEvent,
  nextState,
  type ReplyAction,
  repeatState,
  repeatStateAndData,
  replyTo,
  type StatemEnterResult,
  type StatemEventResult,
  stateTimeout,
  stop,
  stopAndReply,
} from '../../runtime/index.ts';
import type { Action, EventName, Result, Scenario, StateName } from './scenario.ts';

export interface MachineProtocol {
  readonly call: { readonly e: Call<number, number> };
  readonly cast: { readonly e: number };
  readonly info: { readonly e: number };
  readonly internal: { readonly e: number };
  readonly stateTimeout: { readonly e: number };
  readonly eventTimeout: { readonly e: number };
  readonly genericTimeout: { readonly x: number; readonly y: number };
  readonly state: StateName;
  readonly data: Data;
}

interface Data {
  readonly count: number;
  readonly run: Run;
}

export interface MachineStart {
  readonly scenario: Scenario;
  readonly log: string[];
  /** Init waits for it: until then messages can be sent. */
  readonly gate: Promise<void>;
  /** Turns of the promise queue before a clause returns; 0 is a clause that is not async. */
  readonly turns: () => number;
}

/** A machine that does what a scenario says, and tells of it. */
class Run {
  readonly log: string[];
  private readonly turns: () => number;
  private readonly plans = new Map<string, Result[]>();
  private readonly callers = new Map<number, From<number>>();

  constructor({ scenario, log, turns }: MachineStart) {
    this.log = log;
    this.turns = turns;
    for (const [key, results] of Object.entries({ ...scenario.events, ...scenario.enters })) {
      this.plans.set(key, [...results]);
    }
  }

  event(name: string, event: number, state: StateName, data: Data, ctx: Context, from?: From<number>): any {
    if (from !== undefined) this.callers.set(event, from);
    this.log.push(`${name} ${event} in ${state} ${data.count}`);
    return this.later(() => this.result(String(event), event, ctx));
  }

  enter(state: StateName, previous: StateName, data: Data, ctx: Context): any {
    this.log.push(`enter ${state} from ${previous} ${data.count}`);
    return this.later(() => this.result(state, -1, ctx) as StatemEnterResult<MachineProtocol>);
  }

  actions(actions: readonly Action[], event: number, ctx: Context): any[] {
    return actions.flatMap((action) => this.action(action, event, ctx) ?? []);
  }

  private later<T>(make: () => T): T | Promise<T> {
    const turns = this.turns();
    return turns === 0 ? make() : this.afterTurns(turns, make);
  }

  private async afterTurns<T>(turns: number, make: () => T): Promise<T> {
    for (let i = 0; i < turns; i++) await undefined;
    return make();
  }

  private result(key: string, event: number, ctx: Context): StatemEventResult<MachineProtocol> {
    const planned = this.plans.get(key)?.shift();
    if (planned === undefined) return keepStateAndData();
    const data: Data = { count: planned.data, run: this };
    const actions = this.actions(planned.actions, event, ctx);
    switch (planned.kind) {
      case 'next_state':
        return nextState(planned.state, data, actions);
      case 'keep_state':
        return keepState(data, actions);
      case 'keep_state_and_data':
        return keepStateAndData(actions);
      case 'repeat_state':
        return repeatState(data, actions);
      case 'repeat_state_and_data':
        return repeatStateAndData(actions);
      case 'stop_and_reply':
        return stopAndReply('shutdown', actions as ReplyAction[], data);
      case 'stop':
        return stop('normal', data);
      case 'throw':
        throw new Error('boom');
      case 'bad':
        return 'result' as any;
    }
  }

  private action(action: Action, event: number, ctx: Context): unknown {
    switch (action.do) {
      case 'reply': {
        const from = this.callers.get(action.call);
        return from === undefined ? undefined : replyTo(from, event);
      }
      case 'next_event':
        return this.insert(action.type, action.event);
      case 'set':
        return timeoutAction(action, ctx);
      default:
        return action.do;
    }
  }

  private insert(name: EventName, event: number): EventAction<MachineProtocol> | undefined {
    const { type, tag } = named(name);
    if (type !== 'call') return nextEvent(type, tag, event) as EventAction<MachineProtocol>;
    const from = this.callers.get(event);
    return from === undefined ? undefined : nextEvent('call', 'e', event, from);
  }
}

function timeoutAction(set: Extract<Action, { do: 'set' }>, ctx: Context): EnterAction<MachineProtocol> {
  const { type, tag } = named(set.timeout);
  if (set.time === 'cancel') {
    if (type === 'genericTimeout') return genericTimeout('cancel', tag as 'x');
    return type === 'stateTimeout' ? stateTimeout('cancel') : eventTimeout('cancel');
  }
  const time = set.abs ? ctx.clock.now() + Number(set.time) : set.time;
  const options = { abs: set.abs };
  if (type === 'genericTimeout') return genericTimeout(time, tag as 'x', set.event, options);
  if (type === 'stateTimeout') return stateTimeout(time, 'e', set.event, options);
  return eventTimeout(time, 'e', set.event, options);
}

/** `timeout:x` is the generic time-out named x. */
function named(name: EventName): { readonly type: EventType; readonly tag: 'e' | 'x' | 'y' } {
  if (name === 'state_timeout') return { type: 'stateTimeout', tag: 'e' };
  if (name === 'timeout') return { type: 'eventTimeout', tag: 'e' };
  if (name === 'timeout:x' || name === 'timeout:y')
    return { type: 'genericTimeout', tag: name === 'timeout:x' ? 'x' : 'y' };
  return { type: name, tag: 'e' };
}

/** A reason in one word, as `statem_oracle.erl` writes it. */
export function reasonText(reason: unknown): string {
  if (!isErrorExit(reason)) return String(reason);
  const error = reason.error as Record<string, unknown>;
  return error['message'] === undefined ? String(Object.keys(error)[0]) : String(error['message']);
}

type Clauses = Record<string, any>;

const init = async (start: MachineStart, ctx: Context<MachineProtocol>): Promise<any> => {
  await start.gate;
  const { state, data, actions } = start.scenario.init;
  const run = new Run(start);
  return initState(state, { count: data, run }, run.actions(actions, -1, ctx));
};
const terminate = (reason: unknown, state: StateName, { count, run }: Data): void => {
  run.log.push(`terminate ${reasonText(reason)} in ${state} ${count}`);
};

function clausesOf(enter: boolean): Clauses {
  const on =
    (name: string) =>
    (state: StateName, data: Data, event: number, ctx: any): unknown =>
      data.run.event(name, event, state, data, ctx, name === 'call' ? ctx.from : undefined);
  return {
    ...(enter
      ? {
          enter: (state: StateName, data: Data, previous: StateName, ctx: Context) =>
            data.run.enter(state, previous, data, ctx),
        }
      : {}),
    call: { e: on('call') },
    cast: { e: on('cast') },
    info: { e: on('info') },
    internal: { e: on('internal') },
    stateTimeout: { e: on('state_timeout') },
    eventTimeout: { e: on('timeout') },
    genericTimeout: { x: on('timeout:x'), y: on('timeout:y') },
  };
}

/** The same clauses as those of one state. */
function ofState(state: StateName, common: Clauses): Clauses {
  return Object.fromEntries(
    Object.entries(common).map(([key, entry]) => [
      key,
      typeof entry === 'function' ? (...args: unknown[]) => entry(state, ...args) : ofState(state, entry),
    ]),
  );
}

/** A machine with a table for each state, or with one for all. */
export function machine(mode: 'states' | 'handleEvent', enter: boolean): GenStatem<MachineProtocol, MachineStart> {
  const common = clausesOf(enter);
  const states = (table: (state: StateName) => Clauses): any => ({ a: table('a'), b: table('b'), c: table('c') });
  return mode === 'states'
    ? genStatem(import.meta, 'machine', { init, terminate, states: states((state) => ofState(state, common)) })
    : genStatem<any, any>(import.meta, 'machine', {
        init,
        terminate,
        states: states(() => ({})),
        handleEvent: common as any,
      });
}
