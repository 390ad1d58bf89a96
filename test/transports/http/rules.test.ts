import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isJsonType, parseAccept } from '../../../transports/http/accept.ts';
import { hostName, isLoopbackAddress, isLoopbackHost, isLoopbackOrigin } from '../../../transports/http/origin.ts';
import { type RequestHead, type RuleOptions, Rules } from '../../../transports/http/rules.ts';

const options: RuleOptions = {
  path: '/mcp',
  allowedHosts: undefined,
  allowedOrigins: undefined,
  messageBytesMax: 1_000,
  headersMax: 10,
  headerBytesMax: 16_384,
};

function head(headers: Record<string, string | undefined>, rest: Partial<RequestHead> = {}): RequestHead {
  const all = { host: 'localhost:3000', 'content-type': 'application/json', ...headers };
  return { method: 'POST', url: '/mcp', headers: all, rawHeaders: Object.entries(all).flat() as string[], ...rest };
}

function verdict(request: RequestHead, changes: Partial<RuleOptions> = {}, loopback = true): string {
  const refusal = new Rules({ ...options, ...changes }).check(request, loopback);
  return refusal === undefined ? 'ok' : `${refusal.status} ${refusal.reason}`;
}

test('a plain request passes', () => {
  assert.equal(verdict(head({})), 'ok');
});

test('only the path of the endpoint, with or without a query', () => {
  for (const url of ['/mcp', '/mcp?', '/mcp?a=/b']) assert.equal(verdict(head({}, { url })), 'ok', url);
  for (const url of ['/', '/mcp/', '/mcpx', '/MCP', '/x?/mcp', '//mcp', 'http://localhost/mcp', '', undefined]) {
    assert.equal(verdict(head({}, { url })), '404 not_found', url);
  }
});

test('only the methods of the protocol', () => {
  for (const method of ['POST', 'GET', 'DELETE']) assert.equal(verdict(head({}, { method })), 'ok', method);
  for (const method of ['PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'post', undefined]) {
    assert.equal(verdict(head({}, { method })), '405 method_not_allowed', method);
  }
});

describe('Host', () => {
  const hosts = {
    pass: ['localhost', 'localhost:1', 'LocalHost:3000', '127.0.0.1', '127.0.0.1:3000', '[::1]', '[::1]:3000'],
    fail: [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil@localhost',
      'localhost:',
      '::1',
      '',
      'localhost:3000:1',
      '127.0.0.2',
      '0.0.0.0',
      '[::1',
      'localhost/',
      undefined,
    ],
  };
  test('on a loopback address a name of the machine itself', () => {
    for (const host of hosts.pass) assert.equal(verdict(head({ host })), 'ok', host);
    for (const host of hosts.fail) assert.equal(verdict(head({ host })), '403 host_not_allowed', host);
  });
  test('on another address any name, unless allowedHosts lists them', () => {
    assert.equal(verdict(head({ host: 'mcp.example' }), {}, false), 'ok');
    const allowedHosts = ['mcp.example', 'Other.example:8080'];
    for (const [host, expected] of [
      ['mcp.example', 'ok'],
      ['MCP.example:99', 'ok'],
      ['other.example:8080', 'ok'],
      ['other.example', '403 host_not_allowed'],
      ['other.example:81', '403 host_not_allowed'],
      ['localhost', '403 host_not_allowed'],
      [undefined, '403 host_not_allowed'],
    ] as const) {
      for (const loopback of [true, false])
        assert.equal(verdict(head({ host }), { allowedHosts }, loopback), expected, host);
    }
  });
  test('a host that passed on another address does not pass on loopback', () => {
    const rules = new Rules(options);
    assert.equal(rules.check(head({ host: 'evil.example' }), false), undefined);
    assert.equal(rules.check(head({ host: 'evil.example' }), true)?.reason, 'host_not_allowed');
  });
});

describe('Origin', () => {
  test('on loopback, pages of the machine itself', () => {
    for (const origin of ['http://localhost', 'http://localhost:5173', 'https://127.0.0.1:8443', 'http://[::1]:3000']) {
      assert.equal(verdict(head({ origin })), 'ok', origin);
      assert.equal(verdict(head({ origin }), {}, false), '403 origin_not_allowed', origin);
    }
    for (const origin of [
      'https://evil.example',
      'null',
      '',
      'http://localhost.evil.example',
      'file://localhost',
      'localhost',
    ]) {
      assert.equal(verdict(head({ origin })), '403 origin_not_allowed', origin);
    }
  });
  test('with allowedOrigins those and no others', () => {
    const allowedOrigins = ['https://App.example'];
    for (const loopback of [true, false]) {
      assert.equal(verdict(head({ origin: 'https://app.example' }), { allowedOrigins }, loopback), 'ok');
      assert.equal(
        verdict(head({ origin: 'http://localhost' }), { allowedOrigins }, loopback),
        '403 origin_not_allowed',
      );
      assert.equal(verdict(head({}), { allowedOrigins }, loopback), 'ok');
    }
  });
  test('a preflight is answered for listed origins only', () => {
    const allowedOrigins = ['https://app.example'];
    const ask = {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, MCP-Protocol-Version, x-evil, mcp-param-city',
      'content-type': undefined,
    };
    const answer = new Rules({ ...options, allowedOrigins }).check(head(ask, { method: 'OPTIONS' }), true);
    assert.deepEqual(answer, {
      status: 204,
      reason: 'preflight',
      headers: [
        'Access-Control-Allow-Methods',
        'POST, GET, DELETE',
        'Access-Control-Allow-Headers',
        'content-type, mcp-protocol-version, mcp-param-city',
        'Access-Control-Max-Age',
        '600',
      ],
      body: '',
      close: false,
    });
    const unlisted = head({ ...ask, origin: 'http://localhost' }, { method: 'OPTIONS' });
    assert.equal(verdict(unlisted), '405 method_not_allowed');
    const noPreflight = head({ origin: ask.origin }, { method: 'OPTIONS' });
    assert.equal(verdict(noPreflight, { allowedOrigins }), '405 method_not_allowed');
  });
});

test('the body is JSON in UTF-8, uncompressed', () => {
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf8"']) {
    assert.ok(isJsonType(type), type);
    assert.equal(verdict(head({ 'content-type': type })), 'ok');
  }
  for (const type of ['text/plain', 'application/jsonp', 'application/json; charset=utf-16', '', undefined]) {
    assert.equal(isJsonType(type), false, type);
    assert.equal(verdict(head({ 'content-type': type })), '415 unsupported_media_type');
  }
  assert.equal(verdict(head({ 'content-encoding': 'gzip' })), '415 unsupported_content_encoding');
  assert.equal(verdict(head({ 'content-encoding': 'Identity' })), 'ok');
});

test('a length beyond the bound is refused before the body', () => {
  assert.equal(verdict(head({ 'content-length': '1000' })), 'ok');
  assert.equal(verdict(head({ 'content-length': '1001' })), '413 body_too_large');
});

test('more fields than the bound are refused', () => {
  const fields = (count: number): RequestHead => head({}, { rawHeaders: Array.from({ length: count * 2 }, () => 'x') });
  assert.equal(verdict(fields(10)), 'ok');
  assert.equal(verdict(fields(11)), '431 headers_too_large');
});

test('Accept', () => {
  for (const [header, json, stream] of [
    [undefined, true, true],
    ['*/*', true, true],
    ['application/json', true, false],
    ['text/event-stream', false, true],
    ['application/json, text/event-stream', true, true],
    ['APPLICATION/JSON;q=0.5 , Text/*', true, true],
    ['application/*;q=0.1', true, false],
    ['*/*, text/event-stream;q=0', true, false],
    ['application/json; q=0.000, */*;q=0.1', false, true],
    ['text/html', false, false],
    ['', false, false],
    ['application/json;q=0', false, false],
  ] as const) {
    assert.deepEqual(parseAccept(header), { json, stream }, header);
    assert.equal(verdict(head({ accept: header })), json || stream ? 'ok' : '406 not_acceptable', header);
    assert.equal(verdict(head({ accept: header }, { method: 'GET' })), stream ? 'ok' : '406 not_acceptable', header);
    assert.equal(verdict(head({ accept: header }, { method: 'DELETE' })), 'ok', header);
  }
});

test('property: a host passes on loopback only if a URL parser finds a loopback name in it', () => {
  const part = fc.constantFrom(
    'localhost',
    '127.0.0.1',
    '[::1]',
    'evil',
    '.',
    ':',
    '@',
    '/',
    '#',
    '?',
    '3000',
    ' ',
    '%',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const host = parts.join('');
      if (!isLoopbackHost(host)) return;
      assert.ok(['localhost', '127.0.0.1', '[::1]'].includes(new URL(`http://${host}/`).hostname), host);
    }),
    { numRuns: 5_000 },
  );
});

test('property: no header makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseAccept(text);
      isJsonType(text);
      hostName(text);
      isLoopbackOrigin(text);
      isLoopbackAddress(text);
    }),
  );
});

test('addresses of the machine itself', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', undefined]) {
    assert.equal(isLoopbackAddress(address), true, address);
  }
  for (const address of ['10.0.0.1', '::', '128.0.0.1', '::ffff:10.0.0.1', '1270.0.0.1']) {
    assert.equal(isLoopbackAddress(address), false, address);
  }
});

test('what is published is read at its path, by whoever may reach the endpoint', () => {
  const rules = new Rules(options);
  rules.publish({ '/.well-known/thing/mcp': { a: 1 } });
  const at = (url: string, method = 'GET', headers: Record<string, string> = {}) =>
    rules.check(head(headers, { url, method }), true);
  for (const url of ['/.well-known/thing/mcp', '/.well-known/thing/mcp?x=1']) {
    const { status, body } = at(url)!;
    assert.deepEqual([status, JSON.parse(body)], [200, { a: 1 }]);
    assert.equal(at(url, 'HEAD')!.status, 200);
    for (const method of ['POST', 'DELETE', 'PUT', 'OPTIONS']) assert.equal(at(url, method)!.status, 405, method);
    assert.equal(at(url, 'GET', { host: 'evil.example' })!.reason, 'host_not_allowed');
    assert.equal(at(url, 'GET', { origin: 'https://evil.example' })!.reason, 'origin_not_allowed');
  }
  for (const url of ['/.well-known/thing', '/.well-known/thing/mcp/', '/x?/.well-known/thing/mcp', '/__proto__', '']) {
    assert.equal(at(url)!.status, 404, url);
  }
  assert.equal(rules.check(head({}), true), undefined);
});
