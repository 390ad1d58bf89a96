import { Console } from 'node:console';
import { basename, resolve } from 'node:path';
import { isMountedServer, type McpServer, type MountedServer, mcpNode } from '../mcp/index.ts';
import { type ChildSpec, type ExitReason, name, StartError, type System, startSystem } from '../runtime/index.ts';
import { stdio } from '../transports/stdio.ts';
import type { Transport } from '../transports/transport.ts';
import type { ServeCommand } from './arguments.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './limits.ts';
import { loadServer } from './load-server.ts';
import { Log, logReports } from './log.ts';
import { addresses, socketTransports } from './sockets.ts';
import { startProblem } from './start-problem.ts';
import { treeText } from './tree-text.ts';

/** Prints for people. */
type Say = (text: string) => void;

/** Runs a node until it is stopped; returns the exit code. */
export async function serve(command: ServeCommand, say: Say, complain: Say): Promise<number> {
  const log = new Log(process.env['BEAMISH_LOG']);
  // What the module or a tool prints must not come between the messages of the protocol.
  if (command.stdio) globalThis.console = new Console(process.stderr, process.stderr);
  let sockets: readonly Transport[];
  try {
    sockets = await socketTransports(command.sockets);
  } catch (error) {
    complain((error as Error).message);
    return EXIT_USAGE;
  }
  // Last: from here to the start of the system no turn must pass in which code that the module leaves behind may fail.
  const loaded = await loadServer(command.module, process.cwd());
  if ('error' in loaded) {
    complain(loaded.error);
    return EXIT_USAGE;
  }
  const stopLogging = logReports(log);
  try {
    const system = await start(command, sockets, loaded.ok, (error, origin) => {
      log.write('error', { err: error, origin }, 'an error that belongs to no process: code at the top of a module?');
    });
    if (sockets.length > 0) await announce(system, command, sockets, say);
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

async function start(
  command: ServeCommand,
  sockets: readonly Transport[],
  server: McpServer | MountedServer,
  onUnattributedError: (error: unknown, origin: string) => void,
): Promise<System> {
  const transports: Transport[] = [...sockets];
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

async function announce(system: System, command: ServeCommand, sockets: readonly Transport[], say: Say): Promise<void> {
  const urls = (await addresses(system, sockets)).map(({ url }) => url);
  const call = command.sockets.http && `Call it:\n${curlLine(urls[0]!)}\n\n`;
  const client = { command: 'npx', args: ['beamish', 'serve', resolve(command.module), '--stdio'] };
  say(`${urls.map((url) => `Listening on ${url}`).join('\n')}

Supervision tree:
${treeText(await system.tree())}

${call ?? ''}A client that starts it itself over stdio is configured like this:
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
