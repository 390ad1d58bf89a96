import { isDeepStrictEqual } from 'node:util';
import type { Behaviour } from '../kernel/behaviour.ts';
import { type ExitReason, errorExit } from '../kernel/exit.ts';
import { type From, Pid } from '../kernel/pid.ts';
import { ServerResult } from '../server/server-result.ts';
import { StatemAction } from './statem-action.ts';
import { StatemEvent } from './statem-events.ts';
import { EVENT_TYPES, type EventType } from './statem-protocol.ts';
import { StatemResult } from './statem-result.ts';

/** What an action does at once, while the transition is still being put together. */
export interface TransitionEffects {
  reply(from: From, value: unknown): void;
  /** Says whether it can be done. */
  changeModule(how: 'change_callback_module' | 'push_callback_module', behaviour: Behaviour): boolean;
  popModule(): boolean;
}

/** A transition that ends the machine. */
export interface Ending {
  readonly reason: ExitReason;
}

/** States are equal as terms are in Erlang: by value. */
export function sameState(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b));
}

const NOTHING: readonly never[] = [];

/**
 * From one event to the next: the results of its clause and of the `enter` clauses that follow, put together. Nothing
 * of it holds before it is complete, except what an action does at once. A machine has one, used for each event anew.
 */
export class Transition {
  /** Where it leads. */
  state: unknown = undefined;
  data: unknown = undefined;
  /** Whether an `enter` clause is to run now, if there is one. */
  entering = false;
  postpone = false;
  hibernate = false;
  inserted: readonly StatemEvent[] = NOTHING;
  timeouts: readonly StatemAction[] = NOTHING;
  private readonly effects: TransitionEffects;

  constructor(effects: TransitionEffects) {
    this.effects = effects;
  }

  /** Begins, where the machine is. */
  begin(state: unknown, data: unknown): void {
    this.state = state;
    this.data = data;
    this.entering = false;
    this.postpone = false;
    this.hibernate = false;
    this.inserted = NOTHING;
    this.timeouts = NOTHING;
  }

  /** Takes the result of init. */
  start(result: StatemResult): Ending | null {
    this.entering = true;
    return this.act(result.actions, false);
  }

  /** Takes the result of a clause for an event or, with `enter`, of an `enter` clause. Not null if the machine ends. */
  accept(result: unknown, enter: boolean): Ending | null {
    this.entering = false;
    if (result instanceof ServerResult && result.kind === 'stop') {
      this.data = result.state;
      return { reason: result.reason };
    }
    if (!(result instanceof StatemResult)) return bad('bad_return_from_state_function', result);
    switch (result.kind) {
      case 'next_state':
        if (!sameState(this.state, result.state)) {
          if (enter) return bad('bad_state_enter_return_from_state_function', result);
          this.state = result.state;
          this.entering = true;
        }
        this.data = result.data;
        break;
      case 'keep_state':
        this.data = result.data;
        break;
      case 'keep_state_and_data':
        break;
      case 'repeat_state':
        this.entering = true;
        this.data = result.data;
        break;
      case 'repeat_state_and_data':
        this.entering = true;
        break;
      case 'stop_and_reply':
        this.data = result.data;
        return this.replyAll(result.actions) ?? { reason: result.reason };
      default:
        return bad('bad_return_from_state_function', result);
    }
    return this.act(result.actions, enter);
  }

  private replyAll(replies: readonly unknown[]): Ending | null {
    for (const reply of replies) {
      const valid = reply instanceof StatemAction && reply.kind === 'reply' && this.reply(reply);
      if (!valid) return bad('bad_reply_action_from_state_function', reply);
    }
    return null;
  }

  private act(actions: readonly unknown[], enter: boolean): Ending | null {
    for (const action of actions) {
      if (enter && bringsOnEvents(action)) return bad('bad_state_enter_action_from_state_function', action);
      if (!this.perform(action)) return bad('bad_action_from_state_function', action);
    }
    return null;
  }

  private perform(action: unknown): boolean {
    if (action === 'postpone' || action === 'hibernate') {
      this[action] = true;
      return true;
    }
    if (!(action instanceof StatemAction)) return false;
    switch (action.kind) {
      case 'reply':
        return this.reply(action);
      case 'timeout':
      case 'cancel':
        this.timeouts = [...this.timeouts, action];
        return true;
      case 'next_event':
        return this.insert(action);
      case 'change_callback_module':
      case 'push_callback_module':
        return this.effects.changeModule(action.kind, action.target as Behaviour);
      case 'pop_callback_module':
        return this.effects.popModule();
      default:
        return false;
    }
  }

  private insert({ type, tag, payload, target }: StatemAction): boolean {
    if (!EVENT_TYPES.includes(type as EventType)) return false;
    if ((type === 'call') !== isFrom(target)) return false;
    const event = new StatemEvent(type as EventType, tag as string, payload, isFrom(target) ? target : null);
    this.inserted = [...this.inserted, event];
    return true;
  }

  private reply({ target, payload }: StatemAction): boolean {
    if (!isFrom(target)) return false;
    this.effects.reply(target, payload);
    return true;
  }
}

/** What an `enter` clause may not ask for: there is no event to postpone, and the transition must come to an end. */
function bringsOnEvents(action: unknown): boolean {
  if (!(action instanceof StatemAction)) return action === 'postpone';
  return action.kind === 'next_event' || action.kind.endsWith('_callback_module');
}

function isFrom(value: unknown): value is From {
  return typeof value === 'object' && value !== null && (value as { pid?: unknown }).pid instanceof Pid;
}

/** An error of the machine's own code, told by what it returned (OTP: {{Term, Value}, Stack}). */
function bad(term: string, value: unknown): Ending {
  return { reason: errorExit({ [term]: value }) };
}
