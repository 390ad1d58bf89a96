/** A system with a compute pool, and jobs that a test sees running. */

import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import {
  type ComputePoolOptions,
  type ComputePoolProtocol,
  compute,
  computePool,
} from '../../runtime/compute/index.ts';
import { type CallError, type Messaging, type Name, name, type System, supervisor, sys } from '../../runtime/index.ts';
import { hold, spin } from './compute-jobs.ts';
import { type Cleanup, startTestSystem, type TestSystem } from './test-system.ts';

export const pool: Name<ComputePoolProtocol> = name<ComputePoolProtocol>('pool');

/** The pool is restarted as often as a test likes. */
export function startPool(t: Cleanup, options: ComputePoolOptions = {}): Promise<TestSystem> {
  const above = supervisor('pools', { intensity: 100 }, [computePool(pool, { threads: 2, ...options })]);
  return startTestSystem(t, { children: [above] });
}

export type Failure = Pick<CallError, 'code' | 'reason' | 'tag'>;

/** How a job fails. Throws if it does not. */
export async function failureOf(job: Promise<unknown>): Promise<Failure> {
  const [settled] = await Promise.allSettled([job]);
  if (settled.status === 'fulfilled') throw new Error(`the job has a result: ${String(settled.value)}`);
  const { code, reason, tag } = settled.reason as CallError;
  return { code, reason, tag };
}

type Options = Parameters<typeof compute>[4];
type Caller = Pick<Messaging, 'call' | 'cast'>;

interface Started {
  readonly result: Promise<unknown>;
  readonly port: MessagePort;
}

/** Asks for a job that loops for ever; `running` settles when it does. */
export function startSpin(caller: Caller, options: Options = {}): Started & { readonly running: Promise<unknown> } {
  const { port1, port2 } = new MessageChannel();
  const result = compute(caller, pool, spin, port2, { transfer: [port2], timeoutMs: 'infinity', ...options });
  return { result: tolerated(result), port: port1, running: heard(port1) };
}

/** Asks for a job that ends with what is posted to its port; `running` brings the id of its thread. */
export function startHold(caller: Caller, options: Options = {}): Started & { readonly running: Promise<number> } {
  const { port1, port2 } = new MessageChannel();
  const result = compute(caller, pool, hold, port2, { transfer: [port2], timeoutMs: 'infinity', ...options });
  return { result: tolerated(result), port: port1, running: heard(port1) as Promise<number> };
}

/** The next message. The port keeps nothing alive: a job that never runs says nothing. */
export async function heard(port: MessagePort): Promise<unknown> {
  const message = once(port, 'message');
  port.unref();
  return (await message)[0];
}

/** Of a job that the end of the test may end. */
function tolerated(result: Promise<unknown>): Promise<unknown> {
  result.catch(() => {
    // who waits for it sees it fail
  });
  return result;
}

/** What a pool says of itself. */
export async function poolStatus(system: System): Promise<{ readonly running: number; readonly waiting: number }> {
  const { running, waiting } = (await sys.getStatus(system, pool)).state as { running: number; waiting: number };
  return { running, waiting };
}
