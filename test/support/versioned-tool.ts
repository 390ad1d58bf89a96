/** Tools that tell which version of their module they are of, by its query, and on which thread they run. */

import { threadId } from 'node:worker_threads';
import { changeServer, structured, type Tool, type ToolContext, tool } from '../../mcp/index.ts';
import { name } from '../../runtime/index.ts';
import type { GateProtocol } from './gate-process.ts';

const nothing = { type: 'object' } as const;
const version = Number(new URL(import.meta.url).searchParams.get('v'));
const told = () => structured({ version, threadId });

/** Waits for the process `gate` of the test. */
async function held(_args: unknown, ctx: ToolContext) {
  await ctx.call(name<GateProtocol>('gate'), 'enter', version, { timeoutMs: 'infinity' });
  return told();
}

export const tells: Tool = tool({ description: `Version ${version}.`, input: nothing }, told);
export const apart: Tool = tool({ description: `Version ${version}.`, input: nothing, run: 'isolated' }, told);
export const here: Tool = tool({ description: `Version ${version}.`, input: nothing, run: 'main' }, told);
export const computes: Tool = tool({ description: `Version ${version}.`, input: nothing, run: 'compute' }, told);
export const holds: Tool = tool({ description: `Version ${version}.`, input: nothing }, held);
/** Puts the next version in its own place, from whatever thread. */
export const renews: Tool = tool({ description: `Version ${version}.`, input: nothing }, async (_args, ctx) => {
  const module = import.meta.url.replace(/v=\d+/, `v=${version + 1}`);
  await changeServer(ctx, ctx.server, { tools: { renews: { module, exportName: 'renews' } } });
  return told();
});
export const noTool = 5;
