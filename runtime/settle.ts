/** Lets all that is runnable run: processes, promises, and drains that gave way to the host. */
export async function settle(turns = 4): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
