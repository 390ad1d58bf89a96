/** A tool with `run: 'compute'`, as a thread of a compute pool runs it. */

import { Console } from 'node:console';
import { type ComputeJob, computeJob } from '../../runtime/compute/job.ts';
import { systemClock } from '../../runtime/index.ts';
import { McpError, quoted } from '../errors.ts';
import type { Era, RequestContext } from '../request-context.ts';
import type { Tool } from '../tool.ts';
import { isMcpServer } from './definition.ts';
import { portable, type Thrown } from './portable.ts';
import { type CodeSource, importTool } from './tool-module.ts';
import type { WorkRequest } from './work-request.ts';

/** What a thread must know to run the tool: plain data. The arguments have been validated. */
export interface ToolOfThread extends Pick<WorkRequest, 'id' | 'server' | 'clientCapabilities' | 'principal'> {
  readonly node: string;
  readonly source: CodeSource;
  readonly tool: string;
  readonly args: object;
  readonly session: string | undefined;
  readonly era: Era;
}

/** What came of it; what it threw as data, since classes do not cross. */
export type ToolEnded = { readonly returned: unknown } | Thrown;

/** Runs the tool. What it throws is its outcome, not a fault of the job. */
export const toolOnThread: ComputeJob<ToolOfThread, ToolEnded> = computeJob(import.meta, 'toolOnThread', runTool);

let consoleMoved = false;

async function runTool(asked: ToolOfThread): Promise<ToolEnded> {
  // Standard output may be what the protocol is spoken on.
  if (!consoleMoved) globalThis.console = new Console(process.stderr, process.stderr);
  consoleMoved = true;
  const tool = await toolOf(asked);
  try {
    return { returned: await tool.run(asked.args, contextOf(asked)) };
  } catch (error) {
    if (!(error instanceof McpError)) return { thrown: portable(error) };
    const { code, message, data } = error;
    return { refused: { code, message, data: portable(data) } };
  }
}

async function toolOf({ source, server, tool: name }: ToolOfThread): Promise<Pick<Tool, 'run'>> {
  const { module, exportName } = source;
  if (exportName !== undefined) return importTool(name, { module, exportName });
  const { default: definition } = (await import(module)) as { readonly default?: unknown };
  const tool = isMcpServer(definition) ? definition.tools.get(name) : undefined;
  if (tool !== undefined) return tool;
  if (isMcpServer(definition)) throw new Error(`${module} has no tool ${quoted(name)} as this thread has it`);
  throw new Error(`${module} must export the server ${quoted(server)} by default: export default mcpServer(…)`);
}

/** There is no process here, so nobody who could call, report or ask. The request ends with its thread. */
function contextOf(asked: ToolOfThread): RequestContext {
  const { node, server, id, session, era, clientCapabilities, principal } = asked;
  const absent = (member: string) => (): never => {
    throw new TypeError(`ctx.${member} is not there for a tool with run: 'compute', which only computes`);
  };
  return {
    requestId: id,
    server: { node, name: server },
    ...(session === undefined ? {} : { session }),
    ...(principal === undefined ? {} : { principal }),
    era,
    clientCapabilities,
    clock: systemClock,
    signal: new AbortController().signal,
    call: absent('call'),
    cast: absent('cast'),
    whereis: absent('whereis'),
    progress: absent('progress'),
    log: absent('log'),
    input: absent('input'),
    disconnect: absent('disconnect'),
  };
}
