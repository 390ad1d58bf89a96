import { badArgument, checkFunction, checkObject, checkText } from '../kernel/arguments.ts';
import type { ModuleMeta } from '../kernel/behaviour.ts';
import { BadArgError } from '../kernel/errors.ts';
import { SYSTEM_TAG } from './sys-requests.ts';

/** What handles the messages of one tag. */
export type Clause = (state: any, payload: any, ctx: any) => unknown;

/** Clauses by tag, without a prototype: a tag `constructor` from outside must find nothing. */
export type ClauseTable = Readonly<Record<string, Clause | undefined>>;

/**
 * Makes the tables. Its prototype is empty, so that they inherit nothing, but they are no dictionaries as the objects
 * of `Object.create(null)` are: each message looks its clause up, and that is a tenth of what it costs.
 */
class Clauses {
  [tag: string]: Clause | undefined;
}
Object.setPrototypeOf(Clauses.prototype, null);
Reflect.deleteProperty(Clauses.prototype, 'constructor');

/**
 * What the definitions of behaviours have in common: where they stand, and that their callbacks are functions. Throws
 * `BadArgError`, which names the definition and the callback.
 */
export function checkDefinition(
  kind: string,
  meta: ModuleMeta,
  exportName: string,
  callbacks: object,
  optional: readonly string[],
): void {
  checkText(exportName, `the export name of a ${kind}`);
  const owner = `${kind} '${exportName}'`;
  if (typeof meta?.url !== 'string') throw badArgument(`${owner}: meta`, 'the import.meta of its module', meta);
  checkObject(callbacks, `${owner}: its callbacks`);
  const loose = callbacks as Readonly<Record<string, unknown>>;
  checkFunction(loose['init'], `${owner}: init`);
  for (const key of optional) if (loose[key] !== undefined) checkFunction(loose[key], `${owner}: ${key}`);
}

/** Copies a table of clauses and checks it; the `BadArgError` about a clause that is no function names `owner`. */
export function clauseTable(owner: string, table: string, clauses: object = {}): ClauseTable {
  checkObject(clauses, `${owner}: ${table}`);
  const copy = new Clauses();
  for (const [tag, clause] of Object.entries(clauses)) {
    checkFunction(clause, `${owner}: ${table}.${tag}`);
    if (tag === SYSTEM_TAG) throw new BadArgError(`${owner}: ${table}.${tag} is reserved for system requests`);
    copy[tag] = clause as Clause;
  }
  return Object.freeze(copy);
}
