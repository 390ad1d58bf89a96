/** The requests of a client: what they ask for, whether they may be repeated, what their result must be. Pure. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { Era } from '../revision/contract.ts';

interface MethodRule {
  /** It changes nothing: asking twice is asking once. */
  readonly safe: boolean;
  /** The eras that have it; both by default. */
  readonly era?: Era;
  /** The member of the result that has the items of a page. */
  readonly items?: string;
  /** What is wrong with a result. */
  readonly problem?: (result: JsonObject) => string | undefined;
  /** The parameter that the HTTP header `Mcp-Name` repeats. */
  readonly name?: string;
}

const hasArray =
  (member: string) =>
  (result: JsonObject): string | undefined =>
    Array.isArray(result[member]) ? undefined : `${member} must be an array`;

const list = (items: string): MethodRule => ({ safe: true, items, problem: hasArray(items) });

const rules: ReadonlyMap<string, MethodRule> = new Map<string, MethodRule>([
  ['tools/list', list('tools')],
  ['resources/list', list('resources')],
  ['resources/templates/list', list('resourceTemplates')],
  ['prompts/list', list('prompts')],
  ['tools/call', { safe: false, problem: hasArray('content'), name: 'name' }],
  ['resources/read', { safe: true, problem: hasArray('contents'), name: 'uri' }],
  ['prompts/get', { safe: true, problem: hasArray('messages'), name: 'name' }],
  [
    'completion/complete',
    {
      safe: true,
      problem: ({ completion }) =>
        isJsonObject(completion) && Array.isArray(completion['values'])
          ? undefined
          : 'completion.values must be an array',
    },
  ],
  ['server/discover', { safe: true, era: 'stateless' }],
  ['subscriptions/listen', { safe: true, era: 'stateless' }],
  ['tasks/get', { safe: true, name: 'taskId' }],
  ['tasks/update', { safe: false, era: 'stateless', name: 'taskId' }],
  ['tasks/cancel', { safe: true, name: 'taskId' }],
  ['tasks/result', { safe: true, era: 'sessions' }],
  ['tasks/list', { ...list('tasks'), era: 'sessions' }],
  ['initialize', { safe: true, era: 'sessions' }],
  ['ping', { safe: true, era: 'sessions' }],
  ['logging/setLevel', { safe: true, era: 'sessions' }],
  ['resources/subscribe', { safe: true, era: 'sessions' }],
  ['resources/unsubscribe', { safe: true, era: 'sessions' }],
]);

const unknown: MethodRule = { safe: false };

export function ruleOf(method: string): MethodRule {
  return rules.get(method) ?? unknown;
}

/** What is wrong with the result of a method; undefined if nothing is. */
export function resultProblem(method: string, result: unknown): string | undefined {
  if (!isJsonObject(result)) return 'the result must be an object';
  const type = result['resultType'];
  if (type !== undefined && typeof type !== 'string') return 'resultType must be a text';
  // Results of another type, a task or a question, have members of their own.
  if (type !== undefined && type !== 'complete') return undefined;
  return ruleOf(method).problem?.(result);
}
