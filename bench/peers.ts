/** Libraries that ours is compared with. They are installed when first measured, never by the root `npm install`. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { root } from './contender.ts';

const folder = `${root}bench/peers`;

/** Installs the versions of the lock file; false if that fails, for want of a network as a rule. */
export function installPeers(): boolean {
  const [lock, installed] = [`${folder}/package-lock.json`, `${folder}/node_modules/.package-lock.json`];
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const shell = process.platform === 'win32';
  return (
    spawnSync('npm', ['ci', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], shell }).status === 0
  );
}

/** A peer's module, typed by what the caller uses of it. */
export async function loadPeer<Module>(name: string): Promise<Module> {
  const loader = (await import(pathToFileURL(`${folder}/load.mjs`).href)) as { load(name: string): Promise<Module> };
  return loader.load(name);
}
