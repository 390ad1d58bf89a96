import { describeExit, type ExitReason } from '../runtime/index.ts';

/**
 * Why a node did not start, for people. A failure deep in the tree is wrapped once per supervisor:
 * `{ shutdown: { failed_to_start_child: { id, reason } } }`.
 */
export function startProblem(reason: ExitReason): string {
  const path: string[] = [];
  let cause: unknown = reason;
  for (let child = failedChild(cause); child !== undefined; child = failedChild(cause)) {
    path.push(child.id);
    cause = child.reason;
  }
  const listen = property(cause, 'listen') as Failure | undefined;
  if (listen !== undefined) return listenProblem(listen, options[path.at(-2) ?? ''] ?? '--port');
  return `the node did not start: ${path.join(' / ')}: ${describeExit(cause)}`;
}

/** The option that says where a transport listens, by its id. */
const options: Readonly<Record<string, string>> = { tcp: '--tcp', websocket: '--ws' };

interface Failure {
  readonly code: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

function listenProblem({ code, host, port, path }: Failure, option: string): string {
  if (path !== undefined) {
    if (code === 'EADDRINUSE') return `${path} is in use: stop what listens there, or choose another with ${option}`;
    return `cannot listen on ${path}: ${code} (see ${option})`;
  }
  if (code !== 'EADDRINUSE') return `cannot listen on ${host}, port ${port}: ${code} (see --host and ${option})`;
  const place = `port ${port} on ${host}`;
  return `${place} is in use: stop what listens there, or choose another with ${option} N (0 takes a free one)`;
}

function failedChild(reason: unknown): { readonly id: string; readonly reason: unknown } | undefined {
  const failed = property(property(reason, 'shutdown'), 'failed_to_start_child');
  return failed as { readonly id: string; readonly reason: unknown } | undefined;
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
