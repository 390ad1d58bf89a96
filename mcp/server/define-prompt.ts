import { requiredScopes } from '../authorization/principal.ts';
import type { Complete } from '../completion.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import type { Prompt, PromptArgument, PromptFunction, PromptSpec } from '../prompt.ts';
import {
  announcedCompletions,
  announcedIcons,
  announcedMeta,
  announcedText,
  announcedTexts,
  announcedTime,
} from './announcement.ts';

/** An argument as `prompts/list` shows it. */
export interface ListedArgument {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required: boolean;
}

/** A prompt that has been checked. */
export interface PromptDefinition {
  readonly name: string;
  /** What clients are told of it beside its arguments. */
  readonly announced: Pick<PromptSpec, 'title' | 'description' | 'icons' | '_meta'>;
  readonly arguments: readonly ListedArgument[];
  readonly complete: ReadonlyMap<string, Complete>;
  readonly run: PromptFunction;
  readonly timeoutMs: number | undefined;
  readonly scopes: readonly string[] | undefined;
}

const code = 'ERR_PROMPT';
const nameRule = /^[A-Za-z0-9_.-]{1,128}$/;
const argumentMembers = ['title', 'description', 'required', 'complete'];

export function definePrompt(name: string, prompt: unknown, server: string): PromptDefinition {
  const where = `${server}, prompt ${quoted(name)}`;
  if (!nameRule.test(name)) {
    throw new DefinitionError(code, `${where}: the name of a prompt has 1 to 128 of A-Z a-z 0-9 _ - .`);
  }
  if (!isJsonObject(prompt) || !isJsonObject(prompt['spec']) || typeof prompt['run'] !== 'function') {
    throw new DefinitionError(code, `${where}: define it with prompt(spec, run)`);
  }
  const { spec, run } = prompt as unknown as Prompt;
  const { description, icons, timeoutMs, _meta: meta } = spec;
  announcedText(description, `${where}: description`, code);
  announcedTime(timeoutMs, where, code);
  const given: unknown = spec.arguments ?? {};
  if (!isJsonObject(given)) throw new DefinitionError(code, `${where}: arguments must be an object of them by name`);
  const entries = Object.entries(given);
  const completions = entries.flatMap(([each, argument]) =>
    isJsonObject(argument) && argument['complete'] !== undefined ? [[each, argument['complete']] as const] : [],
  );
  return Object.freeze({
    name,
    announced: Object.freeze({
      ...announcedTexts(spec, ['title'], `${where}: `, code),
      description,
      ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: icons`, code) }),
      ...(meta === undefined ? {} : { _meta: announcedMeta(meta, `${where}: _meta`, code) }),
    }),
    arguments: Object.freeze(entries.map(([each, argument]) => listedArgument(each, argument, where))),
    complete: announcedCompletions(Object.fromEntries(completions), Object.keys(given), where, code),
    run,
    timeoutMs,
    scopes: requiredScopes(spec.scopes, where, code),
  });
}

function listedArgument(name: string, given: unknown, prompt: string): ListedArgument {
  const where = `${prompt}, argument ${quoted(name)}`;
  if (!nameRule.test(name)) {
    throw new DefinitionError(code, `${where}: the name of an argument has 1 to 128 of A-Z a-z 0-9 _ - .`);
  }
  if (!isJsonObject(given)) throw new DefinitionError(code, `${where}: must be { description, required, … }`);
  const stranger = Object.keys(given).find((member) => !argumentMembers.includes(member));
  if (stranger !== undefined) {
    throw new DefinitionError(code, `${where}: ${stranger} is unknown; there are ${argumentMembers.join(', ')}`);
  }
  const { required = false } = given as PromptArgument;
  if (typeof required !== 'boolean') throw new DefinitionError(code, `${where}: required must be true or false`);
  return Object.freeze({ name, ...announcedTexts(given, ['title', 'description'], `${where}: `, code), required });
}
