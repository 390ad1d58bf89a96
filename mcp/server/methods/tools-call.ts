import { toolError } from '../../content.ts';
import { errorObject, INVALID_PARAMS, quoted } from '../../errors.ts';
import type { JsonObject } from '../../json-rpc.ts';
import type { McpLimits } from '../../limits.ts';
import { paramHeadersProblem } from '../../param-headers.ts';
import type { Revision } from '../../revision/contract.ts';
import { type Catalog, type CatalogTool, viewOf } from '../catalog.ts';
import { brokenTool, resultProblem, thrownByTool } from '../tool-result.ts';
import {
  failed,
  failedByCode,
  type Job,
  type MethodHandler,
  type Outcome,
  type Run,
  runOf,
  scopeProblem,
} from './outcome.ts';

const noArguments: JsonObject = Object.freeze({});

/**
 * `tools/call` (server/tools, Calling Tools): the call if it may begin. Wrong arguments are a result with `isError`,
 * which lets the model correct them; an unknown tool is an error.
 */
export const toolsCall: MethodHandler = ({ params, catalog, revision, headers, granted }) => {
  const tool = catalog.tools.get(params['name'] as string);
  if (tool === undefined) {
    return failed(errorObject(INVALID_PARAMS, `unknown tool ${quoted(params['name'] as string)}`), revision);
  }
  const barred = scopeProblem(tool.scopes, { kind: 'tool', name: tool.name }, { granted, revision });
  if (barred !== undefined) return barred;
  const args = (params['arguments'] as JsonObject | undefined) ?? noArguments;
  const mismatch = headers === undefined ? undefined : paramHeadersProblem(tool.paramHeaders, headers, args);
  if (mismatch !== undefined) return failed(mismatch, revision);
  const problems = tool.validateInput(args, 'arguments');
  if (problems !== undefined) {
    const answer = toolError(`invalid arguments for tool ${quoted(tool.name)}: ${problems.join('; ')}`);
    return { kind: 'result', result: revision.toolResult(answer, viewOf(catalog, revision).serverInfo) };
  }
  const work = { kind: 'tool', name: tool.name, args } as const;
  return runOf(work, tool.timeoutMs, params, tasksOf(tool, params, catalog, revision));
};

/** A server without tools for tasks has not declared them, and does not look at what asks for one (2025-11-25). */
function tasksOf(
  { task: support, asksFirst }: CatalogTool,
  { task: asked }: JsonObject,
  { hasTasks }: Catalog,
  { tasks }: Revision,
): Pick<Run, 'task' | 'wanted'> {
  const wants = asked !== undefined && hasTasks && tasks?.form === 'core';
  return {
    ...(support === 'forbidden' ? {} : { task: { support, asksFirst } }),
    ...(wants ? { wanted: { ttlMs: (asked as JsonObject)['ttl'] as number | undefined } } : {}),
  };
}

/** A call of a tool, its arguments validated. */
export function toolJob(
  tool: CatalogTool,
  args: JsonObject,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Job {
  return {
    run: (ctx) => tool.run(args, ctx),
    answer: (returned) => answerOfTool(tool, returned, catalog, revision, limits),
    thrown: (error) => answerOfThrow(error, catalog, revision),
  };
}

/** The answer to a call whose tool has returned: its result if it is one and satisfies the output schema. */
export function answerOfTool(
  tool: CatalogTool,
  returned: unknown,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Outcome {
  const problem = resultProblem(returned, limits) ?? outputProblem(tool, returned as JsonObject);
  if (problem !== undefined) return failedByCode(brokenTool(tool.name, problem), revision);
  const result = revision.toolResult(returned as never, viewOf(catalog, revision).serverInfo);
  return { kind: 'result', result };
}

/** The answer to a call whose tool has thrown. */
export function answerOfThrow(thrown: unknown, catalog: Catalog, revision: Revision): Outcome {
  const answer = thrownByTool(thrown);
  if ('error' in answer) return failedByCode(answer.error, revision);
  return { kind: 'result', result: revision.toolResult(answer.result, viewOf(catalog, revision).serverInfo) };
}

function outputProblem({ validateOutput }: CatalogTool, result: JsonObject): string | undefined {
  if (validateOutput === undefined || result['isError'] === true) return undefined;
  const value = result['structuredContent'];
  if (value === undefined) return 'it has an output schema and returned no structuredContent';
  const problems = validateOutput(value, 'structuredContent');
  return problems === undefined ? undefined : `its result does not satisfy its output schema: ${problems.join('; ')}`;
}
