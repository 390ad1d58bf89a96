/** The house rules of CONTRIBUTING.md, enforced. Each test first shows that its rule can fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listPaths, packageJson, readSources, readText, type SourceFile, sourceOf } from './support/repository.ts';
import * as rules from './support/tidy-rules.ts';

const sources = readSources('.ts');
const paths = listPaths();

/** Fails with one line per finding. */
function assertTidy(findings: readonly string[]): void {
  assert.ok(findings.length === 0, `\n${findings.join('\n')}`);
}

function file(path: string, text: string): SourceFile {
  return { path, text };
}

test('imports point one way, at the public file of a layer', () => {
  const bad = [
    file('runtime/a.ts', "import { b } from '../transports/b.ts';\n"),
    file('runtime/b.ts', "import { pino } from 'pino';\n"),
    file('transports/c.ts', "import { d } from '../runtime/kernel/mailbox.ts';\n"),
    file('mcp/e.ts', "\nexport { f } from '../transports/stdio.ts';\n"),
    file('mcp/g.ts', "const late = await import('../bin/beamish.ts');\n"),
  ];
  assert.deepEqual(
    rules.importFindings(bad).map((line) => line.split(' ')[0]),
    ['runtime/a.ts:1', 'runtime/b.ts:1', 'transports/c.ts:1', 'mcp/e.ts:2', 'mcp/g.ts:1'],
  );
  const good = [
    file('runtime/thread/a.ts', "import { b } from '../mailbox.ts';\nimport { c } from 'node:events';\n"),
    file('mcp/d.ts', "import type { T } from '../transports/transport.ts';\n// import x from 'left-pad';\n"),
    file('mcp/schema.ts', "import { Ajv2020 } from 'ajv/dist/2020.js';\n"),
  ];
  assert.deepEqual(rules.importFindings(good), []);
  assertTidy(rules.importFindings(sources));
});

test(`no file of the product is longer than ${rules.maxFileLines} lines`, () => {
  const long = file('mcp/long.ts', 'let a;\n'.repeat(rules.maxFileLines + 1));
  assert.match(rules.lengthFindings([long]).join(), /^mcp\/long\.ts:401 has 401 lines/);
  assert.deepEqual(rules.lengthFindings([file('mcp/fits.ts', 'let a;\n'.repeat(rules.maxFileLines))]), []);
  assertTidy(rules.lengthFindings(sources));
});

test(`the median file of a layer has at most ${rules.maxMedianLines} lines`, () => {
  const lengths = [10, 151, 300].map((lines) => file(`mcp/f${lines}.ts`, 'let a;\n'.repeat(lines)));
  assert.match(rules.medianFindings(lengths).join(), /^mcp\/ has a median of 151 lines/);
  assertTidy(rules.medianFindings(sources));
});

test(`no line is longer than ${rules.maxColumns} columns`, () => {
  const wide = file('test/wide.ts', `let a;\n${'x'.repeat(rules.maxColumns + 1)}\n`);
  assert.match(rules.columnFindings([wide]).join(), /^test\/wide\.ts:2 has 121 columns/);
  assertTidy(rules.columnFindings(sources));
});

test('time, chance, output and the end of the process are used in the room that owns them', () => {
  const bad = file(
    'runtime/mailbox.ts',
    [
      'const at = Date.now();',
      'setTimeout(later, 5);',
      "import { setTimeout as sleep } from 'node:timers/promises';",
      'const dice = Math.random();',
      'console.log(`$' + '{process.exit(1)}`);',
      'setImmediate(run);',
      '// Date.now() in a comment and',
      "const text = 'console.log in a string';",
    ].join('\n'),
  );
  const lines = rules.banFindings([bad]).map((line) => Number(/:(\d+) /.exec(line)?.[1]));
  assert.deepEqual([...new Set(lines)].sort(), [1, 2, 3, 4, 5, 6]);
  assert.equal(lines.filter((line) => line === 5).length, 2, 'the call inside a template is seen');
  assert.deepEqual(rules.banFindings([file('runtime/clock.ts', 'const at = Date.now();')]), []);
  assertTidy(rules.banFindings(sources));
});

test('nothing is left to be finished later', () => {
  const mark = ['TO', 'DO'].join('');
  const bad = file('docs/semantics.md', `one\n${mark}: two\n`);
  assert.match(rules.leftoverFindings([bad]).join(), /^docs\/semantics\.md:2 says/);
  assertTidy(rules.leftoverFindings(readSources('.ts', '.md', '.json', '.yml')));
});

test('no text names a path of one machine', () => {
  const bad = file('docs/semantics.md', `see ${['', 'home', 'joe', 'notes'].join('/')}\n`);
  assert.match(rules.machinePathFindings([bad]).join(), /^docs\/semantics\.md:1 names/);
  assert.deepEqual(rules.machinePathFindings([file('a.md', 'https://example.org/home/page and ./tmp/x')]), []);
  assertTidy(rules.machinePathFindings(readSources('.ts', '.md', '.json', '.yml')));
});

test('no file is dead', () => {
  const tree = [
    file('runtime/index.ts', "export { a } from './a.ts';\n"),
    file('runtime/a.ts', "const entry = new URL('./entry.ts', import.meta.url);\n"),
    file('runtime/entry.ts', ''),
    file('runtime/forgotten.ts', "import './a.ts';\n"),
    file('runtime/tested-only.ts', ''),
    file('test/a.test.ts', "import '../runtime/tested-only.ts';\nimport './support/used.ts';\n"),
    file('test/support/used.ts', ''),
    file('test/support/unused.ts', ''),
  ];
  assert.deepEqual(
    rules.deadFindings(tree, ['runtime/index.ts']).map((line) => line.split(':')[0]),
    ['runtime/forgotten.ts', 'runtime/tested-only.ts', 'test/support/unused.ts'],
  );
  const { exports, bin } = packageJson();
  const entries = [...Object.values(exports), ...Object.values(bin)].map(sourceOf);
  assertTidy(rules.deadFindings(sources, entries));
});

test('names tell the role of a file', () => {
  assert.deepEqual(
    rules
      .nameFindings(['runtime/utils.ts', 'mcp/helpers/a.ts', 'src/a.ts', 'mcp/toolList.ts', 'runtime/gen-server.ts'])
      .map((line) => line.split(':')[0]),
    ['runtime/utils.ts', 'mcp/helpers/a.ts', 'src/a.ts', 'src/a.ts', 'mcp/toolList.ts'],
  );
  assertTidy(rules.nameFindings(paths));
});

test('each folder opens with a README.md', () => {
  assert.deepEqual(
    rules
      .readmeFindings(['mcp/server/methods/ping.ts', 'mcp/README.md', 'bench/run.ts', 'docs/x.md', 'runtime/a.ts'])
      .map((line) => line.split(':')[0]),
    ['bench/README.md', 'mcp/server/README.md', 'runtime/README.md'],
  );
  assertTidy(rules.readmeFindings(paths));
});

test('a time option ends in Ms', () => {
  const bad = file(
    'mcp/options.ts',
    'interface Options {\n  readonly timeout?: number;\n  readonly periodMs: number;\n}\n',
  );
  assert.match(rules.unitFindings([bad]).join(), /^mcp\/options\.ts:2 timeout is a time without a unit/);
  assertTidy(rules.unitFindings(sources));
});

test('tests await what they assert, leave none out, and do not sleep', () => {
  const bad = file(
    'test/bad.test.ts',
    [
      "test.only('a', async () => {",
      '  assert.rejects(f());',
      '  await assert.rejects(f());',
      '  await new Promise((done) => setTimeout(done, 5));',
      '});',
    ].join('\n'),
  );
  const lines = rules.testFindings([bad]).map((line) => Number(/:(\d+) /.exec(line)?.[1]));
  assert.deepEqual(lines.sort(), [1, 2, 4]);
  assertTidy(rules.testFindings(sources));
});

test('no error is swallowed without a word', () => {
  const bad = file('mcp/a.ts', 'try {\n  f();\n} catch {}\n');
  assert.match(rules.swallowFindings([bad]).join(), /^mcp\/a\.ts:3 swallows an error/);
  assert.deepEqual(rules.swallowFindings([file('mcp/a.ts', 'try { f(); } catch { /* gone already */ }')]), []);
  assertTidy(rules.swallowFindings(sources));
});

test('what is public is documented where it is declared', () => {
  const entry = file('mcp/index.ts', "export { a, type B } from './a.ts';\nexport type { C } from './a.ts';\n");
  const silent = file('mcp/a.ts', '/** Says so. */\nexport const a = 1;\nexport type B = 1;\nexport interface C {}\n');
  assert.deepEqual(
    rules.docstringFindings([entry, silent], ['mcp/index.ts']).map((line) => line.split(' ').slice(0, 3).join(' ')),
    ['mcp/a.ts:3 makes B', 'mcp/a.ts:4 makes C'],
  );
  const entries = Object.values(packageJson().exports).flatMap((path) => (path === undefined ? [] : [sourceOf(path)]));
  assertTidy(rules.docstringFindings(sources, entries));
});

test('dependencies are pinned, and the lock file names no registry', () => {
  const manifest = '{ "dependencies": { "ajv": "8.20.0", "pino": "^10.0.0" } }';
  const lock = '{\n  "resolved": "https://registry.example/pino.tgz"\n}';
  assert.deepEqual(
    rules.dependencyFindings(manifest, lock).map((line) => line.split(' ')[0]),
    ['package.json:1', 'package-lock.json:2'],
  );
  assertTidy(rules.dependencyFindings(readText('package.json'), readText('package-lock.json')));
});
