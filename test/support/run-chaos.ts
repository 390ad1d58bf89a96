/** Runs the chaos test at its full size: `npm run chaos`, with the seed `CHAOS_SEED` if that is given. */

import { spawnSync } from 'node:child_process';
import { builtPath } from './repository.ts';

/** Every loop and every full heap costs seconds, and there may be other programs. */
const timeoutMs = 1_800_000;

const options = ['--test', '--test-reporter=spec', `--test-timeout=${timeoutMs}`];
const { status } = spawnSync(process.execPath, [...options, builtPath('test/runtime/thread/chaos.test.ts')], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS: 'full' },
});
process.exitCode = status ?? 1;
