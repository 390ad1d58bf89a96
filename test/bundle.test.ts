/** The few files that are published, against the many of which they are made. */

import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Command } from './support/mcp-command.ts';
import { buildFolder, has, packageJson, root } from './support/repository.ts';

/** Below the root, so that packages are found from there. */
const bundled = join(root, '.cache', 'bundle-test');

const urlOf = (folder: string, path: string): string => pathToFileURL(join(folder, path)).href;
const importFrom = async (folder: string, path: string): Promise<Record<string, any>> =>
  (await import(urlOf(folder, path))) as Record<string, any>;

before(async () => {
  rmSync(bundled, { recursive: true, force: true });
  const { bundle } = (await import(urlOf(root, 'bundle.js'))) as { bundle(from: string, to: string): Promise<void> };
  await bundle(buildFolder, bundled);
});

const publicFiles = Object.values(packageJson().exports)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.replace('./dist/', ''));

test('every public file exports what it does as it was compiled', async () => {
  assert.ok(publicFiles.length > 10);
  for (const file of publicFiles) {
    const [compiled, published] = [await importFrom(buildFolder, file), await importFrom(bundled, file)];
    assert.deepEqual(Object.keys(published), Object.keys(compiled), file);
    for (const [name, value] of Object.entries(published)) assert.equal(typeof value, typeof compiled[name], name);
  }
});

test('every behaviour is found at the place that it names, as is a server or a job of a user', async () => {
  const places = ['runtime', 'transports', 'mcp'].flatMap((layer) =>
    readdirSync(join(buildFolder, layer), { recursive: true })
      .map((path) => `${layer}/${String(path).split(sep).join('/')}`)
      // The folder may still hold what was compiled of sources that are gone.
      .filter((path) => path.endsWith('.js') && has(path.replace(/\.js$/, '.ts')))
      .filter((path) => readFileSync(join(buildFolder, path), 'utf8').includes('import.meta')),
  );
  const found: string[] = [];
  for (const path of places) {
    for (const [name, value] of Object.entries(await importFrom(bundled, path))) {
      if (typeof value?.module !== 'string' || typeof value.exportName !== 'string') continue;
      assert.equal(value.module, urlOf(bundled, path), name);
      assert.equal(value.exportName, name);
      found.push(name);
    }
  }
  for (const name of ['WorkRunner', 'HttpConnection', 'AgentServer', 'RegistryServer']) {
    assert.ok(found.includes(name), `${name} is among ${found.join(', ')}`);
  }
});

test('what a program does not use is not loaded by its first import', () => {
  const imports = (file: string): string[] =>
    [...readFileSync(join(bundled, file), 'utf8').matchAll(/^(?:import|export)[^'"]*["']([^'"]+)["']/gm)]
      .map(([, specifier]) => specifier as string)
      .filter((specifier) => !specifier.startsWith('node:'));
  const packages = (file: string): string[] => {
    const [files, found] = [new Set([file]), new Set<string>()];
    for (const each of files) {
      for (const specifier of imports(each)) {
        if (specifier.startsWith('.')) files.add(posix.join(posix.dirname(each), specifier));
        else found.add(specifier);
      }
    }
    return [...found];
  };
  assert.deepEqual(packages('chunks/kernel.js'), []);
  assert.deepEqual(packages('runtime/thread/worker-entry.js'), ['msgpackr/pack']);
  assert.deepEqual(packages('chunks/serve.js'), []);
  assert.deepEqual(packages('chunks/compute.js'), ['piscina']);
  assert.deepEqual([...new Set(imports('bin/beamish.js'))], ['../chunks/arguments.js']);
  assert.ok(!existsSync(join(bundled, 'runtime/kernel/kernel.js')), 'what has no address is in the bundle alone');
});

test('the published command serves, and the code of the server has a worker thread to end', async (t) => {
  cpSync(join(buildFolder, 'examples'), join(bundled, 'examples'), { recursive: true });
  const module = join(bundled, 'examples', 'demo-server.js');
  const command = new Command(t, ['serve', module, '--stdio'], { file: join(bundled, 'bin', 'beamish.js') });
  const client = command.stream();
  await client.open();
  const textOf = ({ result, error }: any): string => result?.content[0].text ?? JSON.stringify(error);
  assert.equal(textOf(await client.tool('echo', { text: 'here' })), 'here');
  assert.match(textOf(await client.tool('throwsLater')), /failed|crash|error/i);
  assert.equal(textOf(await client.tool('echo', { text: 'still here' })), 'still here');
  command.child.stdin.end();
  assert.equal((await command.ended).code, 0, command.stderr);
});
