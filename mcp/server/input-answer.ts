/** Whether a client can be asked, and whether what it answered is an answer. Pure. */

import { type ErrorObject, errorObject, MISSING_REQUIRED_CLIENT_CAPABILITY } from '../errors.ts';
import type { InputQuestion } from '../input.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';

/** The error of asking a client what it has not declared; undefined if it has. */
export function capabilityProblem(question: InputQuestion, capabilities: JsonObject): ErrorObject | undefined {
  const required = requiredCapability(question);
  if (has(capabilities, required, question)) return undefined;
  const [name] = Object.keys(required);
  const message = `this request asks its client for what it cannot: ${question.method} needs the capability ${name}`;
  return errorObject(MISSING_REQUIRED_CLIENT_CAPABILITY, message, { requiredCapabilities: required });
}

function requiredCapability({ method, params }: InputQuestion): { readonly [name: string]: JsonObject } {
  if (method === 'roots/list') return { roots: {} };
  if (method === 'sampling/createMessage') return { sampling: params['tools'] === undefined ? {} : { tools: {} } };
  return { elicitation: params['mode'] === 'url' ? { url: {} } : { form: {} } };
}

function has(capabilities: JsonObject, required: { readonly [name: string]: JsonObject }, { params }: InputQuestion) {
  return Object.entries(required).every(([name, modes]) => {
    const declared = Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
    if (!isJsonObject(declared)) return false;
    // Who declares elicitation without a mode means forms.
    if (name === 'elicitation' && params['mode'] !== 'url' && Object.keys(declared).length === 0) return true;
    return Object.keys(modes).every((mode) => Object.hasOwn(declared, mode));
  });
}

/** The answer, with nothing in it that was not asked for; or what is wrong with it. */
export function readAnswer(
  { method, params }: InputQuestion,
  answer: unknown,
): { readonly answer: JsonObject } | { readonly problem: string } {
  if (!isJsonObject(answer)) return { problem: 'must be an object' };
  if (method === 'roots/list') {
    const { roots } = answer;
    const isRoot = (root: unknown): boolean => isJsonObject(root) && typeof root['uri'] === 'string';
    if (!Array.isArray(roots) || !roots.every(isRoot)) return { problem: 'must have roots, each with a uri' };
    return { answer: { roots } };
  }
  if (method === 'sampling/createMessage') {
    const { role, content, model } = answer;
    const blocks = Array.isArray(content) ? content : [content];
    if (role !== 'user' && role !== 'assistant') return { problem: "must have a role, 'user' or 'assistant'" };
    if (typeof model !== 'string') return { problem: 'must have a model, a string' };
    if (!blocks.every((block) => isJsonObject(block) && typeof block['type'] === 'string')) {
      return { problem: 'must have content, with a type' };
    }
    return { answer };
  }
  return readElicitation(params, answer);
}

function readElicitation(
  params: JsonObject,
  { action, content }: JsonObject,
): { readonly answer: JsonObject } | { readonly problem: string } {
  if (action === 'decline' || action === 'cancel') return { answer: { action } };
  if (action !== 'accept') return { problem: "must have an action of 'accept', 'decline', 'cancel'" };
  if (params['mode'] === 'url') return { answer: { action } };
  if (!isJsonObject(content)) return { problem: 'must have content, an object' };
  const { properties, required = [] } = params['requestedSchema'] as {
    readonly properties: { readonly [name: string]: JsonObject };
    readonly required?: readonly string[];
  };
  const missing = required.find((name) => !Object.hasOwn(content, name));
  if (missing !== undefined) return { problem: `must have content.${missing}` };
  const known = Object.entries(properties).filter(([name]) => Object.hasOwn(content, name));
  for (const [name, field] of known) {
    const problem = fieldProblem(field, content[name]);
    if (problem !== undefined) return { problem: `content.${name} ${problem}` };
  }
  return { answer: { action, content: Object.fromEntries(known.map(([name]) => [name, content[name]])) } };
}

function fieldProblem(field: JsonObject, value: unknown): string | undefined {
  switch (field['type']) {
    case 'string':
      if (typeof value !== 'string') return 'must be a string';
      return boundsProblem(field, value.length, 'Length') ?? choiceProblem(field, value);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'array': {
      if (!Array.isArray(value)) return 'must be an array';
      const items = isJsonObject(field['items']) ? field['items'] : {};
      const wrong = value.find((each) => typeof each !== 'string' || choiceProblem(items, each) !== undefined);
      return wrong === undefined ? boundsProblem(field, value.length, 'Items') : 'must have offered choices only';
    }
    default:
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
      if (field['type'] === 'integer' && !Number.isInteger(value)) return 'must be an integer';
      return boundsProblem(field, value, 'imum');
  }
}

/** `minLength`, `maxItems`, `minimum` … */
function boundsProblem(field: JsonObject, value: number, what: 'Length' | 'Items' | 'imum'): string | undefined {
  const [least, most] = [field[`min${what}`], field[`max${what}`]];
  if (typeof least === 'number' && value < least) return `must have min${what} ${least}`;
  if (typeof most === 'number' && value > most) return `must have max${what} ${most}`;
  return undefined;
}

function choiceProblem(field: JsonObject, value: string): string | undefined {
  const titled = field['oneOf'] ?? field['anyOf'];
  const choices = Array.isArray(titled)
    ? titled.map((each: unknown) => (each as JsonObject)?.['const'])
    : field['enum'];
  return !Array.isArray(choices) || choices.includes(value) ? undefined : 'must be one of the choices';
}
