import { availableParallelism } from 'node:os';
import { badArgument, checkCount, checkFunction, checkObject, checkOneOf } from '../kernel/arguments.ts';
import type { Context, ReceivedMessage } from '../kernel/context.ts';
import { CallError, TaskError } from '../kernel/errors.ts';
import type { Dest, Pid } from '../kernel/pid.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { checkTimeout } from '../kernel/time.ts';
import { TASK_STREAM_KEPT, TASK_STREAM_MS } from '../limits.ts';
import type { TaskOutcome } from './task-handle.ts';
import { functionName, type TaskFunction } from './task-runner.ts';
import { type StreamEvent, TaskStreamServer } from './task-stream-server.ts';

/** Options of `asyncStream` (Task.async_stream/3). */
export interface TaskStreamOptions {
  /** How many tasks run at the same time. Default: as many as the machine has processors to use. */
  readonly maxConcurrency?: number;
  /** Whether the outcomes come in the order of the items (default), or as soon as they are there. */
  readonly ordered?: boolean;
  /** How long each task may take; default 5,000. */
  readonly timeoutMs?: number | 'infinity';
  /**
   * A task that takes longer is killed, and `'exit'` (default): the loop throws `TaskError` `ERR_TASK_TIMEOUT`, or
   * `'kill_task'`: its outcome is `{ exit: 'timeout' }`.
   */
  readonly onTimeout?: 'exit' | 'kill_task';
}

/** Whose the tasks of a stream are. */
interface Below {
  readonly supervisor: Dest | null;
  readonly link: boolean;
}

type Items = Iterable<any> | AsyncIterable<any>;
type ItemEvent = { readonly done: true } | { readonly done: false; readonly item: unknown };

/** Each iteration over the result is a stream of its own. Throws `BadArgError` for a wrong argument. */
export function streamTasks(
  ctx: Context,
  items: Items,
  run: TaskFunction<any, any>,
  options: TaskStreamOptions = {},
  below: Below,
): AsyncIterable<TaskOutcome<any>> {
  checkFunction(run, 'what a task runs');
  const { [Symbol.iterator]: iterator, [Symbol.asyncIterator]: asyncIterator } = Object(items);
  if (iterator === undefined && asyncIterator === undefined) throw badArgument('items', 'iterable', items);
  const complete = completeOptions(options);
  return { [Symbol.asyncIterator]: () => outcomes(ctx, items, run, complete, below) };
}

async function* outcomes(
  ctx: Context,
  items: Items,
  run: TaskFunction<any, any>,
  { maxConcurrency, ordered, timeoutMs, onTimeout }: Required<TaskStreamOptions>,
  below: Below,
): AsyncGenerator<TaskOutcome<any>, void, void> {
  const input = openItems(items);
  const trapExit = trapsExit(ctx);
  const server = ctx.spawnLink(TaskStreamServer, { owner: ctx.self, trapExit, run, timeoutMs, ...below });
  const kept = new Map<number, TaskOutcome<any>>();
  let started = 0;
  let running = 0;
  let given = 0;
  let ended = false;
  // Both are asked for at once: an input that is slow must not keep outcomes back, nor the other way round.
  let item: Promise<ItemEvent> | null = null;
  let event: Promise<StreamEvent> | null = null;
  try {
    for (;;) {
      if (item === null && !ended && running < maxConcurrency && kept.size < TASK_STREAM_KEPT) item = nextItem(input);
      if (event === null && running > 0) event = nextEvent(ctx, server, run);
      const first = await firstOf(item, event);
      if (first === undefined) return;
      if ('done' in first) {
        item = null;
        ended = first.done;
        if (first.done) continue;
        ctx.cast(server, 'start', { position: started++, item: first.item });
        running++;
        continue;
      }
      event = null;
      running--;
      const outcome = outcomeOf(first, onTimeout, run);
      if (!ordered) {
        yield outcome;
        continue;
      }
      kept.set(first.position, outcome);
      for (let next = kept.get(given); next !== undefined; next = kept.get(given)) {
        kept.delete(given++);
        yield next;
      }
    }
  } finally {
    await closeTasks(ctx, server, trapExit);
    if (!ended) await closeItems(input, item !== null);
  }
}

function completeOptions(options: TaskStreamOptions): Required<TaskStreamOptions> {
  checkObject(options, 'the options of a stream');
  const { maxConcurrency = availableParallelism(), ordered = true, timeoutMs = TASK_STREAM_MS } = options;
  const { onTimeout = 'exit' } = options;
  checkCount(maxConcurrency, 'maxConcurrency');
  if (typeof ordered !== 'boolean') throw badArgument('ordered', 'true or false', ordered);
  checkTimeout(timeoutMs, 'timeoutMs');
  checkOneOf(onTimeout, 'onTimeout', ['exit', 'kill_task']);
  return { maxConcurrency, ordered, timeoutMs, onTimeout };
}

function trapsExit(ctx: Context): boolean {
  const traps = ctx.trapExit(true);
  ctx.trapExit(traps);
  return traps;
}

function openItems(items: Items): Iterator<unknown> | AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: open } = items as AsyncIterable<unknown>;
  return open === undefined ? (items as Iterable<unknown>)[Symbol.iterator]() : open.call(items as never);
}

async function nextItem(input: Iterator<unknown> | AsyncIterator<unknown>): Promise<ItemEvent> {
  const { done, value } = await input.next();
  return done === true ? { done } : { done: false, item: value };
}

async function nextEvent(ctx: Context, server: Pid, run: TaskFunction<any, any>): Promise<StreamEvent> {
  try {
    return await ctx.call(server, 'next', undefined, { timeoutMs: 'infinity' });
  } catch (error) {
    // Its owner traps exits, or would have ended with it.
    if (!(error instanceof CallError)) throw error;
    throw new TaskError('ERR_TASK_EXIT', error.reason, undefined, functionName(run));
  }
}

function firstOf(
  item: Promise<ItemEvent> | null,
  event: Promise<StreamEvent> | null,
): Promise<ItemEvent | StreamEvent | undefined> {
  if (item !== null && event !== null) return Promise.race([item, event]);
  return item ?? event ?? Promise.resolve(undefined);
}

function outcomeOf(event: StreamEvent, onTimeout: 'exit' | 'kill_task', run: TaskFunction<any, any>): TaskOutcome<any> {
  if ('failed' in event) throw event.failed;
  if (event.timedOut && onTimeout === 'exit') {
    throw new TaskError('ERR_TASK_TIMEOUT', 'timeout', undefined, functionName(run));
  }
  return event.outcome;
}

/** No task of the stream runs, and nothing of it reaches the mailbox, after this. */
async function closeTasks(ctx: Context, server: Pid, trapExit: boolean): Promise<void> {
  ctx.unlink(server);
  try {
    await ctx.call(server, 'close', undefined, { timeoutMs: 'infinity' });
  } catch (error) {
    if (!(error instanceof CallError)) throw error; // it has ended already, and its tasks with it
  }
  const isExit = ({ payload }: ReceivedMessage): boolean => payload instanceof ExitSignal && payload.from === server;
  if (trapExit) await ctx.receive(isExit, 0);
}

async function closeItems(input: Iterator<unknown> | AsyncIterator<unknown>, busy: boolean): Promise<void> {
  if (!busy) {
    await input.return?.();
    return;
  }
  // An async generator that waits for something ends only after that: the loop must not wait for it too.
  void Promise.resolve(input.return?.()).catch(() => {
    /* the loop that would hear of it is over */
  });
}
