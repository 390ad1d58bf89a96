import type { RequestContext } from './request-context.ts';

/**
 * Suggests values for an argument of a prompt, or a variable of a resource template, the best first. `value` is what
 * has been typed so far, `others` the values that are settled. The client is sent 100 of them.
 */
export type Complete = (
  value: string,
  ctx: RequestContext,
  others: { readonly [name: string]: string },
) => readonly string[] | Promise<readonly string[]>;
