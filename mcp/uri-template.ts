/**
 * URI templates (RFC 6570) read backwards: from a URI to the values of its variables, in time linear to the URI. Pure.
 * Operators have one variable each, `?` and `&` have a list; there are no modifiers (`*`, `:3`).
 */

import { compileMatcher, type Matcher } from './schema/pattern.ts';

/** The variables of a template that is a literal: those of `?` and `&` may be absent. */
export type VariablesOf<T extends string> = string extends T
  ? { readonly [name: string]: string }
  : { readonly [Name in RequiredName<Expressions<T>>]: string } & {
      readonly [Name in OptionalName<Expressions<T>>]?: string;
    };

type Expressions<T extends string> = T extends `${string}{${infer E}}${infer Rest}` ? E | Expressions<Rest> : never;
type Names<L extends string> = L extends `${infer A},${infer Rest}` ? A | Names<Rest> : L;
type OptionalName<E> = E extends `${'?' | '&'}${infer L}` ? Names<L> : never;
type RequiredName<E extends string> = E extends `${'?' | '&'}${string}`
  ? never
  : E extends `${'+' | '/' | '#' | '.'}${infer N}`
    ? N
    : E;

export interface UriTemplate {
  readonly text: string;
  readonly variables: readonly string[];
  /** The decoded values of the variables; undefined if the URI is not of this template. */
  match(uri: string, lengthMax: number): { readonly [name: string]: string } | undefined;
}

/** What each operator stands for in a pattern, with the value as a group. */
const operators: ReadonlyMap<string, string> = new Map([
  ['', '([^/?#]+)'],
  ['+', '(.+)'],
  ['/', '/([^/?#]+)'],
  ['.', '[.]([^/?#.]+)'],
  ['#', '#(.+)'],
]);

const variableName = /^[A-Za-z0-9_]+(?:[.][A-Za-z0-9_]+)*$/;

/** Reads a template, or says what is wrong with it. */
export function parseUriTemplate(text: string): UriTemplate | { readonly problem: string } {
  const groups: (string | readonly string[])[] = [];
  let pattern = '';
  let at = 0;
  let afterVariable = false;
  while (at < text.length) {
    const opens = text.indexOf('{', at);
    const literal = text.slice(at, opens === -1 ? text.length : opens);
    if (literal.includes('}')) return { problem: 'a } without its {' };
    pattern += escaped(literal);
    if (literal !== '') afterVariable = false;
    if (opens === -1) break;
    const closes = text.indexOf('}', opens);
    if (closes === -1) return { problem: 'a { without its }' };
    const [, operator = '', list = ''] = /^([^A-Za-z0-9_]?)(.*)$/s.exec(text.slice(opens + 1, closes)) ?? [];
    const names = list.split(',');
    const bad = names.find((name) => !variableName.test(name));
    if (bad !== undefined) return { problem: `{${operator}${list}} must name variables of letters, digits and _` };
    if (operator === '?' || operator === '&') {
      pattern += operator === '?' ? '(?:[?]([^#]*))?' : '((?:&[^#]*)?)';
      groups.push(names);
    } else {
      const part = operators.get(operator);
      if (part === undefined) return { problem: `{${operator}${list}} has an operator that is not read here` };
      if (names.length > 1) return { problem: `{${operator}${list}} has several variables: write one expression each` };
      // Where one ends and the next begins, nobody could tell.
      if (afterVariable && (operator === '' || operator === '+')) {
        return { problem: `{${operator}${list}} follows a variable at once: put a text between them` };
      }
      pattern += part;
      groups.push(list);
    }
    afterVariable = true;
    at = closes + 1;
  }
  const variables = groups.flat();
  if (variables.length === 0) return { problem: 'it has no variable: define a resource instead' };
  const twice = variables.find((name, index) => variables.indexOf(name) !== index);
  if (twice !== undefined) return { problem: `it has the variable ${twice} twice` };
  let matcher: Matcher | undefined;
  return {
    text,
    variables,
    match(uri, lengthMax) {
      if (uri.length > lengthMax) return undefined;
      matcher ??= compileMatcher(`^(?:${pattern})$`);
      const found = matcher(uri);
      return found === undefined ? undefined : valuesOf(groups, found);
    },
  };
}

function valuesOf(
  groups: readonly (string | readonly string[])[],
  found: readonly (string | undefined)[],
): { readonly [name: string]: string } | undefined {
  const values = new Map<string, string>();
  for (const [index, group] of groups.entries()) {
    const raw = found[index];
    if (typeof group !== 'string') {
      if (!readQuery(raw ?? '', group, values)) return undefined;
      continue;
    }
    const value = raw === undefined ? undefined : decoded(raw);
    if (value === undefined) return undefined;
    values.set(group, value);
  }
  return Object.fromEntries(values);
}

/** Whether the query has no other variables than these, and each at most once. */
function readQuery(query: string, names: readonly string[], values: Map<string, string>): boolean {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = decoded(equals === -1 ? '' : pair.slice(equals + 1));
    if (!names.includes(name) || values.has(name) || value === undefined) return false;
    values.set(name, value);
  }
  return true;
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined; // a % that begins no UTF-8
  }
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`);
}
