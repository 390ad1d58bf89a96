/** The build as it is published, a few files made of the many that are compiled; programs of the bench beside it. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Command, root } from './contender.ts';

const compiled: string = fileURLToPath(new URL('../', import.meta.url));

/** Makes it anew; returns its folder. */
export async function published(): Promise<string> {
  // Below the root, where packages are found.
  const folder = join(root, '.cache', 'bench-published');
  rmSync(folder, { recursive: true, force: true });
  const bundler = (await import(pathToFileURL(join(root, 'bundle.js')).href)) as {
    bundle(from: string, to: string): Promise<void>;
  };
  await bundler.bundle(compiled, folder);
  for (const part of ['bench', 'examples']) cpSync(join(compiled, part), join(folder, part), { recursive: true });
  return folder;
}

/** A program of `bench/contenders/` beside the published build in that folder. */
export function publishedProgram(folder: string, path: string): Command {
  return { file: process.execPath, args: [join(folder, 'bench/contenders', `${path}.js`)] };
}
