/** What the code of a thread needs that it is told by name: modules, imported when they are first needed. */

/** Who is told of it, on a worker thread. */
export interface ImportListener {
  /** An import begins, or ends: meanwhile the thread may not yield, through no fault of a process. */
  importing(is: boolean): void;
  /** A module was imported for the first time: whoever takes the place of this thread will need it too. */
  imported(module: string): void;
}

let listener: ImportListener | undefined;
const known = new Set<string>();
let pending = 0;

/** The one that this thread has from now on. A worker thread belongs to one system. */
export function listenToImports(to: ImportListener | undefined): void {
  listener = to;
}

/**
 * Imports a module as `import()` does. On a worker thread, the thread that is kept ready to take its place imports the
 * module too, ahead of time. For code that finds modules by their URL at run time, and needs them again wherever it
 * runs next; the start of a process on another thread does it by itself. Rejects as `import()` does.
 */
export async function importModule(module: string): Promise<Readonly<Record<string, unknown>>> {
  if (pending++ === 0) listener?.importing(true);
  try {
    const exports = (await import(module)) as Readonly<Record<string, unknown>>;
    if (!known.has(module)) {
      known.add(module);
      listener?.imported(module);
    }
    return exports;
  } finally {
    if (--pending === 0) listener?.importing(false);
  }
}
