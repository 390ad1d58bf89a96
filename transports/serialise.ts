/** JSON-RPC 2.0, internal error. */
const INTERNAL_ERROR = -32_603;

/**
 * A message as JSON. One that cannot be serialised (a cycle, a BigInt, nesting beyond the stack) becomes an error
 * under the same id, so that its request is answered all the same.
 *
 * @throws what `JSON.stringify` threw, if the message has no id to answer under.
 */
export function serialise(message: object): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    const { id } = message as { id?: unknown };
    if (typeof id !== 'string' && typeof id !== 'number') throw error;
    const text = `The answer cannot be serialised: ${error instanceof Error ? error.message : String(error)}`;
    return JSON.stringify({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: text } });
  }
}
