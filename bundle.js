/**
 * Makes few files of the compiled ones, so that Node.js loads ten modules and not two hundred, on every thread:
 *
 *     node bundle.js dist            in place, as `npm run build` does
 *     node bundle.js .build <to>     beside it
 *
 * What has an address keeps it: at the place of a public file, of a module that says where it is (`import.meta`), and of
 * one that is imported on demand, there is a small file that exports what that module did. So behaviours are found by
 * module and export as before, and a module goes on to say the same place. Declarations stay as they are.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The folders that are bundled. */
const layers = ['runtime', 'transports', 'mcp', 'bin'];

/**
 * What becomes one file each: all that these modules import and that is in no unit before. So a unit needs only those
 * before it, and what is loaded on demand, or by some programs alone, is loaded no sooner than it was.
 */
const units = [
  { name: 'kernel', of: ['runtime/index'] },
  { name: 'threads', of: ['runtime/thread/thread-plan', 'runtime/thread/thread-host'] },
  { name: 'rehearsal', of: ['runtime/thread/rehearsal'] },
  { name: 'worker', of: ['runtime/thread/worker-entry'], isProgram: true },
  { name: 'testing', of: ['runtime/testing'] },
  { name: 'job', of: ['runtime/compute/job', 'runtime/compute/job-fault'] },
  { name: 'job-thread', of: ['runtime/compute/job-thread'], isProgram: true },
  // Without the pool, and the package that has its threads: a node asks a pool, if there is one.
  { name: 'compute-call', of: ['runtime/compute/compute'] },
  { name: 'compute', of: ['runtime/compute/index'] },
  { name: 'transport', of: ['transports/transport', 'transports/client-transport'] },
  { name: 'mcp', of: ['mcp/index'] },
  { name: 'jwt', of: ['mcp/authorization/jwt'] },
  { name: 'transports', of: ['transports/http/index', 'transports/stdio', 'transports/memory'] },
  { name: 'client-transports', of: ['transports/client/index'] },
  { name: 'client', of: ['mcp/client/index'] },
  { name: 'oauth', of: ['mcp/client/oauth/index'] },
  { name: 'arguments', of: ['bin/arguments'] },
  { name: 'command', of: ['bin/beamish'], isProgram: true },
  { name: 'serve', of: ['bin/serve'] },
];

// Public files that are not named above have a unit of their own.
const { exports } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));
for (const file of Object.values(exports)) {
  const module = /^\.\/dist\/(.*)\.js$/.exec(file)?.[1];
  if (module === undefined || units.some(({ of }) => of.includes(module))) continue;
  units.push({ name: module.replace(/\/index$/, '').replaceAll('/', '-'), of: [module] });
}

const saysWhereItIs = (text) => /\bimport\.meta\b/.test(text);
const variable = (module) => module.replaceAll(/\W/g, '_');

/** From the file of one module, or unit, to that of another. */
function pathBetween(from, to) {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

/** What a compiled module exports, by name. */
function exportsOf(module, text) {
  if (/^export (?:default|\*|let|var)\b/m.test(text)) throw new Error(`${module} must export constants by name`);
  const declared = [...text.matchAll(/^export (?:async )?(?:const|function\*?|class) ([\w$]+)/gm)].map(
    ([, name]) => name,
  );
  const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => names.split(','));
  return [
    ...declared,
    ...listed
      .map((name) =>
        name
          .trim()
          .split(/\s+as\s+/)
          .at(-1),
      )
      .filter((name) => name !== ''),
  ];
}

/** All that the units need, without their ending: text, and what they import at once and on demand. */
async function read(folder) {
  const { metafile } = await build({
    entryPoints: units.flatMap(({ of }) => of.map((module) => `${module}.js`)),
    absWorkingDir: folder,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outdir: folder,
    metafile: true,
  });
  const nameOf = (path) => path.replace(/\.js$/, '');
  return new Map(
    Object.entries(metafile.inputs).map(([path, { imports }]) => {
      const own = imports.filter(({ external }) => external !== true);
      const imported = (kind) => own.filter((each) => each.kind === kind).map((each) => nameOf(each.path));
      const text = readFileSync(join(folder, path), 'utf8');
      return [nameOf(path), { text, now: imported('import-statement'), later: imported('dynamic-import') }];
    }),
  );
}

/** The unit of each module. */
function divide(modules) {
  const unitOf = new Map();
  for (const unit of units) {
    const open = [...unit.of];
    for (let module = open.pop(); module !== undefined; module = open.pop()) {
      if (unitOf.has(module)) continue;
      if (!modules.has(module)) throw new Error(`there is no module ${module}`);
      unitOf.set(module, unit);
      open.push(...modules.get(module).now);
    }
  }
  return unitOf;
}

/** Below the folder: a program stays where it is. */
const fileOf = ({ name, of, isProgram }) => (isProgram ? `${of[0]}.js` : `chunks/${name}.js`);

function unitPlugin(folder, modules, unitOf) {
  const nameOf = (path) => relative(folder, path).split(sep).join('/').replace(/\.js$/, '');
  return {
    name: 'units',
    setup(bundling) {
      bundling.onResolve({ filter: /^unit:/ }, ({ path }) => ({ path, namespace: 'unit' }));
      bundling.onLoad({ filter: /.*/, namespace: 'unit' }, ({ path }) => {
        const own = [...unitOf].filter(([, { name }]) => `unit:${name}` === path).map(([module]) => module);
        const contents = own.map((module) => `export * as ${variable(module)} from './${module}.js';`).join('\n');
        return { contents, resolveDir: folder };
      });
      bundling.onResolve({ filter: /^\./, namespace: 'file' }, ({ path, importer, kind, resolveDir }) => {
        const module = nameOf(join(resolveDir, path));
        const from = unitOf.get(nameOf(importer));
        const to = unitOf.get(module);
        if (to === from || to === undefined) return undefined;
        if (kind === 'dynamic-import') return { path: pathBetween(fileOf(from), `${module}.js`), external: true };
        if (to.isProgram) throw new Error(`${module} is needed beside its program: give it a unit before ${to.name}`);
        return { path: `${fileOf(from)} ${module}`, namespace: 'other' };
      });
      // What another unit has.
      bundling.onLoad({ filter: /.*/, namespace: 'other' }, ({ path }) => {
        const [from, module] = path.split(' ');
        return { contents: reexports(from, module, modules, unitOf), resolveDir: folder };
      });
      bundling.onResolve({ filter: /^\./, namespace: 'other' }, ({ path }) => ({ path, external: true }));
      bundling.onLoad({ filter: /\.js$/ }, ({ path }) => {
        const module = nameOf(path);
        const unit = unitOf.get(module);
        if (unit === undefined || !saysWhereItIs(modules.get(module).text)) return undefined;
        const [, first, rest] = /^(#!.*\n)?(.*)$/s.exec(modules.get(module).text);
        const place = `const place$ = { url: new URL('${pathBetween(fileOf(unit), `${module}.js`)}', import.meta.url).href };`;
        return { contents: `${first ?? ''}${place}${rest.replaceAll(/\bimport\.meta\b/g, 'place$')}` };
      });
    },
  };
}

/** The text of a module that exports what a module of a unit does. */
function reexports(file, module, modules, unitOf) {
  const own = variable(module);
  const lines = exportsOf(module, modules.get(module).text).map((name) => `export const ${name} = ${own}.${name};`);
  return [`import { ${own} } from '${pathBetween(file, fileOf(unitOf.get(module)))}';`, ...lines, ''].join('\n');
}

/** Bundles the compiled modules of a folder into another one, or in place. Both paths are absolute. */
export async function bundle(from, to) {
  const modules = await read(from);
  const unitOf = divide(modules);
  const left = [...modules.keys()].filter((module) => !unitOf.has(module));
  if (left.length > 0) throw new Error(`imported on demand, but in no unit: ${left.join(', ')}`);
  const { outputFiles } = await build({
    entryPoints: units.map((unit) => ({
      in: unit.isProgram ? join(from, `${unit.of[0]}.js`) : `unit:${unit.name}`,
      out: fileOf(unit).replace(/\.js$/, ''),
    })),
    absWorkingDir: from,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // Our own `sideEffects: false` is for those who bundle us.
    ignoreAnnotations: true,
    sourcemap: true,
    sourcesContent: false,
    outdir: to,
    plugins: [unitPlugin(from, modules, unitOf)],
    logLevel: 'warning',
  });
  const addressed = new Set([...modules.values()].flatMap(({ later }) => later));
  for (const [module, { text }] of modules) if (saysWhereItIs(text)) addressed.add(module);
  for (const { of } of units) for (const module of of) addressed.add(module);
  if (from === to) {
    for (const layer of layers) {
      for (const path of readdirSync(join(to, layer), { recursive: true })) {
        if (/\.js(?:\.map)?$/.test(path)) rmSync(join(to, layer, path));
      }
    }
  }
  const write = (file, contents) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  };
  for (const module of addressed) {
    const unit = unitOf.get(module);
    if (unit !== undefined && !unit.isProgram)
      write(join(to, `${module}.js`), reexports(`${module}.js`, module, modules, unitOf));
  }
  for (const { path, contents } of outputFiles) write(path, contents);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [from, to = from] = process.argv.slice(2).map((path) => resolve(path));
  await bundle(from, to);
}
