import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isMountedServer, type McpServer, type MountedServer, mcpNode } from '../mcp/index.ts';
import { type ChildSpec, type ExitReason, name, StartError, type System, startSystem } from '../runtime/index.ts';
import { type HttpListenerProtocol, streamableHttp } from '../transports/http/index.ts';
import { stdio } from '../transports/stdio.ts';
import type { Transport } from '../transports/transport.ts';
import type { ServeCommand, ServeHttp } from './arguments.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './limits.ts';
import { loadServer } from './load-server.ts';
import { Log, logReports } from './log.ts';
import { startProblem } from './start-problem.ts';
import { treeText } from './tree-text.ts';

/** Prints for people. */
type Say = (text: string) => void;

/** Runs a node until it is stopped; returns the exit code. */
export async function serve(command: ServeCommand, say: Say, complain: Say): Promise<number> {
  const log = new Log(process.env['BEAMISH_LOG']);
  // What the module or a tool prints must not come between the messages of the protocol.
  if (command.stdio) globalThis.console = new Console(process.stderr, process.stderr);
  const loaded = await loadServer(command.module, process.cwd());
  if ('error' in loaded) {
    complain(loaded.error);
    return EXIT_USAGE;
  }
  let http: Transport | undefined;
  try {
    http = command.http && (await httpTransport(command.http));
  } catch (error) {
    complain((error as Error).message);
    return EXIT_USAGE;
  }
  const stopLogging = logReports(log);
  try {
    const system = await start(command, http, loaded.ok, (error, origin) => {
      log.write('error', { err: error, origin }, 'an error that belongs to no process: code at the top of a module?');
    });
    if (command.http !== undefined) await announce(system, command, say);
    await system.terminated;
    if (system.stopRequested) return EXIT_OK;
    complain('the root supervisor gave up: too many restarts; the reports above name the culprit');
    return EXIT_FAILED;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    complain(startProblem(error.reason));
    return EXIT_FAILED;
  } finally {
    stopLogging();
  }
}

/** @throws an error that says which file, or which of its contents, cannot be used. */
async function httpTransport({ host, port, http2, tls }: ServeHttp): Promise<Transport> {
  if (!http2) return streamableHttp({ host, port });
  const { streamableHttp2 } = await import('../transports/http2/index.ts');
  const files = tls && { tls: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } };
  return streamableHttp2({ id: 'http', host, port, ...files });
}

async function start(
  command: ServeCommand,
  http: Transport | undefined,
  server: McpServer | MountedServer,
  onUnattributedError: (error: unknown, origin: string) => void,
): Promise<System> {
  const transports: Transport[] = [];
  if (http !== undefined) transports.push(http);
  const inputEnded = new Promise<void>((resolve) => {
    // A restart of its tier ends the connection too, with 'shutdown', and the next one reads on.
    const onClose = (reason: ExitReason): void => (reason === 'shutdown' ? undefined : resolve());
    if (command.stdio) transports.push(stdio({ onClose }));
  });
  const tools = isMountedServer(server) ? [] : [...server.tools.values()];
  const computes = tools.some(({ runPlace }) => runPlace === 'compute');
  const system = await startSystem({
    // The code of the module runs on worker threads: an endless loop in it, or an exhausted heap, costs its thread.
    threads: true,
    workers: { stdout: command.stdio ? 'stderr' : 'stdout' },
    children: [
      ...(computes ? [await pool()] : []),
      mcpNode('mcp', { servers: [server], transports, ...(computes && { computePool: poolName }) }),
    ],
    signals: ['SIGINT', 'SIGTERM'],
    onUnattributedError,
  });
  // The end of the input is how a client asks a stdio server to go.
  void inputEnded.then(() => system.stop());
  return system;
}

const poolName = name('compute');

/** For tools with `run: 'compute'`: loaded only where there are any. */
async function pool(): Promise<ChildSpec> {
  const { computePool } = await import('../runtime/compute/index.ts');
  return computePool(poolName);
}

async function announce(system: System, command: ServeCommand, say: Say): Promise<void> {
  const { url } = await system.call(name<HttpListenerProtocol>('http_listener'), 'address');
  const client = { command: 'npx', args: ['beamish', 'serve', resolve(command.module), '--stdio'] };
  say(`Listening on ${url}

Supervision tree:
${treeText(await system.tree())}

Call it:
${curlLine(url)}

A client that starts it itself over stdio is configured like this:
${JSON.stringify({ mcpServers: { [basename(command.module).replace(/\.[cm]?[jt]s$/, '')]: client } }, null, 2)}

Stop with Ctrl-C.`);
}

/** One line that works in a shell: the stateless revision needs no session. */
function curlLine(url: string): string {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } });
  const headers = [
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    'mcp-protocol-version: 2026-07-28',
    'mcp-method: tools/list',
  ];
  return `curl -s ${url} ${headers.map((h) => `-H '${h}'`).join(' ')} -d '${body}'`;
}
