/**
 * `uniqueItems` in time linear to the array: comparing each item with each would take seconds for some thousand
 * objects.
 */

/** Whether no two items are equal JSON values. The depth of the items must be bounded. */
export function allDistinct(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>();
  for (const item of items) {
    // A text that stands for an object must not equal a string, hence the mark in front of strings.
    const key = typeof item === 'string' ? `"${item}` : typeof item === 'object' ? canonical(item) : item;
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

/** A text that is the same for equal JSON values, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
