/** A system on a simulated clock that ends with its test, and processes that a test drives from outside. */

import {
  type Context,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type Pid,
  type ReceivedMessage,
  type StartOptions,
  type System,
  type SystemOptions,
  startSystem,
} from '../../runtime/index.ts';
import { type SimulatedClock, settle, simulatedClock } from '../../runtime/testing.ts';

/** Where what must be undone after a test is put: a `TestContext`, or a list in a property test. */
export interface Cleanup {
  after(end: () => unknown): void;
}

export interface TestSystem {
  readonly system: System;
  readonly clock: SimulatedClock;
  /** The parent of the processes that `openProcess` makes; its name is `opener`. */
  readonly opener: Context;
}

let systems = 0;

/** A name that no other system of this test process has: events are told apart by it. */
export function systemName(): string {
  return `test-${++systems}`;
}

type OpenerProtocol = { readonly cast: { readonly open: (ctx: Context) => void } };

const Opener: GenServer<OpenerProtocol> = genServer(import.meta, 'Opener', {
  init: (_start, ctx) => {
    ctx.trapExit(true);
    return undefined;
  },
  handleCast: {
    open: (state, open, ctx) => {
      open(ctx);
      return noreply(state);
    },
  },
});

/** Starts a system for one test. After the test it is killed: no shutdown time of a child is waited for. */
export async function startTestSystem(t: Cleanup, options: Partial<SystemOptions> = {}): Promise<TestSystem> {
  const clock = simulatedClock();
  const opener = child(Opener, undefined, { id: 'opener', name: 'opener' });
  const system = await startSystem({
    name: systemName(),
    clock,
    ...options,
    children: [opener, ...(options.children ?? [])],
  });
  t.after(() => killSystem(system));
  const ctx = await new Promise<Context>((resolve) => {
    system.cast(name<OpenerProtocol>('opener'), 'open', resolve);
  });
  return { system, clock, opener: ctx };
}

/** Ends a system at once, whatever its children do. */
export async function killSystem(system: System): Promise<void> {
  system.exitProcess(system.root, 'kill');
  await system.terminated;
}

/** A process whose code is the test. */
export interface OpenProcess {
  readonly ctx: Context;
  readonly pid: Pid;
  /** Makes its function return, that is, exit `'normal'`. */
  finish(): void;
  /** Makes its function reject. */
  fail(thrown: unknown): void;
}

/**
 * Starts a process that does nothing on its own: the test uses its context, and says when and how its function ends.
 */
export async function openProcess(
  { opener }: Pick<TestSystem, 'opener'>,
  options: StartOptions & { readonly trapExit?: boolean } = {},
): Promise<OpenProcess> {
  let finish: () => void = () => {};
  let fail: (thrown: unknown) => void = () => {};
  const ctx = await new Promise<Context>((resolve) => {
    const wait = (_arg: undefined, own: Context): Promise<void> => {
      resolve(own);
      return new Promise<void>((done, reject) => {
        finish = done;
        fail = reject;
      });
    };
    opener.spawn(wait, undefined, options);
  });
  if (options.trapExit === true) ctx.trapExit(true);
  return { ctx, pid: ctx.self, finish, fail };
}

/** Takes all that is in the mailbox of a process now, in order. */
export async function mailboxOf(process: Pick<OpenProcess, 'ctx'>): Promise<ReceivedMessage[]> {
  await settle();
  const messages: ReceivedMessage[] = [];
  for (;;) {
    const message = await process.ctx.receive(() => true, 0);
    if (message === 'timeout') return messages;
    messages.push(message);
  }
}

/** The tags in the mailbox of a process, in order. */
export async function tagsOf(process: Pick<OpenProcess, 'ctx'>): Promise<string[]> {
  return (await mailboxOf(process)).map(({ tag }) => tag);
}

/** The exits in the mailbox of a process that traps exits. */
export async function exitsOf(process: Pick<OpenProcess, 'ctx'>): Promise<{ from: Pid; reason: unknown }[]> {
  const messages = await mailboxOf(process);
  return messages
    .filter(({ tag }) => tag === 'EXIT')
    .map(({ payload }) => {
      const { from, reason } = payload as { from: Pid; reason: unknown };
      return { from, reason };
    });
}

/** The reasons of the EXIT and DOWN messages in the mailbox of a process, in order. */
export async function reasonsOf(process: Pick<OpenProcess, 'ctx'>): Promise<unknown[]> {
  const signals = (await mailboxOf(process)).filter(({ tag }) => tag === 'EXIT' || tag === 'DOWN');
  return signals.map(({ payload }) => (payload as { reason: unknown }).reason);
}

/** A monitor that a test sets: the reason is undefined while the process lives. */
export async function watch(system: Pick<TestSystem, 'opener'>, pid: Pid): Promise<{ readonly reasons: unknown[] }> {
  const reasons: unknown[] = [];
  const watcher = async (_arg: undefined, ctx: Context): Promise<void> => {
    ctx.monitor(pid);
    for (;;) {
      const down = await ctx.receive(({ tag }) => tag === 'DOWN', 'infinity');
      if (down !== 'timeout') reasons.push((down.payload as { reason: unknown }).reason);
    }
  };
  system.opener.spawn(watcher, undefined);
  await settle();
  return { reasons };
}
