/** Where the references of a schema lead: inside the schema, or nowhere. Nothing is ever fetched. */

import { isObject } from './keywords.ts';

/** The address of a schema without an `$id`; the top-level domain `invalid` can never exist (RFC 2606). */
export const ROOT_ADDRESS = 'https://schema.invalid/';

/** The schemas of one document that can be referred to: by address, and by address and anchor. */
export interface Targets {
  readonly resources: Map<string, unknown>;
  readonly anchors: Map<string, unknown>;
  /** All schemas with a `$dynamicAnchor`, by its name. */
  readonly dynamic: Map<string, unknown[]>;
}

/** `$id` as an address; undefined if it is none, or only a part of one (a fragment). */
export function addressOf(id: string, base: string): string | undefined {
  if (!URL.canParse(id, base)) return undefined;
  const url = new URL(id, base);
  return url.hash === '' ? url.href.replace(/#$/, '') : undefined;
}

/** What a `$ref` in the resource `base` refers to, or undefined if that is not in the document. */
export function resolveReference(reference: string, base: string, targets: Targets): unknown {
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  const fragment = decoded(url.hash.slice(1));
  url.hash = '';
  const address = url.href;
  const resource = targets.resources.get(address);
  if (resource === undefined || fragment === undefined) return undefined;
  if (fragment === '') return resource;
  return fragment.startsWith('/') ? follow(resource, fragment) : targets.anchors.get(`${address}#${fragment}`);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a malformed escape: it can name nothing
  }
}

/** Follows a JSON Pointer (RFC 6901) through own properties only. */
function follow(from: unknown, pointer: string): unknown {
  let at = from;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = /^\d+$/.test(key) ? at[Number(key)] : undefined;
    else at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

/**
 * The nodes of a graph from which a cycle can be reached: what is left after those without a way on have been removed,
 * again and again.
 */
export function leadingToCycles(edges: ReadonlyMap<unknown, readonly unknown[]>): unknown[] {
  const open = new Map<unknown, number>();
  const comingFrom = new Map<unknown, unknown[]>();
  for (const [from, targets] of edges) {
    open.set(from, targets.length);
    for (const to of targets) {
      const sources = comingFrom.get(to);
      if (sources === undefined) comingFrom.set(to, [from]);
      else sources.push(from);
    }
  }
  const ended = [...comingFrom.keys()].filter((node) => (open.get(node) ?? 0) === 0);
  for (let node = ended.pop(); node !== undefined; node = ended.pop()) {
    for (const from of comingFrom.get(node) ?? []) {
      const left = open.get(from)! - 1;
      open.set(from, left);
      if (left === 0) ended.push(from);
    }
  }
  return [...edges.keys()].filter((node) => open.get(node)! > 0);
}
