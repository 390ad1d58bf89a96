import type { Behaviour } from '../kernel/behaviour.ts';
import type { Next } from './server-result.ts';

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
 * mailbox. `next` as in `initOk`. A behaviour that cannot be entered ends the process with a `TypeError`.
 */
export function enterLoop(behaviour: Behaviour, state: unknown, next?: Next): EnterLoop {
  return new EnterLoop(behaviour, state, next ?? null);
}
