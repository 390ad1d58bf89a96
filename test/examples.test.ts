/** Every example works as printed: a program runs to its end and asserts on the way; a server module can be served. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { builtPath, readSources, root } from './support/repository.ts';
import { serveModule } from './support/served-module.ts';

/** An example is read in one sitting. */
const maxLines = 60;

const examples = readSources('.ts').filter(({ path }) => path.startsWith('examples/'));

test('there are examples', () => {
  assert.notEqual(examples.length, 0);
});

for (const { path, text } of examples) {
  test(`${path} fits on a page`, () => {
    const lines = text.trimEnd().split('\n').length;
    assert.ok(lines <= maxLines, `${path} has ${lines} lines, the limit is ${maxLines}`);
  });

  if (/^export default /m.test(text)) {
    test(`${path} can be served, listed and stopped`, async () => {
      const server = await serveModule(builtPath(path));
      let tools: unknown[];
      try {
        tools = await listTools(server.url);
      } finally {
        assert.equal(await server.stop(), 0, 'beamish serve ends with 0 when it is asked to');
      }
      assert.notEqual(tools.length, 0);
    });
  } else {
    test(`${path} runs to its end`, () => {
      assert.match(text, /\bassert\b/, `${path} checks nothing: let it assert what it shows`);
      const run = spawnSync(process.execPath, [builtPath(path)], { cwd: root, encoding: 'utf8' });
      assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    });
  }
}

/** tools/list as a 2026-07-28 client asks for it. */
async function listTools(url: string): Promise<unknown[]> {
  const version = '2026-07-28';
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': version,
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  const answer = (await response.json()) as { result?: { tools?: unknown[] } };
  assert.ok(answer.result?.tools, JSON.stringify(answer));
  return answer.result.tools;
}
