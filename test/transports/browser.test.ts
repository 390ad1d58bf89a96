/** What a page may do: a real browser at our servers, by its own WebSocket, fetch and EventSource. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { mcpNode, mcpServer, text, tool } from '../../mcp/index.ts';
import { startSystem } from '../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../transports/http/index.ts';
import { sse, sseListenerName } from '../../transports/sse/index.ts';
import { webSocket, webSocketListenerName } from '../../transports/websocket/index.ts';
import { Chromium, chromiumOrSkip } from '../support/chromium.ts';

const server = mcpServer('browsed', {
  info: { name: 'browsed', version: '1.0.0' },
  tools: {
    echo: tool(
      {
        description: 'Says it back.',
        input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      },
      async (args, ctx) => {
        ctx.progress(1, 1);
        return text(`${args.text}!`);
      },
    ),
  },
});

/** An origin of its own, with a page that does nothing. */
async function pageOrigin(t: TestContext): Promise<string> {
  const pages = http.createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>');
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  t.after(() => pages.close());
  t.after(() => pages.closeAllConnections());
  return `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
}

/** What every page has: a session's first message, and the messages that come after it. */
const common = `
  const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {
    protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } } };
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {
    name: 'echo', arguments: { text: 'grüße aus dem browser' }, _meta: { progressToken: 'p' } } };
`;

const overWebSocket = (url: string): string => `new Promise((resolve) => {
  ${common}
  const socket = new WebSocket(${JSON.stringify(url)}, 'mcp');
  const messages = [];
  socket.onopen = () => socket.send(JSON.stringify(initialize));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    messages.push(message);
    if (message.id === 0) for (const next of [initialized, call]) socket.send(JSON.stringify(next));
    if (message.id === 1) socket.close(1000);
  };
  socket.onclose = ({ code }) => resolve({ code, protocol: socket.protocol, messages });
})`;

const overFetch = (url: string): string => `(async () => {
  ${common}
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const post = (message, more) => fetch(${JSON.stringify(url)}, {
    method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(message) });
  try {
    const opened = await post(initialize);
    const more = { 'mcp-session-id': opened.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' };
    const first = await opened.json();
    const accepted = await post(initialized, more);
    const answered = await post(call, more);
    const type = answered.headers.get('content-type');
    const events = await answered.text();
    const removed = await fetch(${JSON.stringify(url)}, { method: 'DELETE', headers: more });
    return { name: first.result.serverInfo.name, statuses: [accepted.status, removed.status], type, events };
  } catch (error) {
    return { error: error.name };
  }
})()`;

const overEventSource = (url: string): string => `new Promise((resolve) => {
  ${common}
  const source = new EventSource(${JSON.stringify(url)});
  const messages = [];
  let endpoint;
  const post = (message) => fetch(endpoint, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(message),
  }).catch((error) => resolve({ error: error.name }));
  source.addEventListener('endpoint', ({ data }) => {
    endpoint = new URL(data, ${JSON.stringify(url)}).href;
    void post(initialize);
  });
  source.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    messages.push(message);
    if (message.id === 0) {
      await post(initialized);
      await post(call);
    }
    if (message.id === 1) {
      source.close();
      resolve({ messages });
    }
  };
  source.onerror = () => {
    source.close();
    resolve({ error: 'refused' });
  };
})`;

const said = [{ type: 'text', text: 'grüße aus dem browser!' }];

function expectCall(messages: readonly any[]): void {
  const progress = messages.filter(({ method }) => method === 'notifications/progress');
  assert.deepEqual(
    progress.map(({ params }) => params.progressToken),
    ['p'],
  );
  assert.deepEqual(messages.at(-1).result.content, said);
}

test('a page of a listed origin speaks WebSocket, Streamable HTTP and HTTP+SSE; one of another does not', async (t) => {
  const program = chromiumOrSkip(t);
  if (program === undefined) return;
  const [listed, other] = [await pageOrigin(t), await pageOrigin(t)];
  const at = { port: 0, allowedOrigins: [listed] };
  const transports = [streamableHttp(at), webSocket(at), sse(at)];
  const system = await startSystem({ children: [mcpNode('mcp', { servers: [server], transports })] });
  t.after(() => system.stop());
  const [{ url }, socket, events] = await Promise.all([
    system.call(listenerName('http'), 'address'),
    system.call(webSocketListenerName(), 'address'),
    system.call(sseListenerName(), 'address'),
  ]);
  const browser = await Chromium.start(program);
  t.after(() => browser.close());

  const page = await browser.open(listed);
  const { code, protocol, messages } = await page(overWebSocket(socket.url));
  assert.deepEqual([code, protocol], [1000, 'mcp']);
  expectCall(messages);

  const answered = await page(overFetch(url));
  assert.deepEqual([answered.name, answered.statuses, answered.type], ['browsed', [202, 204], 'text/event-stream']);
  const datas = answered.events.split('\n').filter((line: string) => line.startsWith('data: {'));
  expectCall(datas.map((line: string) => JSON.parse(line.slice('data: '.length))));

  expectCall((await page(overEventSource(events.url))).messages);

  const stranger = await browser.open(other);
  assert.deepEqual(await stranger(overWebSocket(socket.url)), { code: 1006, protocol: '', messages: [] });
  assert.deepEqual(await stranger(overFetch(url)), { error: 'TypeError' });
  assert.deepEqual(await stranger(overEventSource(events.url)), { error: 'refused' });
});
