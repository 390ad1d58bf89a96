import type { Context } from '../kernel/context.ts';
import { CallError, TaskError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Dest, From, Pid, Ref } from '../kernel/pid.ts';
import type { Call } from '../kernel/protocol.ts';
import { type CallContext, type GenServer, sealedServer } from '../server/gen-server.ts';
import { type HandlerResult, noreply, reply, stop, stopReply } from '../server/server-result.ts';
import type { Task, TaskOutcome } from './task-handle.ts';
import { type TaskFunction, TaskReply } from './task-runner.ts';
import { startTask, startUnder } from './task-start.ts';

/** What came of one item. */
export type StreamEvent =
  | { readonly position: number; readonly outcome: TaskOutcome<any>; readonly timedOut: boolean }
  | { readonly position: number; readonly failed: unknown };

export interface TaskStreamProtocol {
  readonly call: {
    /** The next event, when there is one. */
    readonly next: Call<void, StreamEvent>;
    /** Kills what still runs. */
    readonly close: Call<void, 'ok'>;
  };
  readonly cast: { readonly start: { readonly position: number; readonly item: unknown } };
}

export interface TaskStreamStart {
  readonly owner: Pid;
  /** As its owner does: so a failed task ends both, or none. */
  readonly trapExit: boolean;
  readonly run: TaskFunction<any, any>;
  readonly timeoutMs: number | 'infinity';
  /** Null: the tasks are its own. */
  readonly supervisor: Dest | null;
  readonly link: boolean;
}

interface Running {
  readonly position: number;
  readonly task: Task;
  readonly timer: Ref | null;
  timedOut: boolean;
}

interface Stream {
  readonly start: TaskStreamStart;
  readonly running: Map<Ref, Running>;
  readonly events: StreamEvent[];
  waiting: From<StreamEvent> | null;
}

/**
 * Stands between the process that iterates over `asyncStream` and its tasks: it owns the tasks, so that their messages
 * and exit signals do not reach that process, and ends them with it.
 */
export const TaskStreamServer: GenServer<TaskStreamProtocol, TaskStreamStart> = sealedServer(
  import.meta,
  'TaskStreamServer',
  {
    init: (start, ctx): Stream => {
      ctx.trapExit(start.trapExit);
      ctx.monitor(start.owner);
      return { start, running: new Map(), events: [], waiting: null };
    },
    handleCall: {
      next: (stream, _none, ctx: CallContext<TaskStreamProtocol, StreamEvent>) => {
        const event = stream.events.shift();
        if (event !== undefined) return reply(event, stream);
        stream.waiting = ctx.from;
        return noreply(stream);
      },
      close: async (stream, _none, ctx) => {
        await killAll(stream, ctx);
        return stopReply('normal', 'ok' as const, stream);
      },
    },
    handleCast: {
      start: (stream, { position, item }, ctx) => {
        const { supervisor, run, link } = stream.start;
        if (supervisor === null) return running(stream, position, startTask(ctx, run, item), ctx);
        return startUnder(ctx, supervisor, run, item, link).then(
          (task) => running(stream, position, task, ctx),
          (error) => notStarted(stream, position, error, ctx),
        );
      },
    },
    handleInfo: {
      task: (stream, message, ctx) => {
        const done = message instanceof TaskReply ? forget(stream, message.ref, ctx) : undefined;
        if (done === undefined) return noreply(stream);
        ctx.demonitor(message.ref, { flush: true });
        return tell(stream, { position: done.position, outcome: { ok: message.result }, timedOut: false }, ctx);
      },
      DOWN: (stream, { ref, object, reason }, ctx) => {
        if (object === stream.start.owner) return stop(reason === 'normal' ? 'shutdown' : reason, stream);
        const done = forget(stream, ref, ctx);
        if (done === undefined) return noreply(stream);
        const { position, timedOut } = done;
        return tell(stream, { position, outcome: { exit: timedOut ? 'timeout' : reason }, timedOut }, ctx);
      },
      timeout: (stream, timeout, ctx) => {
        const late = [...stream.running.values()].find(({ timer }) => timer !== null && timer === timeout?.ref);
        if (late === undefined) return noreply(stream);
        late.timedOut = true;
        ctx.unlink(late.task.pid);
        ctx.exitProcess(late.task.pid, 'kill');
        return noreply(stream);
      },
      EXIT: (stream) => noreply(stream), // of its tasks: DOWN says the same
    },
    terminate: (reason, stream, ctx) => endLinked(stream, reason, ctx),
  },
);

function running(stream: Stream, position: number, task: Task, ctx: Context): HandlerResult<Stream> {
  const { timeoutMs } = stream.start;
  const timer = timeoutMs === 'infinity' ? null : ctx.startTimer(timeoutMs);
  stream.running.set(task.ref, { position, task, timer, timedOut: false });
  return noreply(stream);
}

/** The process that iterates is told; any other error is one of this server. */
function notStarted(stream: Stream, position: number, error: unknown, ctx: Context): HandlerResult<Stream> {
  if (!(error instanceof TaskError || error instanceof CallError)) throw error;
  return tell(stream, { position, failed: error }, ctx);
}

function tell(stream: Stream, event: StreamEvent, ctx: Context): HandlerResult<Stream> {
  const { waiting } = stream;
  stream.waiting = null;
  if (waiting === null) stream.events.push(event);
  else ctx.replyTo(waiting, event);
  return noreply(stream);
}

function forget(stream: Stream, ref: Ref, ctx: Context): Running | undefined {
  const done = stream.running.get(ref);
  if (done === undefined) return undefined;
  stream.running.delete(ref);
  if (done.timer !== null) ctx.cancelTimer(done.timer);
  return done;
}

async function killAll(stream: Stream, ctx: Context): Promise<void> {
  ctx.trapExit(true);
  for (const { task } of stream.running.values()) ctx.exitProcess(task.pid, 'kill');
  for (const ref of stream.running.keys()) {
    const isDown = (payload: unknown): boolean => (payload as { readonly ref?: Ref } | undefined)?.ref === ref;
    await ctx.receive(({ tag, payload }) => tag === 'DOWN' && isDown(payload), 'infinity');
  }
  stream.running.clear();
}

/** Its links carry any other reason to the tasks. */
function endLinked(stream: Stream, reason: ExitReason, ctx: Context): void {
  if (reason !== 'normal' || !stream.start.link) return;
  for (const { task } of stream.running.values()) ctx.exitProcess(task.pid, 'shutdown');
}
