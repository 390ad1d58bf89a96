import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../../mcp/content.ts';
import { prompt } from '../../../mcp/prompt.ts';
import { resource, resourceTemplate } from '../../../mcp/resource.ts';
import { isMcpServer, mcpServer, type ServerSpec } from '../../../mcp/server/definition.ts';
import { type Tool, type ToolSpec, tool } from '../../../mcp/tool.ts';

const info = { name: 'n', version: '1' };
const input = { type: 'object' } as const;

const toolOf = (changes: Partial<Record<keyof ToolSpec, unknown>> = {}): Tool =>
  tool({ description: 'd', input, ...changes } as ToolSpec, () => text(''));

function refuses(spec: unknown, code: string, message: RegExp, name = 's'): void {
  assert.throws(() => mcpServer(name, spec as ServerSpec), { name: 'DefinitionError', code, message });
}

test('a definition keeps what was written, in order, and nothing of it changes', () => {
  const icons = [{ src: 'https://example.com/a.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' as const }];
  const annotations = { title: 'T', readOnlyHint: true };
  const given = {
    b: toolOf({ title: 'B', icons, annotations, _meta: { 'x/y': [1] }, timeoutMs: 5 }),
    a: toolOf({ output: { type: 'array' } }),
  };
  const server = mcpServer('s', { info: { ...info, title: 'N', icons }, instructions: 'use it', tools: given });
  assert.equal(server.name, 's');
  assert.deepEqual(server.info, { ...info, title: 'N', icons });
  assert.equal(server.instructions, 'use it');
  assert.deepEqual([...server.tools.keys()], ['b', 'a']);
  const b = server.tools.get('b');
  assert.deepEqual(b?.announced, { title: 'B', description: 'd', annotations, icons, _meta: { 'x/y': [1] } });
  assert.equal(b?.timeoutMs, 5);
  assert.equal(server.tools.get('a')?.timeoutMs, undefined);
  assert.deepEqual(server.tools.get('a')?.output?.schema, { type: 'array' });
  annotations.readOnlyHint = false;
  icons[0]!.sizes.push('any');
  assert.equal(b?.announced.annotations?.readOnlyHint, true);
  assert.deepEqual(b?.announced.icons?.[0]?.sizes, ['48x48']);
  for (const part of [server, server.info, b, b?.announced, b?.announced.annotations]) assert.ok(Object.isFrozen(part));
});

test('a server is known by its mark', () => {
  assert.equal(isMcpServer(mcpServer('s', { info })), true);
  for (const other of [null, undefined, 5, {}, { name: 's', tools: new Map() }])
    assert.equal(isMcpServer(other), false);
});

test('names that Object.prototype has are names like others', () => {
  const tools = Object.fromEntries([
    ['constructor', toolOf()],
    ['toString', toolOf()],
  ]);
  const server = mcpServer('s', { info, tools });
  assert.equal(server.tools.size, 2);
  assert.equal(server.tools.get('valueOf'), undefined);
  refuses({ info, tools: JSON.parse('{"__proto__":{}}') }, 'ERR_TOOL', /tool "__proto__": define it with tool/);
});

test('a server that cannot be used says what is wrong with it', () => {
  for (const name of ['', 'a b', 'a/b', 'é', 'x'.repeat(65)]) refuses({ info }, 'ERR_SERVER', /server name/, name);
  refuses(undefined, 'ERR_SERVER', /server "s": the second argument must be an object/);
  refuses({}, 'ERR_SERVER', /info must be \{ name, version/);
  refuses({ info: { name: 'n' } }, 'ERR_SERVER', /server "s": info.version must be a text/);
  refuses({ info: { name: ' ', version: '1' } }, 'ERR_SERVER', /info.name must be a text that is not empty/);
  refuses({ info: { ...info, websiteUrl: 5 } }, 'ERR_SERVER', /info.websiteUrl must be a text/);
  refuses({ info: { ...info, icons: {} } }, 'ERR_SERVER', /info.icons must be an array/);
  refuses({ info, instructions: '' }, 'ERR_SERVER', /instructions must be a text/);
  refuses({ info, tools: [toolOf()] }, 'ERR_SERVER', /tools must be an object of tools by name/);
});

test('a tool that cannot be used says which it is and what is wrong with it', () => {
  const bad = (changes: Partial<Record<keyof ToolSpec, unknown>>, code: string, message: RegExp): void =>
    refuses({ info, tools: { t: toolOf(changes) } }, code, new RegExp(`server "s", tool "t": ${message.source}`));
  for (const name of ['', 'a b', 'a/b', 'x'.repeat(129)]) {
    refuses({ info, tools: { [name]: toolOf() } }, 'ERR_TOOL', /a tool name has 1 to 128 of/);
  }
  refuses({ info, tools: { t: {} } }, 'ERR_TOOL', /tool "t": define it with tool\(spec, run\)/);
  refuses({ info, tools: { t: null } }, 'ERR_TOOL', /define it with/);
  bad({ description: undefined }, 'ERR_TOOL', /description must be a text/);
  bad({ description: '  ' }, 'ERR_TOOL', /description must be a text/);
  bad({ title: 5 }, 'ERR_TOOL', /title must be a text/);
  for (const timeoutMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
    bad({ timeoutMs }, 'ERR_TOOL', /timeoutMs must be a positive whole number of milliseconds/);
  }
  bad(
    { annotations: { readOnly: true } },
    'ERR_TOOL',
    /annotations.readOnly is unknown; there are title, readOnlyHint/,
  );
  bad({ annotations: { readOnlyHint: 'yes' } }, 'ERR_TOOL', /annotations.readOnlyHint must be true or false/);
  bad({ annotations: [] }, 'ERR_TOOL', /annotations must be an object/);
  for (const src of ['http://example.com/a.png', 'javascript:alert(1)', 'file:///a', 'a.png', 5, undefined]) {
    bad({ icons: [{ src }] }, 'ERR_TOOL', /icons\[0\].src must be a https: or data: URI/);
  }
  bad({ icons: [{ src: 'data:,', sizes: '48x48' }] }, 'ERR_TOOL', /icons\[0\].sizes/);
  bad({ icons: [{ src: 'data:,', theme: 'blue' }] }, 'ERR_TOOL', /icons\[0\].theme/);
  bad({ input: undefined }, 'ERR_SCHEMA', /input: must be a JSON Schema object/);
  bad({ input: {} }, 'ERR_SCHEMA', /input at \/type: must be 'object'/);
  bad({ input: { type: 'array' } }, 'ERR_SCHEMA', /input at \/type: must be 'object'/);
  bad({ input: { type: 'object', properties: { a: { type: 'x' } } } }, 'ERR_SCHEMA', /input at \/properties\/a\/type:/);
  bad({ output: { type: 'x' } }, 'ERR_SCHEMA', /output at \/type/);
  const annotated = { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } };
  bad({ input: annotated }, 'ERR_SCHEMA', /input at \/properties\/a\/x-mcp-header/);
});

test('a resource or a template that cannot be used says what is wrong with it', () => {
  const one = (spec: object, uri = 'a://b'): object => ({ info, resources: { [uri]: resource(spec, () => '') } });
  const wrong: readonly [object, RegExp][] = [
    [one({}, 'no uri'), /resource "no uri": a resource has an absolute URI/],
    [{ info, resources: { 'a://b': {} } }, /resource "a:\/\/b": define it with resource/],
    [one({ name: '' }), /name must be a text/],
    [one({ size: -1 }), /size must be a whole number of bytes, not -1/],
    [one({ ttlMs: 0.5 }), /ttlMs must be a whole number/],
    [one({ cacheScope: 'all' }), /cacheScope must be/],
    [one({ timeoutMs: 0 }), /timeoutMs must be a positive/],
    [one({ annotations: { audience: ['model'] } }), /annotations.audience must be/],
    [one({ annotations: { priority: 2 } }), /annotations.priority must be/],
    [one({ annotations: { weight: 2 } }), /annotations.weight is unknown/],
    [one({ icons: [{ src: 'http://x' }] }), /icons\[0\].src must be/],
    [one({ _meta: [] }), /_meta must be an object/],
  ];
  for (const [spec, message] of wrong) refuses(spec, 'ERR_RESOURCE', message);
  const template = (text: string, spec = {}, name = 't'): object => ({
    info,
    templates: { [name]: resourceTemplate(text, spec, () => '') },
  });
  refuses(template('a://{x}{y}'), 'ERR_RESOURCE', /template "t": URI template "a:\/\/{x}{y}": .*put a text/);
  refuses(template('a://{x}', {}, 'a b'), 'ERR_RESOURCE', /the name of a template has/);
  refuses(template('a://{x}', { complete: { y: () => [] } }), 'ERR_RESOURCE', /complete.y is for nothing; there are x/);
  refuses(template('a://{x}', { complete: { x: 5 } }), 'ERR_RESOURCE', /complete.x must be a function/);
  refuses({ info, resources: [] }, 'ERR_SERVER', /resources must be an object of resources by URI/);
  assert.throws(() => resource({}, 'x' as never), { code: 'ERR_RESOURCE', message: /read must be a function/ });
  assert.throws(() => resourceTemplate('a://{x}', {}, undefined as never), { code: 'ERR_RESOURCE' });
});

test('a prompt that cannot be used says what is wrong with it', () => {
  const one = (spec: object, name = 'p'): object => ({
    info,
    prompts: { [name]: prompt({ description: 'd', ...spec }, () => []) },
  });
  const wrong: readonly [object, RegExp][] = [
    [one({}, 'a b'), /prompt "a b": the name of a prompt has/],
    [{ info, prompts: { p: {} } }, /prompt "p": define it with prompt/],
    [one({ description: '' }), /prompt "p": description must be a text/],
    [one({ arguments: [] }), /arguments must be an object/],
    [one({ arguments: { 'a b': {} } }), /argument "a b": the name of an argument has/],
    [one({ arguments: { a: 5 } }), /argument "a": must be/],
    [one({ arguments: { a: { type: 'string' } } }), /argument "a": type is unknown; there are title, description/],
    [one({ arguments: { a: { required: 1 } } }), /required must be true or false/],
    [one({ arguments: { a: { complete: 1 } } }), /complete.a must be a function/],
  ];
  for (const [spec, message] of wrong) refuses(spec, 'ERR_PROMPT', message);
  assert.throws(() => prompt({ description: 'd' }, 5 as never), { code: 'ERR_PROMPT' });
});
