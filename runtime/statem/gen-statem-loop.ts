import { inspect } from 'node:util';
import type { Behaviour, BehaviourRunner } from '../kernel/behaviour.ts';
import { BadArgError, exitReasonOf, FunctionClauseError } from '../kernel/errors.ts';
import { type ExitReason, isNormalExit } from '../kernel/exit.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Message } from '../kernel/message.ts';
import type { From } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import { isPromise } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { InitRefusal, type Next } from '../server/server-result.ts';
import type { Debug, DebugEvent } from '../server/sys-debug.ts';
import { handleSystem, isSystemRequest, type SystemSide } from '../server/sys-requests.ts';
import { type CrashReport, crashReport, unexpectedMessage } from '../telemetry.ts';
import { StatemContext } from './statem-context.ts';
import { fromOf, StatemEvent, StatemEvents } from './statem-events.ts';
import { NO_CLAUSE, type StatemDefinition, StatemModules } from './statem-modules.ts';
import { keepStateAndData, StatemResult } from './statem-result.ts';
import { StatemTimeouts, Timeout } from './statem-timeouts.ts';
import { type Ending, sameState, Transition, type TransitionEffects } from './statem-transition.ts';

/** Wakes the loop for what comes before the next message. */
const NEXT_EVENT = new Message('continue', 'next_event', undefined);

/** What an info message without a clause amounts to: an event that changes nothing. */
const KEPT = keepStateAndData();

/**
 * The receive loop of one state machine (gen_statem): which clause runs, and when what it returns takes effect. Events
 * that are inserted, retried or due come before the next message; each is a step of its own, since others wait too.
 */
export class GenStatemLoop implements BehaviourRunner, SystemSide, TransitionEffects {
  readonly kernel: Kernel;
  process!: Process;
  debug: Debug | null = null;
  private phase: 'init' | 'event' | 'enter' | 'terminate' = 'init';
  private state: unknown = undefined;
  private data: unknown = undefined;
  private event: StatemEvent | null = null;
  private readonly transition: Transition = new Transition(this);
  private readonly events = new StatemEvents();
  private readonly timeouts: StatemTimeouts;
  private readonly modules: StatemModules;
  private start: unknown;
  private ctx: StatemContext | null = null;
  private ending: { reason: ExitReason } | null = null;

  constructor(kernel: Kernel, definition: StatemDefinition, start: unknown) {
    this.kernel = kernel;
    this.modules = new StatemModules(definition);
    this.start = start;
    this.timeouts = new StatemTimeouts(kernel.clock, (timeout) => {
      kernel.deliver(this.process, new Message('continue', 'timeout', timeout));
    });
  }

  attach(process: Process): void {
    this.process = process;
    this.ctx = new StatemContext(this.kernel, process, this);
  }

  get handling(): string {
    return this.event?.tag ?? this.phase;
  }

  get caller(): From | null {
    return this.phase === 'event' && this.event !== null ? this.event.from : null;
  }

  boot(): unknown {
    const { start } = this;
    this.start = undefined;
    const result = this.modules.current.init(start, this.ctx);
    return isPromise(result) ? result : this.initialised(result);
  }

  /** `state` is what init would return; its `enter` clause may be async, so that it is a step of its own. */
  enter(state: unknown, next: Next | null): void {
    if (!(state instanceof StatemResult) || state.kind !== 'ok' || next !== null) {
      throw new BadArgError('a state machine is entered with enterLoop(machine, initState(state, data, actions))');
    }
    this.process.pushFront(new Message('continue', 'enter_loop', state));
  }

  handle(message: Message): unknown {
    const { kind, tag, payload, call } = message;
    if (kind === 'continue') return this.goOn(payload);
    if (isSystemRequest(message)) return handleSystem(this, message);
    if (tag === 'EXIT' && payload instanceof ExitSignal && payload.from === this.process.parent) {
      return this.terminate(payload.reason);
    }
    this.process.currentCall = call;
    const event = new StatemEvent(kind, tag, payload, call === null ? null : fromOf(call));
    if (this.debug !== null) this.traceIn(this.debug, event);
    return this.run(event);
  }

  /** A step of the machine's own. */
  private goOn(payload: unknown): unknown {
    if (payload instanceof StatemResult) return this.begin(payload);
    const event = payload instanceof Timeout ? this.timeouts.take(payload) : this.nextEvent();
    if (event === undefined) return undefined; // cancelled after its time was over
    if (this.debug !== null && event.isTimeout) this.traceIn(this.debug, event);
    return this.run(event);
  }

  /** What comes before the next message: inserted and retried events, then time-outs with time 0. */
  private nextEvent(): StatemEvent | undefined {
    return this.events.next() ?? this.timeouts.takeDue();
  }

  settled(value: unknown): unknown {
    if (this.phase === 'init') return this.initialised(value);
    if (this.phase === 'terminate') return this.end();
    return this.proceed(this.transition.accept(value, this.phase === 'enter'));
  }

  failed(error: unknown): unknown {
    const reason = exitReasonOf(error);
    if (this.phase === 'init') return this.kernel.crash(this.process, reason);
    if (this.phase !== 'terminate') return this.terminate(reason);
    // terminate itself failed: its reason replaces the one it was given
    if (this.ending !== null) this.ending.reason = reason;
    return this.end();
  }

  exited(): void {
    this.timeouts.cancelAll();
  }

  sysState(): unknown {
    return { state: this.state, data: this.data };
  }

  sysReplaceState(replace: (current: any) => unknown): unknown {
    const next = stateAndData(replace(this.sysState()), 'the function of replaceState');
    this.state = next.state;
    this.data = next.data;
    return next;
  }

  sysStatus(): unknown {
    return {
      current: this.shownState(),
      postponed: this.events.retained.map(({ type, tag }) => ({ type, tag })),
      timeouts: this.timeouts.all.map(({ type, tag }) => ({ type, tag })),
    };
  }

  sysTerminate(reason: ExitReason): unknown {
    return this.terminate(reason);
  }

  sysChangeCode(behaviour: Behaviour, oldVersion: unknown, extra: unknown): void {
    const definition = this.definitionOf(behaviour);
    if (definition === undefined) throw new BadArgError(`${behaviour.exportName} is not a genStatem`);
    if (definition.codeChange !== undefined) {
      const changed: unknown = definition.codeChange(oldVersion, this.state, this.data, extra);
      const next = stateAndData(changed, `codeChange of ${behaviour.exportName}`);
      this.state = next.state;
      this.data = next.data;
    }
    this.modules.change(definition);
  }

  reply(from: From, value: unknown): void {
    if (this.debug !== null) this.trace(this.debug, { type: 'out', to: from.pid, value, state: this.state });
    if (!this.answersCurrent(from, value)) this.kernel.reply(this.process.pid, from, value);
  }

  /** The call being handled is answered without a search. */
  answersCurrent(from: From, value: unknown): boolean {
    const call = this.process.currentCall;
    if (call === null || call.ref !== from.ref) return false;
    this.process.currentCall = null;
    this.kernel.answer(this.process.pid, call, value);
    return true;
  }

  changeModule(how: 'change_callback_module' | 'push_callback_module', behaviour: Behaviour): boolean {
    const definition = this.definitionOf(behaviour);
    if (definition === undefined) return false;
    if (how === 'push_callback_module') this.modules.push(definition);
    else this.modules.change(definition);
    return true;
  }

  popModule(): boolean {
    return this.modules.pop();
  }

  private definitionOf(behaviour: Behaviour): StatemDefinition | undefined {
    const runner: unknown = behaviour?.createRunner?.(this.kernel, undefined);
    return runner instanceof GenStatemLoop ? runner.modules.current : undefined;
  }

  private initialised(result: unknown): unknown {
    const { kernel, process } = this;
    const { ack } = process;
    if (result instanceof StatemResult && result.kind === 'ok') {
      process.ack = null;
      ack?.({ ok: process.pid });
      return this.begin(result);
    }
    if (!(result instanceof InitRefusal)) return kernel.crash(process, { bad_return_from_init: result });
    if (result.kind === 'ignore') process.ack = null; // else the exit tells the starter
    kernel.crash(process, result.reason);
    if (result.kind === 'ignore') ack?.('ignore');
    return undefined;
  }

  private begin(result: StatemResult): unknown {
    this.state = result.state;
    this.data = result.data;
    this.phase = 'event';
    this.transition.begin(this.state, this.data);
    return this.proceed(this.transition.start(result));
  }

  private run(event: StatemEvent): unknown {
    this.event = event;
    this.phase = 'event';
    this.transition.begin(this.state, this.data);
    const result = this.callClause(event);
    if (!isPromise(result)) return this.proceed(this.transition.accept(result, false));
    this.deferCall(); // somebody else may answer it meanwhile
    return result;
  }

  private callClause({ type, tag, payload }: StatemEvent): unknown {
    const { state, data, ctx, process } = this;
    const result = this.modules.callClause(type, tag, state, data, payload, ctx);
    if (result !== NO_CLAUSE) return result;
    if (type === 'info') return this.unexpected(tag, payload);
    throw new FunctionClauseError(`no clause ${type}.${tag} for the state ${inspect(state)} in ${process.initialCall}`);
  }

  private unexpected(tag: string, payload: unknown): StatemResult {
    if (unexpectedMessage.hasSubscribers) {
      unexpectedMessage.publish({ ...this.kernel.numbering.origin(this.process.pid), tag, payload });
    }
    return KEPT;
  }

  /** Goes on with a transition until it is complete: calls `enter` clauses as long as one is due. */
  private proceed(first: Ending | null): unknown {
    const { transition } = this;
    let ending = first;
    while (ending === null && transition.entering) {
      this.phase = 'enter';
      const result = this.modules.callEnter(transition.state, transition.data, this.state, this.ctx);
      if (result === NO_CLAUSE) break;
      if (isPromise(result)) return result;
      ending = transition.accept(result, true);
    }
    if (ending === null) return this.complete();
    this.state = transition.state;
    this.data = transition.data;
    return this.terminate(ending.reason);
  }

  private complete(): undefined {
    const { event, state: before, transition } = this;
    if (event !== null) {
      this.deferCall();
      if (transition.postpone) this.events.postpone(event);
    }
    this.state = transition.state;
    this.data = transition.data;
    if (this.debug !== null) this.traceTransition(this.debug, before, transition);
    this.event = null;
    if (!sameState(before, this.state)) {
      this.events.retry();
      this.timeouts.cancel('stateTimeout');
    }
    this.timeouts.cancel('eventTimeout');
    this.timeouts.apply(transition.timeouts);
    this.events.insert(transition.inserted);
    if (this.events.size > 0 || this.timeouts.due) this.process.pushFront(NEXT_EVENT);
    else if (transition.hibernate) this.process.compact();
  }

  /** The call was not answered: it stays open, whether it is postponed or somebody will reply later. */
  private deferCall(): void {
    const call = this.process.currentCall;
    if (call === null) return;
    this.process.currentCall = null;
    this.kernel.deferCall(this.process, call);
  }

  private traceIn(debug: Debug, event: StatemEvent): void {
    this.trace(debug, { type: 'in', message: shown(event), state: this.state });
  }

  private traceTransition(debug: Debug, before: unknown, { postpone, inserted }: Transition): void {
    const { event, state } = this;
    if (event !== null) {
      this.trace(debug, { type: postpone ? 'postpone' : 'consume', message: shown(event), state: before });
    }
    if (!sameState(before, state)) this.trace(debug, { type: 'enter', state });
    for (const next of inserted) this.traceIn(debug, next);
  }

  private trace(debug: Debug, event: DebugEvent): void {
    debug.event(event, () => this.sysState());
  }

  private terminate(reason: ExitReason): unknown {
    if (this.process.pendingExit !== null) return undefined; // a signal has ended it already: terminate does not run
    this.phase = 'terminate';
    this.ending = { reason };
    if (this.debug !== null) this.trace(this.debug, { type: 'terminate', state: this.state });
    const { terminate } = this.modules.current;
    if (terminate === undefined) return this.end();
    try {
      const result = terminate(reason, this.state, this.data, this.ctx);
      return isPromise(result) ? result : this.end();
    } catch (error) {
      return this.failed(error);
    }
  }

  private end(): undefined {
    const { reason } = this.ending as { reason: ExitReason };
    const seen = !isNormalExit(reason) && crashReport.hasSubscribers;
    this.kernel.crash(this.process, reason, seen ? this.crashDetail() : undefined);
  }

  private crashDetail(): Pick<CrashReport, 'lastMessage' | 'state'> {
    const { event } = this;
    return { ...(event === null ? {} : { lastMessage: shown(event) }), state: this.shownState() };
  }

  private shownState(): unknown {
    const { formatStatus } = this.modules.current;
    if (formatStatus === undefined) return this.sysState();
    try {
      return formatStatus(this.state, this.data);
    } catch (error) {
      return { format_status_failed: exitReasonOf(error) };
    }
  }
}

/** An event as reports show it. */
function shown({ type, tag, payload, from }: StatemEvent): NonNullable<DebugEvent['message']> {
  const base = { kind: type, tag, payload };
  return from === null ? base : { ...base, from: from.pid };
}

function stateAndData(value: any, source: string): { readonly state: unknown; readonly data: unknown } {
  if (typeof value === 'object' && value !== null && 'state' in value && 'data' in value) return value;
  throw new BadArgError(`${source} must return { state, data }`);
}
