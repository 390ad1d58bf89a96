/** Who may answer a call, and what becomes of what is on its way when a thread is not there any more. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProbe, startThreads } from '../../support/thread-system.ts';

test('a process on the thread of the caller may answer for a server on another one', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  const server = await startProbe(system, { thread: 'a' });
  const near = await startProbe(system, { thread: 'main' });
  assert.match(await system.call(server, 'late', near, { timeoutMs: 2_000 }), /^from thread \d+$/);
  const [caller, other] = [await startProbe(system, { thread: 'b' }), await startProbe(system, { thread: 'b' })];
  assert.match((await system.call(caller, 'lateOf', { server, other })) as string, /^from thread \d+$/);
  // Nothing of the call is left at the server, which may answer too late.
  assert.equal(await system.call(server, 'echo', 1), 1);
});
