/** A tool with `run: 'compute'`, as its request has it. */

import { compute } from '../../runtime/compute/compute.ts';
import { CallError, type Context, type ExitReason, type Name } from '../../runtime/index.ts';
import { revisionOf } from '../revision/registry.ts';
import { toolOnThread } from './compute-job.ts';
import type { Work } from './methods/outcome.ts';
import type { RequestProtocol } from './request.ts';
import type { CodeSource } from './tool-module.ts';
import type { WorkRequest } from './work-request.ts';

/**
 * Asks the pool, and tells the process of the request what came of it. Whatever ends the process ends the job with its
 * thread: the pool watches who waits.
 */
export function startComputing(
  { node, source, pool }: { readonly node: string; readonly source: CodeSource; readonly pool: Name },
  { id, server, version, session, clientCapabilities, principal, work }: WorkRequest,
  ctx: Context<RequestProtocol>,
): void {
  const { name: tool, args } = work as Extract<Work, { kind: 'tool' }>;
  const { era } = revisionOf(version)!;
  const asked = { node, source, server, id, tool, args, session: session?.id, era, clientCapabilities, principal };
  // What ends the request, its deadline above all, ends the job.
  compute(ctx, pool, toolOnThread, asked, { timeoutMs: 'infinity' }).then(
    (ended) => {
      if (!ctx.isAlive(ctx.self)) return;
      if ('returned' in ended) ctx.send(ctx.self, 'returned', ended.returned);
      else if ('thrown' in ended) ctx.send(ctx.self, 'thrown', ended.thrown);
      else ctx.send(ctx.self, 'refused', ended.refused);
    },
    (error: unknown) => {
      if (!ctx.isAlive(ctx.self)) return;
      const unclonable = unclonableResult(error);
      if (unclonable !== undefined) ctx.send(ctx.self, 'thrown', unclonable);
      else ctx.send(ctx.self, 'lost', lossOf(error, pool));
    },
  );
}

/** The result of the tool cannot cross: its own mistake, as if it had thrown. */
function unclonableResult(error: unknown): Error | undefined {
  const data =
    error instanceof CallError ? (error.reason as { readonly error?: unknown } | undefined)?.error : undefined;
  const { code, message } = (data ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return code === 'ERR_COMPUTE_CLONE' ? new Error(String(message)) : undefined;
}

function lossOf(error: unknown, pool: Name): ExitReason {
  if (!(error instanceof CallError)) throw error;
  return error.code === 'ERR_CALL_NOPROC' ? { no_compute_pool: pool } : error.reason;
}
