import type { EventType } from './statem-protocol.ts';

type LooseFunction = (...args: any[]) => unknown;

/** The clauses of one state, or of all, as the loop uses them. */
export interface StatemClauses {
  readonly enter: LooseFunction | undefined;
  readonly clauses: Readonly<Record<EventType, Readonly<Record<string, LooseFunction | undefined>>>>;
}

/** The callbacks of a machine as the loop uses them. */
export interface StatemDefinition {
  readonly init: LooseFunction;
  readonly states: ReadonlyMap<string, StatemClauses>;
  readonly handleEvent: StatemClauses;
  readonly terminate: LooseFunction | undefined;
  readonly formatStatus: LooseFunction | undefined;
  readonly codeChange: LooseFunction | undefined;
}

/** What a call without a clause brings. */
export const NO_CLAUSE: unique symbol = Symbol('no clause');

/** The callback modules of one machine: the one in force, and those to come back to. */
export class StatemModules {
  private stack: readonly [StatemDefinition, ...StatemDefinition[]];

  constructor(definition: StatemDefinition) {
    this.stack = [definition];
  }

  get current(): StatemDefinition {
    return this.stack[0];
  }

  change(definition: StatemDefinition): void {
    this.stack = [definition, ...this.stack.slice(1)];
  }

  push(definition: StatemDefinition): void {
    this.stack = [definition, ...this.stack];
  }

  /** Says whether there was one to come back to. */
  pop(): boolean {
    const [, next, ...others] = this.stack;
    if (next === undefined) return false;
    this.stack = [next, ...others];
    return true;
  }

  /** Calls the clause of the state, else the one for all states; `NO_CLAUSE` if there is neither. */
  callClause(type: EventType, tag: string, state: unknown, data: unknown, payload: unknown, ctx: unknown): unknown {
    const own = this.ownClauses(state)?.clauses[type][tag];
    if (own !== undefined) return own(data, payload, ctx);
    const common = this.current.handleEvent.clauses[type][tag];
    return common === undefined ? NO_CLAUSE : common(state, data, payload, ctx);
  }

  /** The same for the `enter` clause. */
  callEnter(state: unknown, data: unknown, previous: unknown, ctx: unknown): unknown {
    const own = this.ownClauses(state)?.enter;
    if (own !== undefined) return own(data, previous, ctx);
    const common = this.current.handleEvent.enter;
    return common === undefined ? NO_CLAUSE : common(state, data, previous, ctx);
  }

  private ownClauses(state: unknown): StatemClauses | undefined {
    return typeof state === 'string' ? this.current.states.get(state) : undefined;
  }
}
