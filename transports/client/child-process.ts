/** A child process in a group of its own, with a guard that ends the group when this program is gone. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { ChildProcessLimits } from '../limits.ts';

export interface ChildCommand {
  /** A program: a path, or a name that is looked up in `PATH`. No shell reads it. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

const windows = process.platform === 'win32';

/** Where the guard listens for the end of this program: only this program has the other end. */
const lifeline = 3;

/** What a child gets of our environment beside what it is given: nothing that could be a secret. */
const inherited = windows
  ? ['APPDATA', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'PATH', 'PATHEXT', 'PROGRAMFILES', 'SYSTEMDRIVE'].concat([
      'SYSTEMROOT',
      'TEMP',
      'TMP',
      'USERNAME',
      'USERPROFILE',
      'COMSPEC',
      'PROCESSOR_ARCHITECTURE',
    ])
  : ['HOME', 'LANG', 'LC_ALL', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'];

export function childEnvironment(given: Readonly<Record<string, string>>): Record<string, string> {
  const kept = inherited.flatMap((key) => {
    const value = process.env[key];
    // Functions that a shell exports are code.
    return value === undefined || value.startsWith('()') ? [] : [[key, value] as const];
  });
  return { ...Object.fromEntries(kept), ...given };
}

/**
 * The guard: a shell in the group of the child, whose parent it is not (it is forked twice, so that the child never
 * waits for it). The end of the lifeline means that this program has gone, whatever ended it. Then the child, whose
 * input has ended too, gets its time to exit, SIGTERM, and SIGKILL for the whole group.
 */
function guardScript({ endOfInputMs, sigtermMs }: ChildProcessLimits): string {
  const seconds = (ms: number): number => Math.ceil(ms / 1_000);
  const wait = (ms: number): string =>
    `n=0; while [ $n -lt ${seconds(ms)} ] && kill -0 $$ 2>/dev/null; do sleep 1; n=$((n+1)); done`;
  const gone = `trap '' HUP INT TERM; read -r gone <&${lifeline}`;
  const guard = `${gone}; ${wait(endOfInputMs)}; kill -TERM 0; ${wait(sigtermMs)}`;
  // The signal of the last line ends the guard too.
  return `((${guard}; kill -KILL 0) </dev/null >/dev/null 2>&1 &); exec ${lifeline}<&-; exec "$@"`;
}

/** Starts the command with three pipes; an `error` event says that there is none. */
export function startChild({ command, args, cwd, env }: ChildCommand, limits: ChildProcessLimits): ChildProcess {
  const options = { ...(cwd === undefined ? {} : { cwd }), env };
  if (windows) return spawn(command, [...args], { ...options, stdio: 'pipe', windowsHide: true });
  return spawn('/bin/sh', ['-c', guardScript(limits), 'sh', command, ...args], {
    ...options,
    detached: true, // a session and a process group of its own
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
}

/** Signals the child and all that it has started, as far as they have stayed in its group. */
export function signalGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  if (windows) {
    // There are no groups to signal; this ends the tree of those whose parents still live.
    spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on('error', ignored);
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // all have gone
  }
}

function ignored(): void {}
