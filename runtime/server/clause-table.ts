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

/** Copies a table of clauses and checks it; `owner` is named by the `TypeError` about a clause that is no function. */
export function clauseTable(owner: string, table: string, clauses: object | undefined): ClauseTable {
  const copy = new Clauses();
  for (const [tag, clause] of Object.entries(clauses ?? {})) {
    if (typeof clause !== 'function') throw new TypeError(`${owner}: ${table}.${tag} must be a function`);
    if (tag === SYSTEM_TAG) throw new TypeError(`${owner}: ${table}.${tag} is reserved for system requests`);
    copy[tag] = clause as Clause;
  }
  return Object.freeze(copy);
}
