/**
 * A server as a child process whose behaviour its first argument names. It connects to the socket of the test, which
 * so sees it live and die, and says there what happens to it.
 */

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [mode = '', port = ''] = process.argv.slice(2);
const socket = connect(Number(port), '127.0.0.1');
const tell = (what: string): void => {
  socket.write(`${mode} ${what}\n`);
};
socket.on('error', () => process.exit(3));

if (mode === 'stubborn' || mode === 'deaf') {
  // It ignores the end of its input; a deaf one SIGTERM too.
  process.on('SIGTERM', () => {
    tell('SIGTERM');
    if (mode === 'stubborn') socket.end(() => process.exit(0));
  });
  socket.ref();
}
if (mode === 'parent') {
  // What it starts outlives it, unless somebody ends the group.
  spawn(process.execPath, [fileURLToPath(import.meta.url), 'deaf', port], { stdio: 'ignore' });
}
if (mode === 'crash') process.stderr.write('about to fail\n');

let rest = 0;
const lines = createInterface({ input: process.stdin });
lines
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line) as { id?: number; method: string; params: any };
    if (method === 'die') process.exit(7);
    if (id === undefined) return;
    if (mode === 'full') lines.pause();
    const result =
      method === 'initialize'
        ? { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: mode, version: '1' } }
        : { pid: process.pid, env: process.env, cwd: process.cwd(), count: ++rest };
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
  })
  .on('close', () => {
    tell('end of input');
    if (mode === 'stubborn' || mode === 'deaf') return;
    socket.end(() => process.exit(0));
  });
tell('up');
