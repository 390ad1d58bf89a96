import { errorObject, INTERNAL_ERROR, INVALID_PARAMS, quoted } from '../../errors.ts';
import { describeExcess, excessOf } from '../../json-bounds.ts';
import { isJsonObject, type JsonObject } from '../../json-rpc.ts';
import type { McpLimits } from '../../limits.ts';
import type { PromptMessage } from '../../prompt.ts';
import type { Revision } from '../../revision/contract.ts';
import { type Catalog, type CatalogPrompt, viewOf } from '../catalog.ts';
import { blockProblem } from '../tool-result.ts';
import {
  describeWork,
  failed,
  failedByCode,
  failedByThrow,
  type Job,
  type MethodHandler,
  type Outcome,
  runOf,
  scopeProblem,
} from './outcome.ts';

/** `prompts/get` (server/prompts, Getting a Prompt): the prompt if its arguments are those that it has. */
export const promptsGet: MethodHandler = ({ params, catalog, revision, granted }) => {
  const name = params['name'] as string;
  const prompt = catalog.prompts.get(name);
  if (prompt === undefined) return failed(errorObject(INVALID_PARAMS, `unknown prompt ${quoted(name)}`), revision);
  const barred = scopeProblem(prompt.scopes, { kind: 'prompt', name }, { granted, revision });
  if (barred !== undefined) return barred;
  const args = (params['arguments'] as JsonObject | undefined) ?? {};
  const problem = argumentsProblem(prompt, args);
  if (problem !== undefined) {
    return failed(errorObject(INVALID_PARAMS, `invalid arguments for prompt ${quoted(name)}: ${problem}`), revision);
  }
  return runOf({ kind: 'prompt', name, args }, prompt.timeoutMs, params);
};

function argumentsProblem({ arguments: known }: CatalogPrompt, args: JsonObject): string | undefined {
  const missing = known.find(({ name, required }) => required && !Object.hasOwn(args, name));
  if (missing !== undefined) return `${quoted(missing.name)} is missing`;
  const stranger = Object.keys(args).find((given) => !known.some(({ name }) => name === given));
  if (stranger === undefined) return undefined;
  const names = known.map(({ name }) => name).join(', ') || 'none';
  return `there is no argument ${quoted(stranger)}, there are: ${names}`;
}

export function promptJob(
  prompt: CatalogPrompt,
  args: JsonObject,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Job {
  return {
    run: (ctx) => prompt.run(args, ctx),
    answer: (returned) => answerOfPrompt(prompt, returned, catalog, revision, limits),
    thrown: (error) => failedByThrow(error, describeWork({ kind: 'prompt', name: prompt.name }), revision),
  };
}

function answerOfPrompt(
  { name, announced: { description } }: CatalogPrompt,
  returned: unknown,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Outcome {
  const problem = messagesProblem(returned, limits);
  if (problem !== undefined) {
    return failedByCode(errorObject(INTERNAL_ERROR, `prompt ${quoted(name)}: ${problem}`), revision);
  }
  const messages = (returned as PromptMessage[]).map(({ role, content }) => ({
    role,
    content: revision.content(content),
  }));
  return { kind: 'result', result: revision.result({ description, messages }, viewOf(catalog, revision).serverInfo) };
}

function messagesProblem(returned: unknown, { messageDepthMax, resultNodesMax }: McpLimits): string | undefined {
  if (!Array.isArray(returned) || returned.length === 0) {
    return 'it returned no array of messages: build them with userMessage(), assistantMessage()';
  }
  for (const [index, message] of (returned as unknown[]).entries()) {
    if (!isJsonObject(message)) return `message ${index} must be { role, content }`;
    const { role, content } = message;
    if (role !== 'user' && role !== 'assistant') return `message ${index} must have a role, 'user' or 'assistant'`;
    const problem = blockProblem(content);
    if (problem !== undefined) return `the content of message ${index} ${problem}`;
  }
  const excess = excessOf(returned, messageDepthMax, resultNodesMax);
  return excess === undefined ? undefined : `the result ${describeExcess(excess, messageDepthMax, resultNodesMax)}`;
}
