/** The node of the workload `soak`: one server, every transport; it kills parts of itself when it is asked to. */
import { readdirSync } from 'node:fs';
import { mcpNode } from '../../../mcp/index.ts';
import { Pid, startSystem, type TreeNode } from '../../../runtime/index.ts';
import { grpc, grpcListenerName } from '../../../transports/grpc/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { http2ListenerName, streamableHttp2 } from '../../../transports/http2/index.ts';
import { sse, sseListenerName } from '../../../transports/sse/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { webSocket, webSocketListenerName } from '../../../transports/websocket/index.ts';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { PARTS, partPath } from '../../soak/faults.ts';
import server from './server.ts';

const port = 0;
const transports = [
  tcp({ port }),
  webSocket({ port }),
  streamableHttp({ port }),
  sse({ port }),
  streamableHttp2({ port }),
  grpc({ port }),
];
// Clients that leave without a word leave their sessions; that shows as a leak unless they end within a minute.
const limits = { sessionIdleMs: 30_000 };
const system = await startSystem({
  threads: { cpu: 1 },
  children: [mcpNode('mcp', { servers: [server], transports, limits })],
});

async function address(): Promise<object> {
  const [lines, sockets, http, events, http2, calls] = await Promise.all([
    system.call(tcpListenerName(), 'address'),
    system.call(webSocketListenerName(), 'address'),
    system.call(listenerName('http'), 'address'),
    system.call(sseListenerName(), 'address'),
    system.call(http2ListenerName(), 'address'),
    system.call(grpcListenerName(), 'address'),
  ]);
  const port = 'port' in lines ? String(lines.port) : '';
  return { tcp: port, websocket: sockets.url, http: http.url, sse: events.url, http2: http2.url, grpc: calls.target };
}

function at(tree: TreeNode, path: string): TreeNode[] {
  let found: TreeNode[] = [tree];
  for (const step of path.split('/')) {
    found = found.flatMap(({ children }) => children.filter(({ id }) => step === '*' || id === step));
  }
  return found;
}

/** Kills one of what is there at that place of the tree; `choice` says which. */
async function kill(path: string, choice: number): Promise<{ readonly killed: number }> {
  const found = at(await system.tree(), path).filter(({ pid }) => pid instanceof Pid);
  const chosen = found[choice % found.length]?.pid;
  if (!(chosen instanceof Pid)) return { killed: 0 };
  system.exitProcess(chosen, 'kill');
  return { killed: 1 };
}

/** What must not grow. Descriptors are those of Linux. */
function gauge(): object {
  for (let n = 0; n < 2; n++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    rss,
    live: heapUsed + external,
    descriptors: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    processes: system.processCount,
    timers: resources.filter((kind) => kind === 'Timeout' || kind === 'Immediate').length,
  };
}

await answerQuestions(
  new Map<string, Operation>([
    ['address', address],
    ['gauge', gauge],
    ...PARTS.map((part): [string, Operation] => [part, (choice) => kill(partPath(part), choice)]),
  ]),
);
