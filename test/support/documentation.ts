/** Takes code and commands out of Markdown, and gives TypeScript a project in which that code is a user's. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, has, packageJson, root } from './repository.ts';

export interface CodeBlock {
  /** The words after the three backticks: the language first. */
  readonly info: readonly string[];
  readonly text: string;
  /** The 1-based line of the first line of code. */
  readonly line: number;
}

/** The fenced code blocks of a Markdown text. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { info: string[]; lines: string[]; line: number } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence && open === undefined) {
      open = { info: fence[1]!.trim().split(/\s+/), lines: [], line: index + 2 };
    } else if (fence && open !== undefined) {
      blocks.push({ info: open.info, text: `${open.lines.join('\n')}\n`, line: open.line });
      open = undefined;
    } else {
      open?.lines.push(line);
    }
  }
  return blocks;
}

/**
 * What is wrong with the commands of a Markdown text (shell blocks and inline code): npm scripts that package.json
 * does not have, files handed to `node` or `beamish` that nobody wrote or builds.
 */
export function commandFindings(path: string, markdown: string): string[] {
  const { scripts, bin } = packageJson();
  const shell = codeBlocks(markdown).filter(({ info }) => /^(?:sh|bash|shell|console)$/.test(info[0] ?? ''));
  const inline = [...markdown.matchAll(/`((?:npm|npx|node) [^`\n]+)`/g)].map((match) => match[1]!);
  const lines = [...shell.flatMap(({ text }) => text.split('\n')), ...inline];
  return lines.flatMap((line) => {
    const found: string[] = [];
    const script = /\bnpm (?:run (?:-s )?)?([a-z][\w:-]*)/.exec(line)?.[1];
    const builtIn = ['install', 'i', 'ci', 'run', 'link', 'pack', 'exec'];
    if (script !== undefined && !builtIn.includes(script) && !Object.hasOwn(scripts, script)) {
      found.push(`${path}: '${line.trim()}' names the script ${script}, which package.json does not have`);
    }
    const command = /\bnpx (?:-y )?([\w@/-]+)/.exec(line)?.[1];
    if (command !== undefined && !Object.hasOwn(bin, command) && !has(`node_modules/.bin/${command}`)) {
      found.push(`${path}: '${line.trim()}' runs ${command}, which is neither ours nor installed`);
    }
    for (const [, file] of line.matchAll(/\s((?:dist|examples|bench|test|bin)\/[\w./-]+\.[jt]s)\b/g)) {
      const source = file!.replace(/^dist\//, '').replace(/\.js$/, '.ts');
      if (!has(source)) found.push(`${path}: '${line.trim()}' names ${file}, but there is no ${source}`);
    }
    return found;
  });
}

/** A folder in which the code of one Markdown file compiles against the built package, like a user's project. */
export interface Project {
  readonly folder: string;
  /** The file each block was written to, without `.ts`. */
  readonly files: readonly { readonly name: string; readonly block: CodeBlock }[];
}

/**
 * Writes the TypeScript blocks of a Markdown text as files. A block whose first line is a comment with a file name
 * gets that name, so that blocks may import each other.
 */
export function writeProject(name: string, blocks: readonly CodeBlock[]): Project {
  const folder = join(buildFolder, 'documentation', name);
  rmSync(folder, { recursive: true, force: true });
  const installed = join(folder, 'node_modules', 'beamish');
  mkdirSync(installed, { recursive: true });
  symlinkSync(buildFolder, join(installed, 'dist'), 'junction');
  writeFileSync(join(installed, 'package.json'), readFileSync(join(root, 'package.json')));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(projectConfig()));
  const files = blocks.map((block) => {
    const title = /^\/\/ ([\w-]+)\.ts\b/.exec(block.text)?.[1];
    const file = title ?? `line-${block.line}`;
    writeFileSync(join(folder, `${file}.ts`), block.text);
    return { name: file, block };
  });
  return { folder, files };
}

/** The settings of this repository, without those that ask more of a library than of its user. */
function projectConfig(): object {
  const ours = { rootDir: '.', outDir: 'out', declaration: false, sourceMap: false };
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { ...ours, moduleDetection: 'force', noUnusedLocals: false, skipLibCheck: false },
    include: ['*.ts'],
  };
}

/** What tsc says about a project; '' when it compiles. Writes the JavaScript to its `out` folder. */
export function compile(project: Project): string {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', project.folder], { encoding: 'utf8' });
  return run.status === 0 ? '' : `${run.stdout}${run.stderr}`;
}
