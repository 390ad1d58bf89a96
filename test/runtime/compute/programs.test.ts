/** What a pool does to the program around it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runProgram } from '../../support/child-program.ts';
import { builtPath } from '../../support/repository.ts';

const url = (source: string): string => JSON.stringify(pathToFileURL(builtPath(source)).href);

const prelude = `
  const { compute, computePool } = await import(${url('runtime/compute/index.ts')});
  const jobs = await import(${url('test/support/compute-jobs.ts')});
  const { MessageChannel } = await import('node:worker_threads');
  const { once } = await import('node:events');
  const system = await beamish.startSystem({ children: [computePool('pool', { threads: 2, threadsMin: 1 })] });
  const { port1, port2 } = new MessageChannel();
  const loop = compute(system, 'pool', jobs.spin, port2, { transfer: [port2], timeoutMs: 'infinity' });
  const failed = loop.catch((error) => console.log(error.code, beamish.describeExit(error.reason)));
  await once(port1, 'message');
  port1.unref();
`;

test('a program ends by itself after its system has stopped, though a job looped', async () => {
  const { code, signal, lines, errors } = await runProgram(`${prelude}
    await system.stop();
    await failed;
    console.log('stopped');
  `);
  assert.deepEqual([code, signal, lines], [0, null, ['ERR_CALL_EXIT shutdown', 'stopped']], errors);
});

test('a program ends by itself after its system was killed, though a job looped', async () => {
  const { code, signal, lines, errors } = await runProgram(`${prelude}
    system.exitProcess(system.root, 'kill');
    await system.terminated;
    await failed;
    console.log('gone');
  `);
  assert.deepEqual([code, signal, lines], [0, null, ['ERR_CALL_EXIT killed', 'gone']], errors);
});

test('no fault of a job ends the program: loop, out of memory, exit, throws and rejections', async () => {
  const { code, lines, errors } = await runProgram(`${prelude}
    const reasons = [];
    for (const [job, args] of [
      [jobs.exits, 9], [jobs.leak], [jobs.throws, 'boom'], [jobs.throwsBeside], [jobs.floats], [jobs.givesFunction],
    ]) {
      const options = { resourceLimits: { maxOldGenerationSizeMb: 24 }, timeoutMs: 'infinity' };
      await compute(system, 'pool', job, args, options).catch(({ code }) => reasons.push(code));
    }
    console.log(reasons.length, new Set(reasons).size, await compute(system, 'pool', jobs.double, 4));
    await system.stop();
    await failed;
  `);
  assert.deepEqual([code, lines], [0, ['6 1 8', 'ERR_CALL_EXIT shutdown']], errors);
});

test('a thread that cannot start fails the job that waits for it, and the pool lives on', () => {
  const preload = `
    import { isMainThread } from 'node:worker_threads';
    if (!isMainThread) throw new Error('no thread today');
  `;
  const program = `
    const { name, startSystem } = await import(${url('runtime/index.ts')});
    const { compute, computePool } = await import(${url('runtime/compute/index.ts')});
    const { double } = await import(${url('test/support/compute-jobs.ts')});
    const system = await startSystem({ children: [computePool('pool', { threads: 2 })] });
    const before = system.whereis(name('pool'));
    for (let i = 0; i < 4; i++) {
      const jobs = [1, 2, 3].map((n) => compute(system, 'pool', double, n, { timeoutMs: 'infinity' }));
      const failed = await Promise.allSettled(jobs);
      console.log(failed.map(({ reason }) => reason.reason.error.message).join());
    }
    console.log(system.whereis(name('pool')) === before);
    await system.stop();
  `;
  const data = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const args = ['--import', data(preload), '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  const why = 'no thread today';
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), [...new Array(4).fill([why, why, why].join()), 'true']);
});
