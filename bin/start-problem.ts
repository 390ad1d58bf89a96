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
  const listen = property(cause, 'listen');
  if (property(listen, 'code') === 'EADDRINUSE') {
    const place = `port ${property(listen, 'port')} on ${property(listen, 'host')}`;
    return `${place} is in use: stop what listens there, or choose another with --port N (0 takes a free one)`;
  }
  if (listen !== undefined) {
    const { code, host, port } = listen as { code: string; host: string; port: number };
    return `cannot listen on ${host}, port ${port}: ${code} (see --host and --port)`;
  }
  return `the node did not start: ${path.join(' / ')}: ${describeExit(cause)}`;
}

function failedChild(reason: unknown): { readonly id: string; readonly reason: unknown } | undefined {
  const failed = property(property(reason, 'shutdown'), 'failed_to_start_child');
  return failed as { readonly id: string; readonly reason: unknown } | undefined;
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
