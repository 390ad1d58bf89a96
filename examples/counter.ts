/**
 * A server under a supervisor: it crashes, and is there again from its start argument. In a project of yours:
 * 'beamish'.
 */
import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import {
  type Call,
  channels,
  child,
  describeExit,
  type GenServer,
  genServer,
  type Name,
  name,
  noreply,
  reply,
  type SupervisorReport,
  startSystem,
  supervisor,
} from '../runtime/index.ts';

interface CounterProtocol {
  readonly call: { readonly get: Call<void, number>; readonly add: Call<number, number> };
  readonly cast: { readonly crash: string };
}

export const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', {
  init: (start) => ({ count: start }),
  handleCall: {
    get: (state) => reply(state.count, state),
    add: (state, by) => reply(state.count + by, { count: state.count + by }),
  },
  handleCast: {
    crash: (state, why) => {
      if (why !== '') throw new Error(why);
      return noreply(state);
    },
  },
});

const counter: Name<CounterProtocol> = name('counter');
const reports: string[] = [];
subscribe(channels.supervisorReport, (message) => {
  const { supervisor: by, errorContext, offender, reason } = message as SupervisorReport;
  reports.push(`${by}: ${errorContext} ${offender.id}: ${describeExit(reason)}`);
});

const system = await startSystem({
  children: [supervisor('counters', { intensity: 3, periodMs: 5_000 }, [child(Counter, 40, { name: counter })])],
});
assert.equal(await system.call(counter, 'add', 2), 42);
system.cast(counter, 'crash', 'boom');
// This call was in the mailbox of the one that crashed.
await assert.rejects(system.call(counter, 'get'), { code: 'ERR_CALL_EXIT' });
assert.equal(await system.call(counter, 'get'), 40);
assert.deepEqual(reports, ['counters: child_terminated Counter: Error: boom']);
await system.stop();
