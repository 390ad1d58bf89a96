/**
 * The documentation is true: its commands exist, its TypeScript compiles against the built package, and the blocks
 * marked `ts run` run to their end.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeBlocks, commandFindings, compile, writeProject } from './support/documentation.ts';
import { readSources, readText } from './support/repository.ts';

const documents = readSources('.md');
/** Where a `ts` block is a promise to the reader. Elsewhere a block may be a sketch. */
const promised = documents.filter(({ path }) => path === 'README.md' || /^docs\/[\w-]+\.md$/.test(path));

test('the README shows a program that runs', () => {
  const runs = codeBlocks(readText('README.md')).filter(({ info }) => info[0] === 'ts' && info[1] === 'run');
  assert.notEqual(runs.length, 0, 'mark the first example of README.md as ```ts run');
});

test('commands in the documentation exist', () => {
  const bad = '```sh\nnpm run nothing-like-it\nnpx no-such-tool\nnode dist/bin/none.js\n```\n';
  assert.equal(commandFindings('README.md', bad).length, 3);
  const findings = documents.flatMap(({ path, text }) => commandFindings(path, text));
  assert.deepEqual(findings, []);
});

test('a block that does not compile is found', () => {
  const blocks = codeBlocks("```ts\n// a.ts\nexport const a: number = 'text';\n```\n");
  assert.match(compile(writeProject('self-test', blocks)), /a\.ts.*TS2322/);
});

for (const { path, text } of promised) {
  const blocks = codeBlocks(text).filter(({ info }) => info[0] === 'ts');
  if (blocks.length === 0) continue;
  test(`${path}: its TypeScript compiles, and runs where it says so`, () => {
    const project = writeProject(path.replace(/\W/g, '-'), blocks);
    assert.equal(compile(project), '', `see ${path}`);
    for (const { name, block } of project.files.filter((file) => file.block.info[1] === 'run')) {
      const run = spawnSync(process.execPath, [join(project.folder, 'out', `${name}.js`)], { encoding: 'utf8' });
      assert.equal(run.status, 0, `${path}:${block.line}\n${run.stdout}${run.stderr}`);
    }
  });
}
