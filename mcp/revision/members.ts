/** What older revisions have of what newer ones have. */

/** A copy with these members only. */
export function only<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Pick<T, K> {
  const kept = keys.filter((key) => Object.hasOwn(value, key));
  return Object.fromEntries(kept.map((key) => [key, value[key]])) as Pick<T, K>;
}

/** A copy without these members; the value itself if it has none of them. */
export function without<T extends object>(value: T, keys: readonly string[]): T {
  if (!keys.some((key) => Object.hasOwn(value, key))) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T;
}
