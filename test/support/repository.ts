/** The checked-out repository as plain data: where it is, what is in it. Read by the tests that watch the house. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of the repository, with its path from the root, `/` as separator on every platform. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Folders that hold nothing of ours. Dot folders are left out as well, except the two named in `dotFolders`. */
const foreignFolders: ReadonlySet<string> = new Set(['node_modules', 'dist']);
const dotFolders: ReadonlySet<string> = new Set(['.ci', '.github']);

/** The folder that holds package.json. Tests run from a build folder below it. */
export const root: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The folder this build was written to: `.build` after `npm test`. */
export const buildFolder: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${from}`);
  }
}

/** The text of one file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** True when the repository has this file or folder. */
export function has(path: string): boolean {
  return existsSync(join(root, path));
}

/** Paths of all files of ours, sorted. */
export function listPaths(): string[] {
  const paths: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        const foreign = foreignFolders.has(entry.name) || (entry.name.startsWith('.') && !dotFolders.has(entry.name));
        if (!foreign) visit(join(folder, entry.name));
      } else {
        paths.push(relative(root, join(folder, entry.name)).split(sep).join('/'));
      }
    }
  };
  visit(root);
  return paths.sort();
}

/** All our files whose path ends in one of `extensions`, with their text. */
export function readSources(...extensions: readonly string[]): SourceFile[] {
  return listPaths()
    .filter((path) => extensions.some((extension) => path.endsWith(extension)))
    .map((path) => ({ path, text: readText(path) }));
}

/** Where the build puts the JavaScript of a TypeScript source. */
export function builtPath(source: string): string {
  return join(buildFolder, source.replace(/\.ts$/, '.js'));
}

export interface PackageJson {
  readonly exports: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

export function packageJson(): PackageJson {
  return JSON.parse(readText('package.json')) as PackageJson;
}

/** The source behind a published file: './dist/runtime/index.js' -> 'runtime/index.ts'. */
export function sourceOf(published: string): string {
  return published.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');
}
