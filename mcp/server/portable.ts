/** What code has thrown, as data that can cross to another thread. Pure. */

/** How code on another thread has failed. */
export type Thrown =
  | { readonly thrown: unknown }
  /** The `McpError` that it has thrown: classes do not cross threads. */
  | { readonly refused: { readonly code: number; readonly message: string; readonly data: unknown } };

/** What is no error and cannot cross is described: the client gets it as JSON or text anyway. */
export function portable(value: unknown): unknown {
  if (value instanceof Error || typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? String(value) : value;
  }
  try {
    return structuredClone(value);
  } catch {
    return String(value); // a function or a symbol in it
  }
}
