/** Runs `beamish serve <module>` as its own process and tells where it listens. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { builtPath, root } from './repository.ts';

export interface ServedModule {
  /** The address of the MCP endpoint, as the command printed it. */
  readonly url: string;
  /** Asks the process to end, as a service manager does, and waits for it. Resolves with its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts the built command on a free port and waits for the line with its address.
 *
 * @param module path of a built server module
 * @throws Error with everything the process printed, when it ends before it listens
 */
export async function serveModule(module: string): Promise<ServedModule> {
  const command = builtPath('bin/beamish.ts');
  const child = spawn(process.execPath, [command, 'serve', module, '--port', '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const url = await firstAddress(child);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

function firstAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const listen = (chunk: Buffer): void => {
      printed += chunk.toString();
      const address = /https?:\/\/[^\s'"]+(?=\s)/.exec(printed)?.[0];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`beamish serve ended (${signal ?? code}) before it listened:\n${printed}`));
    });
  });
}
