import type { Behaviour, BehaviourRunner } from '../kernel/behaviour.ts';
import { type CrashDetail, messageDetail } from '../kernel/crash-report.ts';
import { BadArgError, exitReasonOf, FunctionClauseError } from '../kernel/errors.ts';
import { type ExitReason, isNormalExit } from '../kernel/exit.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Message } from '../kernel/message.ts';
import type { OpenCall } from '../kernel/pending-call.ts';
import type { From, Pid } from '../kernel/pid.ts';
import { EXITED, type Process } from '../kernel/process.ts';
import { ProcessContext } from '../kernel/process-context.ts';
import { isPromise, synchronous } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { crashReport, unexpectedMessage } from '../telemetry.ts';
import type { Clause } from './clause-table.ts';
import type { ServerDefinition } from './gen-server.ts';
import { InitOk, InitRefusal, isNext, type Next, ServerResult } from './server-result.ts';
import type { Debug } from './sys-debug.ts';
import { handleSystem, isSystemRequest, type SystemSide } from './sys-requests.ts';

/** The context of a server: `from` exists while a call is handled. */
class ServerContext extends ProcessContext {
  readonly #process: Process;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, process: Process) {
    super(kernel, process);
    this.#process = process;
    this.#kernel = kernel;
  }

  get from(): From {
    const call = this.#process.currentCall;
    if (call === null) throw new BadArgError('ctx.from exists only while handleCall runs');
    // From now on anybody may reply to it, this handler too, before it has returned.
    this.#kernel.deferCall(this.#process, call);
    return { pid: call.caller.pid, ref: call.ref };
  }
}

const tableNames = { call: 'handleCall', cast: 'handleCast', info: 'handleInfo', continue: 'handleContinue' } as const;

/** What few servers have. */
interface Special {
  idleTimer: unknown;
  /** Kept while a system request is handled or the process is suspended: the time starts anew after it. */
  idleTimeoutMs: number | null;
  debug: Debug | null;
  /** Whether the message being handled brought its sender a reply. */
  replied: boolean;
}

function newSpecial(): Special {
  return { idleTimer: undefined, idleTimeoutMs: null, debug: null, replied: false };
}

/** The receive loop of one server (gen_server): which callback runs, and what its result means. */
export class GenServerLoop implements BehaviourRunner, SystemSide {
  /** `traced`: serving, and somebody wants to know what comes of the promise of the callback. */
  private phase: 'init' | 'serve' | 'traced' | 'terminate' = 'init';
  private state: unknown = undefined;
  private message: Message | null = null;
  /** Set if a message finds anything but the clauses. */
  private special: Special | null = null;
  private ctx: ServerContext | null = null;
  private start: unknown;
  /** How the process ends once `terminate` has returned. */
  private ending: { reason: ExitReason; readonly reply: { readonly value: unknown } | null } | null = null;
  readonly kernel: Kernel;
  private definition: ServerDefinition;
  process!: Process;

  constructor(kernel: Kernel, definition: ServerDefinition, start: unknown) {
    this.kernel = kernel;
    this.definition = definition;
    this.start = start;
  }

  attach(process: Process): void {
    this.process = process;
    this.ctx = new ServerContext(this.kernel, process);
  }

  get handling(): string {
    return this.message?.tag ?? this.phase;
  }

  get sealed(): boolean {
    return this.definition.sealed;
  }

  enter(state: unknown, next: Next | null): void {
    if (this.sealed) {
      const { initialCall } = this.definition;
      throw new BadArgError(`${initialCall} cannot be entered: its own init must make its state, start it`);
    }
    this.phase = 'serve';
    this.state = state;
    if (next !== null) this.prepare(next);
  }

  boot(): unknown {
    const { start } = this;
    this.start = undefined;
    const result = this.definition.init(start, this.ctx);
    return isPromise(result) ? result : this.settled(result);
  }

  handle(message: Message): unknown {
    return this.special === null ? this.dispatch(message) : this.handleSpecial(this.special, message);
  }

  private dispatch(message: Message): unknown {
    this.message = message;
    const { kind, tag, payload } = message;
    if (kind === 'info') return this.handleInfo(tag, payload);
    if (kind === 'call') {
      this.process.currentCall = message.call;
      return this.run(this.definition.handleCall[tag], payload);
    }
    if (kind === 'cast') return this.run(this.definition.handleCast[tag], payload);
    return this.run(this.definition.handleContinue[tag], payload);
  }

  settled(value: unknown): unknown {
    if (this.phase === 'serve') return this.apply(value);
    if (this.phase === 'traced') return this.settledTraced(value);
    if (this.phase === 'init') return this.initialised(value);
    return this.end();
  }

  failed(error: unknown): unknown {
    const reason = exitReasonOf(error);
    if (this.phase === 'serve' || this.phase === 'traced') return this.terminate(reason, null);
    if (this.phase === 'init') return this.initFailed(reason);
    // terminate itself failed: its reason replaces the one it was given
    if (this.ending !== null) this.ending.reason = reason;
    return this.end();
  }

  private handleInfo(tag: string, payload: unknown): unknown {
    if (tag === 'EXIT' && payload instanceof ExitSignal && payload.from === this.process.parent) {
      return this.terminate(payload.reason, null);
    }
    const clause = this.definition.handleInfo[tag];
    if (clause !== undefined) return this.run(clause, payload);
    this.message = null;
    if (unexpectedMessage.hasSubscribers) {
      unexpectedMessage.publish({ ...this.kernel.numbering.origin(this.process.pid), tag, payload });
    }
    return undefined;
  }

  private run(clause: Clause | undefined, payload: unknown): unknown {
    if (clause === undefined) return this.withoutClause();
    const result = clause(this.state, payload, this.ctx);
    return isPromise(result) ? result : this.apply(result);
  }

  /** Looked at here, so that an ordinary call does not pay for it: no clause can have the tag of system requests. */
  private withoutClause(): unknown {
    const { process } = this;
    const message = this.message as Message;
    if (!isSystemRequest(message)) {
      const table = tableNames[message.kind];
      throw new FunctionClauseError(`no clause ${table}.${message.tag} in ${process.initialCall}`);
    }
    this.message = null;
    process.currentCall = null;
    const result = handleSystem(this, message);
    const idleTimeoutMs = this.special?.idleTimeoutMs ?? null;
    if (idleTimeoutMs !== null && !process.suspended) this.armIdleTimer(idleTimeoutMs);
    return result;
  }

  private apply(result: unknown): unknown {
    if (!(result instanceof ServerResult)) return this.terminate({ bad_return_value: result }, null);
    this.state = result.state;
    const { kind, next } = result;
    if (next !== null && !isNext(next)) return this.terminate({ bad_return_value: result }, null);
    if (kind === 'stop') return this.terminate(result.reason, null);
    const call = this.process.currentCall;
    if (call === null && kind !== 'noreply') return this.terminate({ bad_return_value: result }, null);
    if (kind === 'stopReply') return this.terminate(result.reason, { value: result.value });
    if (call !== null) {
      this.process.currentCall = null;
      if (kind === 'reply') {
        if (this.process.deferredCalls !== null) this.kernel.forgetDeferred(call.ref);
        this.answer(call, result.value);
      } else this.kernel.deferCall(this.process, call);
    }
    this.message = null;
    if (next !== null) this.prepare(next);
    return undefined;
  }

  private prepare(next: Next): void {
    if ('hibernate' in next) {
      this.process.compact();
      return;
    }
    if ('continue' in next) {
      this.process.pushFront(new Message('continue', next.continue.tag, next.continue.payload));
      return;
    }
    this.armIdleTimer(next.idleTimeoutMs);
  }

  private armIdleTimer(idleTimeoutMs: number): void {
    this.special ??= newSpecial();
    const { special } = this;
    special.idleTimeoutMs = idleTimeoutMs;
    special.idleTimer = this.kernel.clock.setTimer(() => {
      special.idleTimer = undefined;
      special.idleTimeoutMs = null;
      const idle = this.process.status !== EXITED && this.process.queueLength === 0;
      if (idle) this.kernel.deliver(this.process, new Message('info', 'timeout', undefined));
    }, idleTimeoutMs);
  }

  private answer(call: OpenCall, value: unknown): void {
    if (this.special !== null) this.traceOut(this.special, call, value);
    this.kernel.answer(this.process.pid, call, value);
  }

  // What is special stands apart from the usual steps: a closure over `this` makes each call of its function allocate.

  private handleSpecial(special: Special, message: Message): unknown {
    this.cancelIdleTimer();
    // A system request is none of the server's own messages: its idle time begins anew after it.
    if (isSystemRequest(message)) return this.dispatch(message);
    special.idleTimeoutMs = null;
    special.replied = false;
    special.debug?.incoming(message, () => this.state);
    const result = this.dispatch(message);
    if (!isPromise(result)) this.traceNoreply(special);
    else if (special.debug !== null && this.phase === 'serve') this.phase = 'traced'; // else it is that of `terminate`
    return result;
  }

  private settledTraced(value: unknown): unknown {
    this.phase = 'serve';
    const result = this.apply(value);
    if (this.special !== null) this.traceNoreply(this.special);
    return result;
  }

  private traceOut(special: Special, call: OpenCall, value: unknown): void {
    special.replied = true;
    special.debug?.outgoing(call.caller.pid, value, () => this.state);
  }

  private traceNoreply({ debug, replied }: Special): void {
    if (!replied && this.phase === 'serve') debug?.event({ type: 'noreply' }, () => this.state);
  }

  get debug(): Debug | null {
    return this.special === null ? null : this.special.debug;
  }

  set debug(debug: Debug | null) {
    this.special ??= newSpecial();
    this.special.debug = debug;
  }

  private cancelIdleTimer(): void {
    const { special } = this;
    if (special === null || special.idleTimer === undefined) return;
    this.kernel.clock.clearTimer(special.idleTimer);
    special.idleTimer = undefined;
  }

  exited(): void {
    this.cancelIdleTimer();
  }

  private initialised(result: unknown): undefined {
    if (result instanceof ServerResult) return this.initFailed({ bad_return_value: result });
    if (result instanceof InitRefusal) {
      if (result.kind === 'ignore') this.acknowledge('ignore');
      this.kernel.crash(this.process, result.reason);
      return;
    }
    const ok = result instanceof InitOk;
    if (ok && result.next !== null && !isNext(result.next)) return this.initFailed({ bad_return_value: result });
    this.phase = 'serve';
    this.state = ok ? result.state : result;
    this.acknowledge({ ok: this.process.pid });
    if (ok && result.next !== null) this.prepare(result.next);
  }

  private initFailed(reason: ExitReason): undefined {
    this.kernel.crash(this.process, reason);
  }

  /** Names are free before the starter hears that there is no server. */
  private acknowledge(result: { readonly ok: Pid } | 'ignore'): void {
    const { ack } = this.process;
    this.process.ack = null;
    if (result === 'ignore' && this.process.name !== null) this.kernel.names.unregister(this.process.name);
    ack?.(result);
  }

  private terminate(reason: ExitReason, reply: { readonly value: unknown } | null): unknown {
    if (this.process.pendingExit !== null) return undefined; // a signal has ended it already: terminate does not run
    this.phase = 'terminate';
    this.ending = { reason, reply };
    if (this.definition.terminate === undefined) return this.end();
    try {
      const result = this.definition.terminate(reason, this.state, this.ctx);
      return isPromise(result) ? result : this.end();
    } catch (error) {
      return this.failed(error);
    }
  }

  private end(): undefined {
    const { reason, reply } = this.ending as { reason: ExitReason; reply: { value: unknown } | null };
    const call = this.process.currentCall;
    if (reply !== null && call !== null) {
      this.process.currentCall = null;
      this.answer(call, reply.value);
    }
    // Most ends are orderly, and most systems unobserved: what nobody will see is not put together.
    const seen = !isNormalExit(reason) && crashReport.hasSubscribers;
    this.kernel.crash(this.process, reason, seen ? this.crashDetail() : undefined);
  }

  private crashDetail(): CrashDetail {
    return { ...(this.message === null ? {} : messageDetail(this.message)), state: this.shownState() };
  }

  sysState(): unknown {
    return this.state;
  }

  sysReplaceState(replace: (state: any) => unknown): unknown {
    this.state = replace(this.state);
    return this.state;
  }

  sysStatus(): unknown {
    return this.shownState();
  }

  sysTerminate(reason: ExitReason): unknown {
    return this.terminate(reason, null);
  }

  sysChangeCode(behaviour: Behaviour, oldVersion: unknown, extra: unknown): void {
    const next = behaviour.createRunner(this.kernel, undefined);
    if (!(next instanceof GenServerLoop) || next.sealed) {
      throw new BadArgError(`${behaviour.exportName} is not a genServer whose code another can take over`);
    }
    const { definition } = next;
    if (definition.codeChange !== undefined)
      this.state = synchronous(definition.codeChange(oldVersion, this.state, extra));
    this.definition = definition;
  }

  private shownState(): unknown {
    if (this.definition.formatStatus === undefined) return this.state;
    try {
      return this.definition.formatStatus(this.state);
    } catch (error) {
      return { format_status_failed: exitReasonOf(error) };
    }
  }
}
