/** Whether what a tool returned can be sent, and what is said when it cannot or when it threw. */

import { describeExit, errorExit } from '../../runtime/index.ts';
import type { ToolResult } from '../content.ts';
import { type ErrorObject, errorObject, INTERNAL_ERROR, McpError, quoted } from '../errors.ts';
import { describeExcess, excessOf } from '../json-bounds.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';

/** The members that a content block of each type must have, all strings but those of a resource. */
const blockMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['text', ['text']],
  ['image', ['data', 'mimeType']],
  ['audio', ['data', 'mimeType']],
  ['resource_link', ['uri', 'name']],
  ['resource', []],
]);

/** What keeps a value from being the result of a tool; undefined if nothing does. */
export function resultProblem(value: unknown, limits: McpLimits): string | undefined {
  if (!isJsonObject(value)) return 'it returned no result: build one with text(), structured() …';
  const { content, isError, _meta: meta } = value;
  if (!Array.isArray(content)) return 'content must be an array of content blocks';
  for (const [index, block] of content.entries()) {
    const problem = blockProblem(block);
    if (problem !== undefined) return `content[${index}] ${problem}`;
  }
  if (isError !== undefined && typeof isError !== 'boolean') return 'isError must be true or false';
  if (meta !== undefined && !isJsonObject(meta)) return '_meta must be an object';
  // What is nested too deeply, or has no end, would fail where the answer is written, beyond the reach of this request.
  const { messageDepthMax, resultNodesMax } = limits;
  const excess = excessOf(value, messageDepthMax, resultNodesMax);
  return excess === undefined ? undefined : `the result ${describeExcess(excess, messageDepthMax, resultNodesMax)}`;
}

export function blockProblem(block: unknown): string | undefined {
  if (!isJsonObject(block)) return 'must be a content block';
  const members = blockMembers.get(block['type']);
  if (members === undefined) return `must have a type of ${[...blockMembers.keys()].join(', ')}`;
  const missing = members.find((name) => typeof block[name] !== 'string');
  if (missing !== undefined) return `must have ${missing}, a string`;
  if (block['type'] !== 'resource') return undefined;
  const problem = resourceProblem(block['resource'], 'resource');
  return problem && `must have ${problem}`;
}

/** What keeps a value from being the contents of a resource, as what it must have; `place` names it. */
export function resourceProblem(resource: unknown, place: string): string | undefined {
  if (!isJsonObject(resource) || typeof resource['uri'] !== 'string') return `${place}.uri, a string`;
  return hasContents(resource) ? undefined : `${place}.text or ${place}.blob, a string`;
}

function hasContents(resource: JsonObject): boolean {
  return typeof resource['text'] === 'string' || typeof resource['blob'] === 'string';
}

/** The error of a tool that returned what it must not: the caller cannot mend it. */
export function brokenTool(name: string, problem: string): ErrorObject {
  return errorObject(INTERNAL_ERROR, `tool ${quoted(name)}: ${problem}`);
}

/**
 * What a tool that threw is answered with: an `McpError` as it is, every other error as a result that tells the model
 * (server/tools, Error Handling).
 */
export function thrownByTool(thrown: unknown): { readonly error: ErrorObject } | { readonly result: ToolResult } {
  if (thrown instanceof McpError) return { error: errorObject(thrown.code, thrown.message, thrown.data) };
  return { result: { content: [{ type: 'text', text: textOfThrown(thrown) }], isError: true } };
}

/** What was thrown may be anything, and reading it may fail. */
export function textOfThrown(thrown: unknown): string {
  const { error } = errorExit(thrown);
  const message = isJsonObject(error) && thrown instanceof Error ? error['message'] : undefined;
  return typeof message === 'string' && message !== '' ? message : describeExit(error);
}
