/** What callers have at work at one time, counted across the connections of a node. */

import type { Context, Table } from '../../runtime/index.ts';
import { principalKey } from '../authorization/principal.ts';
import { errorObject, INVALID_REQUEST } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import type { Refused } from './methods/outcome.ts';
import { callersTableOf } from './node-names.ts';
import { TokenCache } from './token-cache.ts';
import type { WorkRequest } from './work-request.ts';

/** How many of each there are. */
export class Usage {
  readonly #counts = new Map<string, number>();

  /** One more, if there are fewer than that many. */
  take(what: string, max: number): boolean {
    const count = this.#counts.get(what) ?? 0;
    if (count >= max) return false;
    this.#counts.set(what, count + 1);
    return true;
  }

  giveBack(what: string): void {
    const count = (this.#counts.get(what) ?? 1) - 1;
    if (count > 0) this.#counts.set(what, count);
    else this.#counts.delete(what);
  }

  get size(): number {
    return this.#counts.size;
  }
}

interface Callers {
  readonly usage: Usage;
  readonly tokens: TokenCache;
}

/** What is known of callers; made when it is first asked for. Undefined while there is no table for it. */
export function callersOf(node: string, limits: McpLimits, ctx: Context): Callers | undefined {
  const table: Table<'callers', Callers> | undefined = ctx.table(callersTableOf(node));
  const known = table?.get('callers');
  if (known !== undefined || table === undefined) return known;
  const callers = { usage: new Usage(), tokens: new TokenCache(limits.tokensKeptMax) };
  table.set('callers', callers);
  return callers;
}

/** Counts the process among those, until it exits for whatever reason; false: there are as many as there may be. */
export function occupy(node: string, what: string, max: number, limits: McpLimits, ctx: Context): boolean {
  const usage = callersOf(node, limits, ctx)?.usage;
  if (usage?.take(what, max) !== true) return false;
  ctx.openPort({ close: () => usage.giveBack(what) });
  return true;
}

type TooMany = Extract<Refused, { readonly kind: 'error' }>;

/** What a request is answered whose principal has too many at work; undefined: it may begin. */
export function admitted(
  node: string,
  { principal, counted }: Pick<WorkRequest, 'principal' | 'counted'>,
  limits: McpLimits,
  ctx: Context,
): TooMany | undefined {
  if (principal === undefined || !counted) return undefined;
  const { principalRequestsMax: max } = limits;
  if (occupy(node, `requests ${principalKey(principal)}`, max, limits, ctx)) return undefined;
  return tooMany('requests at work', 'principalRequestsMax', limits);
}

/** HTTP 429, and how many there may be. */
export function tooMany(
  what: string,
  limit: 'principalRequestsMax' | 'principalSessionsMax' | 'principalTasksMax' | 'principalListensMax',
  { [limit]: max }: McpLimits,
): TooMany {
  const message = `this principal has ${max} ${what}, as many as it may have: try again when one of them has ended`;
  return {
    kind: 'error',
    error: errorObject(INVALID_REQUEST, message, { reason: 'too_many', limit, max }),
    status: 429,
  };
}
