import type { BehaviourRunner } from './behaviour.ts';
import { FunctionClauseError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { ClauseTable, ServerDefinition } from './gen-server.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import type { From, Pid } from './pid.ts';
import { EXITED, type Process } from './process.ts';
import { ProcessContext } from './process-context.ts';
import { isPromise } from './protocol.ts';
import { InitOk, InitRefusal, type Next, ServerResult } from './server-result.ts';
import { ExitSignal } from './signals.ts';
import { unexpectedMessage } from './telemetry.ts';

/** The context of a server: `from` exists while a call is handled. */
class ServerContext extends ProcessContext {
  readonly #process: Process;

  constructor(kernel: Kernel, process: Process) {
    super(kernel, process);
    this.#process = process;
  }

  get from(): From {
    const call = this.#process.currentCall;
    if (call === null) throw new TypeError('ctx.from exists only while handleCall runs');
    return { pid: call.caller.pid, ref: call.ref };
  }
}

/** The receive loop of one server (gen_server): which callback runs, and what its result means. */
export class GenServerLoop implements BehaviourRunner {
  private phase: 'init' | 'serve' | 'terminate' = 'init';
  private state: unknown = undefined;
  private message: Message | null = null;
  private idleTimer: unknown = undefined;
  private ctx: ServerContext | null = null;
  private start: unknown;
  /** How the process ends once `terminate` has returned. */
  private ending: { reason: ExitReason; readonly reply: { readonly value: unknown } | null } | null = null;
  private readonly kernel: Kernel;
  private readonly definition: ServerDefinition;
  private process!: Process;

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

  boot(): unknown {
    const { start } = this;
    this.start = undefined;
    const result = this.definition.init(start, this.ctx);
    return isPromise(result) ? result : this.settled(result);
  }

  handle(message: Message): unknown {
    if (this.idleTimer !== undefined) this.cancelIdleTimer();
    this.message = message;
    const { kind, tag, payload } = message;
    if (kind === 'info') return this.handleInfo(tag, payload);
    if (kind === 'call') {
      this.process.currentCall = message.call;
      return this.invoke(this.definition.handleCall, 'handleCall', tag, payload);
    }
    if (kind === 'cast') return this.invoke(this.definition.handleCast, 'handleCast', tag, payload);
    return this.invoke(this.definition.handleContinue, 'handleContinue', tag, payload);
  }

  settled(value: unknown): unknown {
    if (this.phase === 'serve') return this.apply(value);
    if (this.phase === 'init') return this.initialised(value);
    return this.end();
  }

  failed(error: unknown): unknown {
    const reason = this.kernel.reasonOf(error);
    if (this.phase === 'serve') return this.terminate(reason, null);
    if (this.phase === 'init') return this.initFailed(reason);
    // terminate itself failed: its reason replaces the one it was given
    if (this.ending !== null) this.ending.reason = reason;
    return this.end();
  }

  private handleInfo(tag: string, payload: unknown): unknown {
    if (tag === 'EXIT' && payload instanceof ExitSignal && payload.from === this.process.parent) {
      return this.terminate(payload.reason, null);
    }
    if (this.definition.handleInfo[tag] !== undefined) {
      return this.invoke(this.definition.handleInfo, 'handleInfo', tag, payload);
    }
    this.message = null;
    if (unexpectedMessage.hasSubscribers) {
      unexpectedMessage.publish({ system: this.kernel.name, pid: this.process.pid, tag, payload });
    }
    return undefined;
  }

  private invoke(table: ClauseTable, name: string, tag: string, payload: unknown): unknown {
    const clause = table[tag];
    if (clause === undefined) throw new FunctionClauseError(`no clause ${name}.${tag} in ${this.process.initialCall}`);
    const result = clause(this.state, payload, this.ctx);
    return isPromise(result) ? result : this.apply(result);
  }

  private apply(result: unknown): unknown {
    if (!(result instanceof ServerResult)) return this.terminate({ bad_return_value: result }, null);
    this.state = result.state;
    const { kind, next } = result;
    if (kind === 'stop') return this.terminate(result.reason, null);
    const call = this.process.currentCall;
    if (call === null && kind !== 'noreply') return this.terminate({ bad_return_value: result }, null);
    if (kind === 'stopReply') return this.terminate(result.reason, { value: result.value });
    if (call !== null) {
      this.process.currentCall = null;
      if (kind === 'reply') this.kernel.answer(call, result.value);
      else this.kernel.deferCall(this.process, call);
    }
    this.message = null;
    if (next !== null) this.prepare(next);
    return undefined;
  }

  private prepare(next: Next): void {
    if ('continue' in next) {
      this.process.pushFront(new Message('continue', next.continue.tag, next.continue.payload));
      return;
    }
    this.idleTimer = this.kernel.clock.setTimer(() => {
      this.idleTimer = undefined;
      const idle = this.process.status !== EXITED && this.process.queueLength === 0;
      if (idle) this.kernel.deliver(this.process, new Message('info', 'timeout', undefined));
    }, next.idleTimeoutMs);
  }

  private cancelIdleTimer(): void {
    this.kernel.clock.clearTimer(this.idleTimer);
    this.idleTimer = undefined;
  }

  exited(): void {
    if (this.idleTimer !== undefined) this.cancelIdleTimer();
  }

  private initialised(result: unknown): undefined {
    if (result instanceof ServerResult) return this.initFailed({ bad_return_value: result });
    if (result instanceof InitRefusal) {
      if (result.kind === 'ignore') this.acknowledge('ignore');
      this.kernel.crash(this.process, result.reason);
      return;
    }
    this.phase = 'serve';
    const ok = result instanceof InitOk;
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
    if (result === 'ignore' && this.process.name !== null) this.kernel.unregister(this.process.name);
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
      this.kernel.answer(call, reply.value);
    }
    const { message } = this;
    this.kernel.crash(this.process, reason, {
      ...(message === null ? {} : { lastMessage: { kind: message.kind, tag: message.tag, payload: message.payload } }),
      state: this.shownState(),
    });
  }

  private shownState(): unknown {
    if (this.definition.formatStatus === undefined) return this.state;
    try {
      return this.definition.formatStatus(this.state);
    } catch (error) {
      return { format_status_failed: this.kernel.reasonOf(error) };
    }
  }
}
