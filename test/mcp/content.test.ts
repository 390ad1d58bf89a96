import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  audio,
  content,
  embeddedResource,
  image,
  resourceLink,
  structured,
  text,
  toolError,
} from '../../mcp/content.ts';

test('each builder makes a result of one block', () => {
  assert.deepEqual(text('a', { annotations: { priority: 1 } }), {
    content: [{ type: 'text', text: 'a', annotations: { priority: 1 } }],
  });
  const view = new Uint8Array([9, 1, 2, 3]).subarray(1);
  assert.deepEqual(image(view, 'image/png'), { content: [{ type: 'image', data: 'AQID', mimeType: 'image/png' }] });
  assert.deepEqual(audio('AQID', 'audio/wav'), { content: [{ type: 'audio', data: 'AQID', mimeType: 'audio/wav' }] });
  assert.deepEqual(embeddedResource({ uri: 'test://a', text: 't' }), {
    content: [{ type: 'resource', resource: { uri: 'test://a', text: 't' } }],
  });
  assert.deepEqual(resourceLink({ uri: 'test://a', name: 'a' }), {
    content: [{ type: 'resource_link', uri: 'test://a', name: 'a' }],
  });
  assert.deepEqual(toolError('no'), { content: [{ type: 'text', text: 'no' }], isError: true });
});

test('several results become one, in order', () => {
  assert.deepEqual(
    content([text('a'), image('AQID', 'image/png'), text('b')]).content.map(({ type }) => type),
    ['text', 'image', 'text'],
  );
});

test('a structured value has a text copy, its own or that of the caller', () => {
  assert.deepEqual(structured({ a: 1 }), { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } });
  assert.deepEqual(structured([1], text('one')), { content: [{ type: 'text', text: 'one' }], structuredContent: [1] });
});
