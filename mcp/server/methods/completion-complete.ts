import type { Complete } from '../../completion.ts';
import { errorObject, INTERNAL_ERROR, INVALID_PARAMS, quoted } from '../../errors.ts';
import type { JsonObject } from '../../json-rpc.ts';
import type { Revision } from '../../revision/contract.ts';
import { type Catalog, viewOf } from '../catalog.ts';
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
  type Work,
} from './outcome.ts';

/** Values in one answer (server/utilities/completion). */
const valuesMax = 100;

type CompletionWork = Extract<Work, { kind: 'completion' }>;

/**
 * `completion/complete` (server/utilities/completion): the completion if there is such a prompt or template with such
 * an argument. One for which nobody suggests anything has no suggestions.
 */
export const completionComplete: MethodHandler = ({ params, catalog, revision, granted }) => {
  const ref = params['ref'] as JsonObject;
  const { name, value } = params['argument'] as { readonly name: string; readonly value: string };
  const found = ref['type'] === 'ref/prompt' ? ofPrompt(catalog, ref) : ofTemplate(catalog, ref);
  if ('problem' in found) return failed(errorObject(INVALID_PARAMS, found.problem), revision);
  const { of, names, timeoutMs, complete, scopes } = found;
  const barred = scopeProblem(scopes, { kind: 'completion', name: of.name }, { granted, revision });
  if (barred !== undefined) return barred;
  if (!names.includes(name)) {
    const message = `${of.kind} ${quoted(of.name)} has no argument ${quoted(name)}, it has: ${names.join(', ')}`;
    return failed(errorObject(INVALID_PARAMS, message), revision);
  }
  if (!complete.has(name)) return answerOfValues([], catalog, revision);
  const others = (params['context'] as { readonly arguments?: { readonly [name: string]: string } } | undefined)
    ?.arguments;
  return runOf({ kind: 'completion', name, of, value, others: others ?? {} }, timeoutMs, params);
};

interface Found {
  readonly of: CompletionWork['of'];
  readonly names: readonly string[];
  readonly timeoutMs: number;
  readonly complete: ReadonlyMap<string, Complete>;
  readonly scopes: readonly string[] | undefined;
}
type Search = Found | { readonly problem: string };

function ofPrompt({ prompts }: Catalog, { name }: JsonObject): Search {
  const prompt = prompts.get(name as string);
  if (prompt === undefined) return { problem: `unknown prompt ${quoted(name as string)}` };
  const { timeoutMs, complete, scopes } = prompt;
  const names = prompt.arguments.map((argument) => argument.name);
  return { of: { kind: 'prompt', name: prompt.name }, names, timeoutMs, complete, scopes };
}

function ofTemplate({ templates }: Catalog, { uri }: JsonObject): Search {
  for (const { name, uriTemplate, timeoutMs, complete, scopes } of templates.values()) {
    if (uriTemplate.text === uri) {
      return { of: { kind: 'template', name }, names: uriTemplate.variables, timeoutMs, complete, scopes };
    }
  }
  return { problem: `unknown resource template ${quoted(uri as string)}` };
}

/** Undefined if nobody suggests anything there any more. */
export function completionJob(work: CompletionWork, catalog: Catalog, revision: Revision): Job | undefined {
  const { of, name, value, others } = work;
  const owner = of.kind === 'prompt' ? catalog.prompts.get(of.name) : catalog.templates.get(of.name);
  const complete = owner?.complete.get(name);
  if (complete === undefined) return undefined;
  return {
    run: (ctx) => complete(value, ctx, others),
    answer: (returned) => {
      if (Array.isArray(returned) && returned.every((each) => typeof each === 'string')) {
        return answerOfValues(returned, catalog, revision);
      }
      const message = `${describeWork(work)} of ${of.kind} ${quoted(of.name)}: it returned no array of strings`;
      return failedByCode(errorObject(INTERNAL_ERROR, message), revision);
    },
    thrown: (error) => failedByThrow(error, describeWork(work), revision),
  };
}

function answerOfValues(all: readonly string[], catalog: Catalog, revision: Revision): Outcome {
  const completion = { values: all.slice(0, valuesMax), total: all.length, hasMore: all.length > valuesMax };
  return { kind: 'result', result: revision.result({ completion }, viewOf(catalog, revision).serverInfo) };
}
