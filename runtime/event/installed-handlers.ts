import type { Context } from '../kernel/context.ts';
import { exitReasonOf, FunctionClauseError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Pid } from '../kernel/pid.ts';
import { originOf } from '../kernel/process-context.ts';
import { type Attempt, attempt, type Steps } from '../kernel/steps.ts';
import { InitOk, InitRefusal, ServerResult } from '../server/server-result.ts';
import { eventHandlerReport, unexpectedMessage } from '../telemetry.ts';
import { type EventHandler, HandlerEnd, type HandlerRef, type HandlerSwap, type Swapped } from './event-handler.ts';

/** A handler in a manager. */
interface Installed {
  readonly handler: EventHandler;
  readonly id: string | undefined;
  readonly state: unknown;
  /** Who is linked to the manager on its behalf and hears of its end. */
  readonly supervisor: Pid | undefined;
}

/** A handler and its state, as `sys` shows it. */
export interface HandlerState {
  readonly handler: string;
  readonly id: string | undefined;
  readonly state: unknown;
}

/** What is being handled, for reports. */
interface Last {
  readonly kind: 'event' | 'info' | 'call';
  readonly tag: string;
  readonly payload: unknown;
}

/** How an addition went: `'ok'`, `'ignore'` or why not. */
export type AddResult = 'ok' | 'ignore' | { readonly error: ExitReason };
/** `{ ok }` with what the handler returned, or `{ error }` with why it did not. */
export type HandlerReply<Value = unknown> = { readonly ok: Value } | { readonly error: ExitReason };

/**
 * The handlers of one event manager, the newest first. They run in the manager's process, one after another; what one
 * of them throws ends that one alone.
 */
export class InstalledHandlers {
  private installed: readonly Installed[] = [];
  private readonly ctx: Context;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  get refs(): HandlerRef[] {
    return this.installed.map(refOf);
  }

  states(shown: (each: Installed) => unknown = ({ state }) => state): HandlerState[] {
    return this.installed.map((each) => ({ handler: each.handler.exportName, id: each.id, state: shown(each) }));
  }

  /**
   * Each handler by itself; one for which the function fails, or whose name it changes, keeps its state (gen_event).
   */
  replaceStates(replace: (state: HandlerState) => HandlerState): HandlerState[] {
    this.installed = this.installed.map((each) => {
      const { handler, id, state } = each;
      try {
        const next = replace({ handler: handler.exportName, id, state });
        return next.handler === handler.exportName && next.id === id ? { ...each, state: next.state } : each;
      } catch {
        return each; // as in gen_event: the others are replaced all the same
      }
    });
    return this.states();
  }

  *add(ref: HandlerRef, arg: unknown, supervisor: Pid | undefined): Steps<AddResult> {
    if (supervisor !== undefined) this.ctx.link(supervisor);
    const added = yield* this.start(ref, arg, supervisor, undefined);
    if (!('handler' in added)) return added.refused;
    this.installed = [added, ...this.installed];
    return 'ok';
  }

  *delete(ref: HandlerRef, arg: unknown): Steps<HandlerReply> {
    const found = this.take(ref);
    if (found === undefined) return { error: 'module_not_found' };
    const ended = yield* this.end(found, arg, 'normal');
    return 'failed' in ended ? { error: ended.failed } : { ok: ended.value };
  }

  /** The new one comes to the front. It is started also if the old one is not there. */
  *swap(ref: HandlerRef, swap: HandlerSwap, newSupervisor: Pid | undefined): Steps<AddResult> {
    const found = this.take(ref);
    const supervisor = newSupervisor ?? found?.supervisor;
    let term: unknown = 'error';
    if (found !== undefined) term = yield* this.endSwapped(found, swap, supervisor);
    if (supervisor !== undefined) this.ctx.link(supervisor);
    const added = yield* this.start(swap.handler, swap.arg, supervisor, { term });
    if (!('handler' in added)) return added.refused;
    this.installed = [added, ...this.installed];
    return 'ok';
  }

  *call(ref: HandlerRef, tag: string, payload: unknown): Steps<HandlerReply> {
    const found = this.installed.find(isMeant(ref));
    if (found === undefined) return { error: 'bad_module' };
    const last: Last = { kind: 'call', tag, payload };
    const called = yield* attempt(() => {
      const clause = found.handler.definition.handleCall[tag];
      if (clause === undefined) throw new FunctionClauseError(`no clause handleCall.${tag} in ${nameOf(found)}`);
      return clause(found.state, payload, this.ctx);
    });
    let reply: HandlerReply;
    let next: Installed | undefined;
    if ('failed' in called) {
      reply = { error: called.failed };
    } else if (called.value instanceof ServerResult && called.value.kind === 'reply' && called.value.next === null) {
      reply = { ok: called.value.value };
      next = { ...found, state: called.value.state };
    } else if (called.value instanceof HandlerEnd && called.value.kind === 'call') {
      reply = { ok: called.value.value };
      next = yield* this.leave(found, called.value, last);
    } else {
      reply = { error: { bad_return_value: called.value } };
    }
    if ('error' in reply) yield* this.fail(found, reply.error, last);
    this.replace(found, next);
    return reply;
  }

  *notify(tag: string, payload: unknown): Steps<void> {
    const last: Last = { kind: 'event', tag, payload };
    yield* this.each(last, ({ handler: { definition, exportName }, state }) => {
      const clause = definition.handleEvent[tag];
      if (clause !== undefined) return () => clause(state, payload, this.ctx);
      const { handleOtherEvent } = definition;
      if (handleOtherEvent !== undefined) return () => handleOtherEvent(state, { tag, payload }, this.ctx);
      return () => {
        throw new FunctionClauseError(`no clause handleEvent.${tag} in ${exportName}`);
      };
    });
  }

  /** A message that is no event. */
  *inform(tag: string, payload: unknown): Steps<void> {
    const last: Last = { kind: 'info', tag, payload };
    let understood = tag === 'EXIT'; // of processes that supervised handlers: nobody needs to care
    yield* this.each(last, ({ handler: { definition }, state }) => {
      const clause = definition.handleInfo[tag];
      if (clause === undefined) return undefined;
      understood = true;
      return () => clause(state, payload, this.ctx);
    });
    if (!understood && unexpectedMessage.hasSubscribers) {
      unexpectedMessage.publish({ ...originOf(this.ctx), tag, payload });
    }
  }

  /** A linked process has exited: the handlers that it supervised go. */
  *supervisorExited(pid: Pid, reason: ExitReason): Steps<void> {
    const kept: Installed[] = [];
    for (const each of this.installed) {
      if (each.supervisor === pid) yield* this.end(each, { stop: reason }, 'shutdown');
      else kept.push(each);
    }
    this.installed = kept;
  }

  /** The manager ends. Who supervised a handler hears of it by a message, and must not be ended through its link. */
  *stop(): Steps<void> {
    for (const each of this.installed) yield* this.end(each, 'stop', 'shutdown');
    for (const { supervisor } of this.installed) {
      if (supervisor !== undefined && supervisor !== this.ctx.parent) this.ctx.unlink(supervisor);
    }
    this.installed = [];
  }

  /** One step of every handler for which there is one. */
  private *each(last: Last, stepOf: (each: Installed) => (() => unknown) | undefined): Steps<void> {
    const kept: Installed[] = [];
    for (const each of this.installed) {
      const step = stepOf(each);
      const next = step === undefined ? each : yield* this.update(each, yield* attempt(step), last);
      if (next !== undefined) kept.push(next);
    }
    this.installed = kept;
  }

  /** A handler after an event; undefined if it is gone. */
  private *update(each: Installed, handled: Attempt, last: Last): Steps<Installed | undefined> {
    if ('failed' in handled) return yield* this.fail(each, handled.failed, last);
    const { value } = handled;
    if (value instanceof ServerResult && value.kind === 'noreply' && value.next === null) {
      return { ...each, state: value.state };
    }
    if (value instanceof HandlerEnd && value.kind === 'event') return yield* this.leave(each, value, last);
    return yield* this.fail(each, { bad_return_value: value }, last);
  }

  /** A handler that wants to go, and the one that takes its place, if any. */
  private *leave(each: Installed, { swap }: HandlerEnd, last: Last): Steps<Installed | undefined> {
    if (swap === null) {
      yield* this.end(each, 'remove_handler', 'normal');
      return undefined;
    }
    const { supervisor } = each;
    const term = yield* this.endSwapped({ ...each, state: swap.state }, swap, supervisor);
    const added = yield* this.start(swap.handler, swap.arg, supervisor, { term });
    if ('handler' in added) return added;
    const { refused } = added;
    const reason = typeof refused === 'object' ? refused.error : refused;
    this.report(swap.handler, reason, undefined, last);
    this.tell(supervisor, swap.handler, reason);
    return undefined;
  }

  private *endSwapped(each: Installed, { terminateArg, handler }: HandlerSwap, supervisor: Pid | undefined): Steps {
    const ended = yield* this.end(each, terminateArg, { swapped: { handler, supervisor } });
    return 'failed' in ended ? { error: ended.failed } : ended.value;
  }

  private *fail(each: Installed, reason: ExitReason, last: Last): Steps<undefined> {
    const ended = yield* attempt(() => each.handler.definition.terminate?.({ error: reason }, each.state, this.ctx));
    this.report(refOf(each), reason, shownState(each), last);
    if ('failed' in ended) this.report(refOf(each), ended.failed, shownState(each), undefined);
    this.tell(each.supervisor, refOf(each), reason);
    return undefined;
  }

  /** An orderly end. */
  private *end(each: Installed, arg: unknown, reason: ExitReason): Steps<Attempt> {
    const ended = yield* attempt(() => each.handler.definition.terminate?.(arg, each.state, this.ctx));
    if ('failed' in ended) this.report(refOf(each), ended.failed, shownState(each), undefined);
    this.tell(each.supervisor, refOf(each), reason);
    return ended;
  }

  private *start(
    ref: HandlerRef,
    arg: unknown,
    supervisor: Pid | undefined,
    swapped: Swapped | undefined,
  ): Steps<Installed | { readonly refused: Exclude<AddResult, 'ok'> }> {
    const { handler, id } = partsOf(ref);
    if (typeof handler?.definition?.init !== 'function') return { refused: { error: 'bad_module' } };
    const started = yield* attempt(() => handler.definition.init(arg, this.ctx, swapped));
    if ('failed' in started) return { refused: { error: started.failed } };
    const { value } = started;
    if (value instanceof InitRefusal) {
      return { refused: value.kind === 'ignore' ? 'ignore' : { error: value.reason } };
    }
    if (value instanceof InitOk || value instanceof ServerResult || value instanceof HandlerEnd) {
      return { refused: { error: { bad_return_value: value } } };
    }
    return { handler, id, state: value, supervisor };
  }

  private take(ref: HandlerRef): Installed | undefined {
    const found = this.installed.find(isMeant(ref));
    if (found !== undefined) this.replace(found, undefined);
    return found;
  }

  private replace(old: Installed, next: Installed | undefined): void {
    this.installed = this.installed.flatMap((each) => {
      if (each !== old) return [each];
      return next === undefined ? [] : [next];
    });
  }

  private tell(supervisor: Pid | undefined, handler: HandlerRef, reason: ExitReason): void {
    if (supervisor === undefined) return;
    this.ctx.send(supervisor, 'gen_event_EXIT', { manager: this.ctx.self, handler, reason });
  }

  private report(ref: HandlerRef, reason: ExitReason, state: unknown, last: Last | undefined): void {
    if (!eventHandlerReport.hasSubscribers) return;
    const { handler, id } = partsOf(ref);
    eventHandlerReport.publish({
      ...originOf(this.ctx),
      handler: { module: handler?.module, exportName: handler?.exportName, id },
      reason,
      state,
      ...(last === undefined ? {} : { lastMessage: last }),
    });
  }
}

function partsOf(ref: HandlerRef): { readonly handler: EventHandler; readonly id: string | undefined } {
  return typeof ref === 'object' && ref !== null && 'handler' in ref ? ref : { handler: ref, id: undefined };
}

function refOf({ handler, id }: Installed): HandlerRef {
  return id === undefined ? handler : { handler, id };
}

/** By module and name, since on another thread the same handler is another object. */
function isMeant(ref: HandlerRef): (each: Installed) => boolean {
  const { handler, id } = partsOf(ref);
  return (each) =>
    each.id === id && each.handler.exportName === handler?.exportName && each.handler.module === handler.module;
}

function nameOf({ handler, id }: Installed): string {
  return id === undefined ? handler.exportName : `${handler.exportName} '${id}'`;
}

/** A handler's state as reports show it. */
export function shownState({ handler: { definition }, state }: Installed): unknown {
  if (definition.formatStatus === undefined) return state;
  try {
    return definition.formatStatus(state);
  } catch (error) {
    return { format_status_failed: exitReasonOf(error) };
  }
}
