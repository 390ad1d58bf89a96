/**
 * The house rules as pure functions: files in, findings out. `test/tidy.test.ts` feeds each of them a bad sample and
 * then the repository. To change a rule, change its table here.
 */

import { posix } from 'node:path';
import type { SourceFile } from './repository.ts';
import { codeOnly, lineAt, references } from './source-text.ts';

/** The folders of the product, from the bottom layer to the top one. */
const layers: readonly string[] = ['runtime', 'transports', 'mcp', 'bin'];

/** What each layer may import besides its own files and `node:` modules. */
const mayImport: Readonly<Record<string, { readonly files: readonly RegExp[]; readonly packages: readonly string[] }>> =
  {
    // piscina: the compute pool, loaded by `beamish/compute` alone (test/exports.test.ts keeps it out of the root).
    runtime: { files: [], packages: ['msgpackr', 'piscina'] },
    // @grpc/grpc-js: an optional peer, loaded by `beamish/transports/grpc` alone.
    transports: { files: [/^runtime\/index\.ts$/], packages: ['ws', '@grpc/grpc-js'] },
    mcp: {
      // Calls of a compute pool; the pool itself, and piscina with it, is the program's.
      files: [
        /^runtime\/index\.ts$/,
        /^runtime\/compute\/(?:compute|job)\.ts$/,
        /^transports\/(?:client-)?transport\.ts$/,
      ],
      // jose: an optional peer, loaded by `beamish/mcp/authorization/jwt` alone.
      packages: ['ajv', 're2js', 'oauth4webapi', 'jose'],
    },
    bin: {
      files: [
        /^runtime\/(?:compute\/)?index\.ts$/,
        /^mcp\/index\.ts$/,
        /^transports\/(?:[a-z-]+|[a-z0-9-]+\/index)\.ts$/,
      ],
      packages: ['pino'],
    },
  };

/** Calls that one room owns; everybody else gets the service from there. */
interface Ban {
  readonly pattern: RegExp;
  /** A module that offers the same, by the start of its name. */
  readonly module?: string;
  readonly rooms: readonly string[];
  readonly instead: string;
}

const bans: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/g, rooms: ['runtime/clock.ts'], instead: 'ask ctx.clock' },
  { pattern: /\bperformance\.now\b|\bhrtime\b/g, rooms: ['runtime/clock.ts'], instead: 'ask ctx.clock' },
  {
    pattern: /\bsetTimeout\b/g,
    module: 'node:timers',
    rooms: ['runtime/clock.ts'],
    instead: 'use ctx.sendAfter, or clock.setTimer below the processes',
  },
  { pattern: /\bsetInterval\b/g, rooms: ['runtime/system.ts'], instead: 'use ctx.sendAfter again and again' },
  {
    pattern: /\bsetImmediate\b/g,
    // system.ts: a stopped system answers for what its processes leave behind until the turn is over.
    rooms: [
      'runtime/kernel/scheduler.ts',
      'runtime/system.ts',
      'runtime/settle.ts',
      'runtime/thread/channel-reader.ts',
      'runtime/thread/channel-writer.ts',
      // A worker thread ends when what it has sent has left it.
      'runtime/thread/channels.ts',
      'runtime/thread/worker-entry.ts',
    ],
    instead: 'let the scheduler run it',
  },
  {
    pattern: /\bMath\.random\b/g,
    rooms: ['runtime/simulation.ts'],
    instead: 'use node:crypto for ids, a passed-in source for choices',
  },
  { pattern: /\bconsole\./g, rooms: ['bin/'], instead: 'publish an event on node:diagnostics_channel' },
  // In a worker thread it ends that thread.
  {
    pattern: /\bprocess\.exit\b/g,
    rooms: ['bin/beamish.ts', 'runtime/thread/worker-entry.ts'],
    instead: 'stop the system and let the process end',
  },
];

export const maxFileLines = 400;
export const maxMedianLines = 150;
export const maxColumns = 120;

const topLevel: ReadonlySet<string> = new Set([...layers, 'bench', 'docs', 'examples', 'test', '.ci', '.github']);
const forbiddenName = /^(?:src|lib|utils?|common|helpers?|misc|shared|types|manager)$/;
const kebabFile = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|bench))?\.ts$/;
const timeMember = /\b([a-zA-Z]*(?:timeout|period|delay|interval|ttl|duration|backoff|grace))\??:\s*number\b/gi;

/** `file:line message`, as every rule reports. */
function finding(path: string, line: number, message: string): string {
  return `${path}:${line} ${message}`;
}

function layerOf(path: string): string | undefined {
  return layers.find((layer) => path.startsWith(`${layer}/`));
}

const isCode = (path: string): boolean => path.endsWith('.ts') && layerOf(path) !== undefined;

/** Imports point one way: runtime <- transports <- mcp <- bin, and only at a layer's public file. */
export function importFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) => {
      const layer = layerOf(path)!;
      const allowed = mayImport[layer]!;
      return references(text).flatMap(({ specifier, line }) => {
        if (specifier.startsWith('node:')) return [];
        if (specifier.startsWith('.')) {
          const target = posix.join(posix.dirname(path), specifier);
          if (layerOf(target) === layer || allowed.files.some((pattern) => pattern.test(target))) return [];
          const open = allowed.files.map((pattern) => pattern.source).join(', ') || 'nothing of other folders';
          return [finding(path, line, `imports ${target}; ${layer}/ may import ${open}`)];
        }
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        if (allowed.packages.includes(name)) return [];
        return [
          finding(path, line, `imports the package ${name}; add it to mayImport.${layer} if it has earned its place`),
        ];
      });
    });
}

/** No file over the cap. */
export function lengthFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path))
    .map(({ path, text }) => ({ path, lines: countLines(text) }))
    .filter(({ lines }) => lines > maxFileLines)
    .map(({ path, lines }) => finding(path, lines, `has ${lines} lines, the cap is ${maxFileLines}: split it by role`));
}

/** The median file of each layer stays short enough to read in one sitting. */
export function medianFindings(files: readonly SourceFile[]): string[] {
  return layers.flatMap((layer) => {
    const lengths = files
      .filter(({ path }) => isCode(path) && layerOf(path) === layer)
      .map(({ text }) => countLines(text))
      .sort((a, b) => a - b);
    const median = lengths[Math.floor((lengths.length - 1) / 2)] ?? 0;
    if (median <= maxMedianLines) return [];
    return [`${layer}/ has a median of ${median} lines a file, the limit is ${maxMedianLines}: split by role`];
  });
}

/** No line over 120 columns. */
export function columnFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.ts'))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        if (line.length <= maxColumns) return [];
        return [finding(path, index + 1, `has ${line.length} columns, the limit is ${maxColumns}: break the line`)];
      }),
    );
}

/** Time, chance, output and the end of the process have one owner each. */
export function banFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) => {
      const owned = (room: string): boolean => path === room || (room.endsWith('/') && path.startsWith(room));
      return bans
        .filter(({ rooms }) => !rooms.some(owned))
        .flatMap(({ pattern, module, rooms, instead }) => {
          const owner = rooms.length > 0 ? `only ${rooms.join(', ')} may` : 'nobody may';
          return uses(text, pattern, module).map(({ line, what }) =>
            finding(path, line, `uses ${what}, which ${owner}: ${instead}`),
          );
        });
    });
}

/** Where code has the pattern, or imports a module whose name begins like `module`. */
function uses(text: string, pattern: RegExp, module?: string): { line: number; what: string }[] {
  const code = codeOnly(text);
  const calls = [...code.matchAll(pattern)].map((match) => ({ line: lineAt(code, match.index), what: match[0] }));
  if (module === undefined) return calls;
  const imports = references(text).filter(({ specifier }) => specifier.startsWith(module));
  return [...calls, ...imports.map(({ line, specifier }) => ({ line, what: specifier }))];
}

/** Marks of unfinished work. Put together from halves, so that this file does not find itself. */
const leftovers = new RegExp(
  `\\b(?:${['FIX|ME', 'TO|DO', 'XX|X', 'HA|CK'].map((word) => word.replace('|', '')).join('|')})\\b`,
  'g',
);

export function leftoverFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(leftovers)].map((match) =>
      finding(path, lineAt(text, match.index), `says ${match[0]}: finish it, or open an issue and delete the mark`),
    ),
  );
}

/** An absolute path of somebody's own machine. */
const ownMachine = new RegExp(`(?<![\\w.])/(?:${['home', 'Users', 'root', 'work', 'tmp'].join('|')})/[\\w.-]+`, 'g');

export function machinePathFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(ownMachine)].map((match) =>
      finding(path, lineAt(text, match.index), `names ${match[0]}, which exists on one machine only`),
    ),
  );
}

/** Files of the product that no entry point reaches, and other files that nothing reaches. */
export function deadFindings(files: readonly SourceFile[], entries: readonly string[]): string[] {
  const sources = new Map(files.filter(({ path }) => path.endsWith('.ts')).map((file) => [file.path, file]));
  const reach = (from: readonly string[]): Set<string> => {
    const reached = new Set<string>();
    const pending = from.filter((path) => sources.has(path));
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      for (const { specifier } of references(sources.get(path)!.text)) {
        if (!specifier.startsWith('.')) continue;
        const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
        if (sources.has(target)) pending.push(target);
      }
    }
    return reached;
  };
  const shipped = reach(entries);
  const outside = [...sources.keys()].filter((path) => layerOf(path) === undefined && startsByItself(path));
  const used = reach([...entries, ...outside]);
  return [...sources.keys()]
    .filter((path) => !(layerOf(path) === undefined ? used : shipped).has(path))
    .map((path) => finding(path, 1, 'is reached from no entry point of package.json and no test: delete it'));
}

/** Files that a person or a runner starts: tests, type tests, examples, benches, developer commands. */
function startsByItself(path: string): boolean {
  return (
    /\.(?:test|bench)\.ts$/.test(path) ||
    /^(?:test\/types|examples|bench)\//.test(path) ||
    /^test\/[a-z-]+\/(?:run|run-[a-z-]+|main)\.ts$/.test(path)
  );
}

/** Names tell the role of a file; a drawer called "helpers" does not. */
export function nameFindings(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.split('/');
    const file = parts.pop()!;
    const found: string[] = [];
    const top = parts[0];
    if (top !== undefined && !topLevel.has(top))
      found.push(`${path}:1 lies in ${top}/, which is no room of this house`);
    for (const folder of parts) {
      if (forbiddenName.test(folder) && !path.startsWith('test/types/')) {
        found.push(finding(path, 1, `lies in a folder named ${folder}/: name the folder by what runs in it`));
      }
    }
    if (file.endsWith('.ts')) {
      if (!kebabFile.test(file)) found.push(finding(path, 1, 'is not kebab-case'));
      const stem = file.replace(/\.ts$/, '');
      if (forbiddenName.test(stem)) found.push(finding(path, 1, `is named ${stem}: name the file by its role`));
    }
    return found;
  });
}

/** Folders that need a README.md: the layers, the folders in them, and the others people work in. */
export function readmeFindings(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths.filter((each) => each.endsWith('.ts'))) {
    const [top, inner, file] = path.split('/');
    if (layers.includes(top!) && file !== undefined) folders.add(`${top}/${inner}`);
    if (layers.includes(top!) || ['bench', 'examples', 'test'].includes(top!)) folders.add(top!);
  }
  return [...folders]
    .filter((folder) => !paths.includes(`${folder}/README.md`))
    .sort()
    .map((folder) =>
      finding(`${folder}/README.md`, 1, 'is missing: say what runs here, who supervises it, what is not'),
    );
}

/** A number of milliseconds says so in its name. */
export function unitFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) => {
      const code = codeOnly(text);
      return [...code.matchAll(timeMember)].map((match) =>
        finding(path, lineAt(code, match.index), `${match[1]} is a time without a unit: call it ${match[1]}Ms`),
      );
    });
}

/** Assertions on promises that nobody awaits pass whatever happens; so does a lone `.only`. */
export function testFindings(files: readonly SourceFile[]): string[] {
  const floating = /(?<=[;{}]\s*)assert\.(?:rejects|doesNotReject)\(/g;
  const only = /\b(?:test|it|describe)\.only\(|\bonly: true\b/g;
  const sleep = /\bset(?:Timeout|Interval)\b/g;
  return files
    .filter(({ path }) => path.startsWith('test/') && path.endsWith('.ts'))
    .flatMap(({ path, text }) => {
      const report = (message: string, pattern: RegExp, module?: string): string[] =>
        uses(text, pattern, module).map(({ line }) => finding(path, line, message));
      return [
        ...report('asserts on a promise and does not await it', floating),
        ...report('leaves the other tests out: remove .only', only),
        ...report('waits for time to pass: move an injected clock, or wait for an event', sleep, 'node:timers'),
      ];
    });
}

/** `catch {}` hides the error that the next person looks for. */
export function swallowFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.ts'))
    .flatMap(({ path, text }) => {
      const code = codeOnly(text);
      return [
        ...code.matchAll(
          /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\s*\(\s*\w*\s*\)\s*=>\s*(?:\{\s*\}|undefined)\s*\)/g,
        ),
      ]
        .filter((match) => !/\/[/*]/.test(text.slice(match.index, match.index + match[0].length)))
        .map((match) =>
          finding(path, lineAt(code, match.index), 'swallows an error: handle it, or say in a comment why not'),
        );
    });
}

/** What an entry point makes public is documented where it is declared. */
export function docstringFindings(files: readonly SourceFile[], entries: readonly string[]): string[] {
  const byPath = new Map(files.map((each) => [each.path, each.text]));
  return entries.flatMap((entry) =>
    [...(byPath.get(entry) ?? '').matchAll(/\bexport (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(
      ([, list, from]) => {
        const path = posix.join(posix.dirname(entry), from!);
        const text = byPath.get(path) ?? '';
        const names = list!.split(',').map((item) => /([\w$]+)\s*$/.exec(item.split(' as ')[0]!)?.[1]);
        return names.flatMap((name) => {
          if (name === undefined) return [];
          const kinds = '(?:declare |abstract |async )*(?:class|interface|type|function\\*?|const)';
          const declaration = new RegExp(`(\\*/\\n)?^export ${kinds} ${name}\\b`, 'm').exec(text);
          if (declaration === null || declaration[1] !== undefined) return [];
          return [finding(path, lineAt(text, declaration.index), `makes ${name} public and does not say what it is`)];
        });
      },
    ),
  );
}

/** Versions are exact, and the lock file names no registry. */
export function dependencyFindings(manifest: string, lock: string): string[] {
  const fields = JSON.parse(manifest) as Record<string, Record<string, string> | undefined>;
  const ranges = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((field) =>
    Object.entries(fields[field] ?? {})
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => finding('package.json', 1, `asks for ${name} ${version}: pin one version`)),
  );
  const resolved = [...lock.matchAll(/"resolved": "https?:/g)].map((match) =>
    finding('package-lock.json', lineAt(lock, match.index), 'names a registry: run npm install with our .npmrc'),
  );
  return [...ranges, ...resolved];
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
