import { badArgument } from '../kernel/arguments.ts';
import type { Behaviour } from '../kernel/behaviour.ts';
import { isBehaviour } from '../kernel/start-check.ts';
import { isNext, type Next } from './server-result.ts';

/** What a process function returns to become a server; see `enterLoop`. */
export class EnterLoop {
  readonly behaviour: Behaviour;
  readonly state: unknown;
  readonly next: Next | null;

  constructor(behaviour: Behaviour, state: unknown, next: Next | null) {
    this.behaviour = behaviour;
    this.state = state;
    this.next = next;
  }
}

/**
 * Makes a plain function go on as a server with that state, without init, when the function returns it
 * (gen_server:enter_loop/3): `return enterLoop(Counter, { count: 0 })`. The process keeps its pid, name, links and
 * mailbox. `next` as in `initOk`. A state machine: `enterLoop(machine, initState(state, data, actions))`. What is no
 * behaviour throws `BadArgError`; a supervisor, an event manager, a task and other processes of the runtime, whose
 * state only their own init can make, end the process with that.
 */
export function enterLoop(behaviour: Behaviour, state: unknown, next?: Next): EnterLoop {
  if (!isBehaviour(behaviour)) throw badArgument('what is entered', 'a behaviour', behaviour);
  if (next !== undefined && !isNext(next)) throw badArgument('next', 'what continueWith and the like return', next);
  return new EnterLoop(behaviour, state, next ?? null);
}
