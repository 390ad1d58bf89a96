import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MessageRoute, type Pin, routePost, routeStream, routeVerb } from '../../mcp/era.ts';
import {
  HEADER_MISMATCH,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../mcp/errors.ts';
import { parseMessage } from '../../mcp/json-rpc.ts';
import { MCP_LIMITS } from '../../mcp/limits.ts';

const versionKey = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

function envelope(version: unknown = '2026-07-28'): Record<string, unknown> {
  return { [versionKey]: version, [capabilitiesKey]: {} };
}

function request(method: string, params?: object, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method, params };
}

const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
const response = { jsonrpc: '2.0', id: 1, result: {} };
const initialize = request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} });
const modern = { 'mcp-protocol-version': '2026-07-28' };
const modernList = { ...modern, 'mcp-method': 'tools/list' };
const session = { 'mcp-session-id': 's1' };

function post(body: unknown, headers: Record<string, string> = {}): MessageRoute {
  return routePost(parseMessage(typeof body === 'string' ? body : JSON.stringify(body)), headers, MCP_LIMITS);
}

/** The route in one word, or the refusal as `status code id`. */
function told(route: ReturnType<typeof routeVerb> | MessageRoute): string {
  if (route.kind === 'refused') return `${route.status} ${route.error.code} ${route.id ?? '-'}`;
  return route.kind === 'sessions' && route.opens ? 'opens' : route.kind;
}

test('POST: a request that names the stateless revision is stateless, whatever session it names besides', () => {
  const listed = request('tools/list', { _meta: envelope() });
  const route = post(listed, { ...modernList, ...session, 'last-event-id': '7' });
  assert.equal(route.kind, 'stateless');
  assert.ok(route.kind === 'stateless');
  assert.equal(route.revision.version, '2026-07-28');
  assert.deepEqual(route.envelope, { version: '2026-07-28', clientCapabilities: {} });
  assert.equal(
    told(post(request('initialize', { _meta: envelope() }), { ...modern, 'mcp-method': 'initialize' })),
    'stateless',
  );
});

test('POST: the ladder of refusals, the first wins', () => {
  const list = (meta: unknown): object => request('tools/list', { _meta: meta });
  const cases: readonly [string, unknown, Record<string, string>, string][] = [
    ['no JSON', '{', modern, `400 ${PARSE_ERROR} -`],
    ['no message', '42', {}, `400 ${INVALID_REQUEST} -`],
    ['no method', { jsonrpc: '2.0', id: 5 }, modern, `400 ${INVALID_REQUEST} 5`],
    ['a batch', [list(envelope())], modern, `400 ${INVALID_REQUEST} -`],
    ['a batch that only claims', [notification, list(envelope())], session, `400 ${INVALID_REQUEST} -`],
    ['a response', response, modern, `400 ${INVALID_REQUEST} -`],
    ['no _meta', request('tools/list'), modernList, `400 ${INVALID_PARAMS} 1`],
    ['params of an array', request('tools/list', []), modernList, `400 ${INVALID_PARAMS} 1`],
    ['no version in _meta', list({ [capabilitiesKey]: {} }), modernList, `400 ${INVALID_PARAMS} 1`],
    ['a version of another type', list(envelope(7)), modernList, `400 ${INVALID_PARAMS} 1`],
    ['a version of null', list(envelope(null)), modernList, `400 ${INVALID_PARAMS} 1`],
    ['no capabilities', list({ [versionKey]: '2026-07-28' }), modernList, `400 ${INVALID_PARAMS} 1`],
    ['header and body differ', list(envelope('v999')), modernList, `400 ${HEADER_MISMATCH} 1`],
    ['old header, new body', list(envelope()), { 'mcp-protocol-version': '2025-11-25' }, `400 ${HEADER_MISMATCH} 1`],
    ['new header, old body', list(envelope('2025-11-25')), modernList, `400 ${HEADER_MISMATCH} 1`],
    [
      'an unknown version',
      list(envelope('v9')),
      { 'mcp-protocol-version': 'v9' },
      `400 ${UNSUPPORTED_PROTOCOL_VERSION} 1`,
    ],
    ['an unknown version, no header', list(envelope('v9')), {}, `400 ${UNSUPPORTED_PROTOCOL_VERSION} 1`],
    ['no version header', list(envelope()), { 'mcp-method': 'tools/list' }, `400 ${HEADER_MISMATCH} 1`],
    ['no method header', list(envelope()), modern, `400 ${HEADER_MISMATCH} 1`],
    ['another method header', list(envelope()), { ...modern, 'mcp-method': 'tools/call' }, `400 ${HEADER_MISMATCH} 1`],
    ['a bad envelope before a bad header', list({ [versionKey]: '2026-07-28' }), modern, `400 ${INVALID_PARAMS} 1`],
  ];
  for (const [name, body, headers, expected] of cases) assert.equal(told(post(body, headers)), expected, name);
});

test('POST: -32022 says what is served, and what was asked for', () => {
  const route = post(request('server/discover', { _meta: envelope('v999.0.0') }), {
    'mcp-protocol-version': 'v999.0.0',
  });
  assert.ok(route.kind === 'refused');
  assert.deepEqual(route.error.data, {
    supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    requested: 'v999.0.0',
  });
});

test('POST: everything that claims nothing belongs to a session, which it must name unless it opens one', () => {
  const legacy = { ...session, 'mcp-protocol-version': '2025-11-25' };
  assert.equal(told(post(initialize)), 'opens');
  assert.equal(
    told(post(initialize, { 'mcp-protocol-version': 'v999' })),
    'opens',
    'the version is yet to be agreed on',
  );
  assert.equal(told(post(request('tools/list'), legacy)), 'sessions');
  assert.equal(told(post(request('tools/list'), session)), 'sessions', 'without a version');
  assert.equal(told(post(request('tools/list', { _meta: envelope('2025-11-25') }), legacy)), 'sessions');
  assert.equal(told(post(notification, session)), 'sessions');
  assert.equal(told(post(response, session)), 'sessions');
  assert.equal(told(post([request('ping'), notification], session)), 'sessions');
  assert.equal(told(post(request('tools/list', undefined, 'x'))), `400 ${INVALID_REQUEST} x`);
  assert.equal(told(post(notification)), `400 ${INVALID_REQUEST} -`);
  assert.equal(told(post([initialize])), `400 ${INVALID_REQUEST} -`, 'no session is opened in a batch');
  const unknown = { ...session, 'mcp-protocol-version': '1999-01-01' };
  assert.equal(told(post(request('ping'), unknown)), `400 ${UNSUPPORTED_PROTOCOL_VERSION} 1`);
  assert.equal(told(post(request('ping'), { 'mcp-session-id': 'a b' })), `400 ${INVALID_REQUEST} 1`);
  const route = post(request('ping'), session);
  assert.equal(route.kind === 'sessions' && route.sessionId, 's1');
});

test('POST: notifications are of the era of their header, and a wrong method header is refused', () => {
  assert.equal(told(post(notification, modern)), 'stateless');
  assert.equal(told(post(notification, { ...modern, 'mcp-method': 'notifications/cancelled' })), 'stateless');
  assert.equal(told(post(notification, modernList)), `400 ${HEADER_MISMATCH} -`);
  const claiming = { ...notification, params: { _meta: { [versionKey]: '2026-07-28' } } };
  assert.equal(told(post(claiming)), 'stateless');
  assert.equal(told(post({ ...claiming, params: { _meta: { [versionKey]: 5 } } })), `400 ${INVALID_PARAMS} -`);
});

test('GET and DELETE are of sessions; the stateless revision has only POST', () => {
  assert.deepEqual(routeVerb('GET', session, MCP_LIMITS), { kind: 'listen', sessionId: 's1' });
  assert.deepEqual(routeVerb('DELETE', { ...session, 'mcp-protocol-version': '2025-11-25' }, MCP_LIMITS), {
    kind: 'end',
    sessionId: 's1',
  });
  assert.equal(told(routeVerb('GET', {}, MCP_LIMITS)), `400 ${INVALID_REQUEST} -`);
  assert.equal(told(routeVerb('DELETE', { 'mcp-session-id': 'é' }, MCP_LIMITS)), `400 ${INVALID_REQUEST} -`);
  const unknown = { ...session, 'mcp-protocol-version': 'v9' };
  assert.equal(told(routeVerb('GET', unknown, MCP_LIMITS)), `400 ${UNSUPPORTED_PROTOCOL_VERSION} -`);
  const refused = routeVerb('GET', { ...session, ...modern }, MCP_LIMITS);
  assert.equal(told(refused), `405 ${METHOD_NOT_FOUND} -`);
  assert.equal(refused.kind === 'refused' && refused.allow, 'POST');
});

/** Sends messages on one stream; what became of each, and the pin after it. */
function stream(...bodies: unknown[]): string[] {
  let pin: Pin;
  return bodies.map((body) => {
    const routed = routeStream(parseMessage(typeof body === 'string' ? body : JSON.stringify(body)), pin);
    pin = routed.pin;
    return `${told(routed.route)} / ${pin ?? 'open'}`;
  });
}

test('a stream is stateless from its first request with an envelope on', () => {
  const enveloped = request('tools/list', { _meta: envelope() });
  assert.deepEqual(stream(enveloped, notification, request('tools/list'), initialize, response, [enveloped], '{'), [
    'stateless / stateless',
    'stateless / stateless',
    `400 ${INVALID_PARAMS} 1 / stateless`,
    `400 ${UNSUPPORTED_PROTOCOL_VERSION} 1 / stateless`,
    `400 ${INVALID_REQUEST} - / stateless`,
    `400 ${INVALID_REQUEST} - / stateless`,
    `400 ${PARSE_ERROR} - / stateless`,
  ]);
  const { route } = routeStream(parseMessage(JSON.stringify(response)), 'stateless');
  assert.equal(route.kind === 'refused' && route.reply, false, 'an answer is not answered');
  const late = routeStream(parseMessage(JSON.stringify(initialize)), 'stateless').route;
  assert.deepEqual(late.kind === 'refused' && late.error.data, {
    supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    requested: '2025-11-25',
  });
});

test('a stream is one session from its initialize on', () => {
  const enveloped = request('tools/list', { _meta: envelope() });
  assert.deepEqual(stream(initialize, notification, request('ping'), enveloped, response, [notification], initialize), [
    'opens / sessions',
    'sessions / sessions',
    'sessions / sessions',
    'sessions / sessions',
    'sessions / sessions',
    'sessions / sessions',
    'opens / sessions',
  ]);
});

test('a probe, a refusal and what comes before initialize leave a stream open', () => {
  const probe = request('server/discover', { _meta: envelope() });
  assert.deepEqual(stream(probe, initialize), ['stateless / open', 'opens / sessions']);
  assert.deepEqual(stream(probe, request('tools/list', { _meta: envelope() })), [
    'stateless / open',
    'stateless / stateless',
  ]);
  assert.deepEqual(stream(request('server/discover', { _meta: envelope('2099-01-01') }), initialize), [
    `400 ${UNSUPPORTED_PROTOCOL_VERSION} 1 / open`,
    'opens / sessions',
  ]);
  assert.deepEqual(stream('{', '42', request('ping'), notification, response, [notification], initialize), [
    `400 ${PARSE_ERROR} - / open`,
    `400 ${INVALID_REQUEST} - / open`,
    'sessions / open',
    'sessions / open',
    'sessions / open',
    'sessions / open',
    'opens / sessions',
  ]);
});

const anyHeaders = fc.record(
  {
    'mcp-protocol-version': fc.constantFrom('2026-07-28', '2025-11-25', 'v9', ''),
    'mcp-session-id': fc.constantFrom('s1', '', 'a b'),
    'mcp-method': fc.constantFrom('tools/list', 'initialize', 'x'),
    'mcp-name': fc.constantFrom('a', '=?base64?YQ==?='),
  },
  { requiredKeys: [] },
);
const anyVersion = fc.constantFrom<unknown>('2026-07-28', '2025-11-25', 'v9', '', 5, null, {}, 'constructor');
const anyMeta = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<unknown>(null, 5, []),
  fc.record({ [versionKey]: anyVersion, [capabilitiesKey]: fc.constantFrom<unknown>({}, [], 5) }, { requiredKeys: [] }),
);
const anyMessage = fc.record({
  jsonrpc: fc.constant('2.0'),
  id: fc.constantFrom<unknown>(1, 'a', undefined),
  method: fc.constantFrom('tools/list', 'initialize', 'server/discover', 'notifications/cancelled', '__proto__'),
  params: anyMeta.map((_meta) => ({ _meta })),
});

test('property: a stateless request has an envelope of a stateless revision, and over HTTP its headers agree', () => {
  fc.assert(
    fc.property(anyMessage, anyHeaders, (body, headers) => {
      const route = post(body, headers as Record<string, string>);
      if (route.kind === 'refused') {
        assert.ok(route.status === 400 && route.error.message !== '');
        assert.equal(route.id, body.id);
      } else if (route.kind === 'stateless' && route.message.kind === 'request') {
        assert.equal(route.envelope?.version, headers['mcp-protocol-version']);
        assert.equal(route.message.method, headers['mcp-method']);
        assert.equal(route.revision.era, 'stateless');
      } else if (route.kind === 'sessions' && !route.opens) {
        assert.equal(route.sessionId, 's1');
        assert.notEqual(headers['mcp-protocol-version'], '2026-07-28');
      }
    }),
    { numRuns: 2_000 },
  );
});

test('property: a stream never changes its mind', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyMessage, fc.constant(response), fc.constant(5))), (bodies) => {
      let pin: Pin;
      for (const body of bodies) {
        const routed = routeStream(parseMessage(JSON.stringify(body)), pin);
        if (pin !== undefined) {
          assert.equal(routed.pin, pin);
          if (routed.route.kind !== 'refused') assert.equal(routed.route.kind, pin);
        }
        pin = routed.pin;
      }
    }),
    { numRuns: 1_000 },
  );
});
