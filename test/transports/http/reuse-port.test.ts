import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSystem } from '../../../runtime/index.ts';
import { type StreamableHttpOptions, streamableHttp, TransportOptionError } from '../../../transports/http/index.ts';
import { reusePortProblem } from '../../../transports/reuse-port.ts';
import { Observer } from '../probe-endpoint.ts';
import { call, withHttp } from './client.ts';

const absent = reusePortProblem(process.versions.node, process.platform);

test('which Node.js and which systems have it', () => {
  for (const version of ['20.19.0', '22.11.9', '23.0.0']) {
    assert.match(
      String(reusePortProblem(version, 'linux')),
      /needs Node.js 22.12, 23.1 or later, and this is/,
      version,
    );
  }
  for (const version of ['22.12.0', '23.1.0', '24.0.0', '26.10.0']) {
    assert.equal(reusePortProblem(version, 'linux'), undefined, version);
    assert.match(String(reusePortProblem(version, 'darwin')), /not there on darwin/, version);
  }
});

test('it is true or false', () => {
  const options = { reusePort: 'yes' } as unknown as StreamableHttpOptions;
  assert.throws(() => streamableHttp(options), TransportOptionError);
});

test('where it is not there, the start fails and says so', {
  skip: absent === undefined && 'it is there',
}, async () => {
  const children = [streamableHttp({ port: 0, reusePort: true }).childSpec(new Observer().spec)];
  await assert.rejects(startSystem({ children }), (error: { reason: unknown }) => {
    assert.match(JSON.stringify(error.reason), /"listen":\{"code":"ERR_REUSE_PORT",.*reusePort needs Node.js 22.12/);
    return true;
  });
});

test('several listeners share a port, and each serves its share', { skip: absent }, () =>
  withHttp({ reusePort: true }, (first) =>
    withHttp({ reusePort: true, port: first.address.port }, async (second) => {
      assert.equal(second.address.port, first.address.port);
      const opened = (observer: Observer): number => observer.seen.filter(({ event }) => event === 'open').length;
      // Which listener gets a connection is the kernel's choice, by a hash of its addresses.
      for (let n = 0; n < 500 && (opened(first.observer) === 0 || opened(second.observer) === 0); n++) {
        assert.equal((await call(first.address.port, 'echo')).status, 200);
      }
      assert.ok(opened(first.observer) > 0 && opened(second.observer) > 0);
    }),
  ),
);

test('who does not share keeps the port for itself', { skip: absent }, () =>
  withHttp({}, async ({ address }) => {
    const children = [streamableHttp({ port: address.port, reusePort: true }).childSpec(new Observer().spec)];
    await assert.rejects(startSystem({ children }), (error: { reason: unknown }) => {
      assert.match(JSON.stringify(error.reason), /"code":"EADDRINUSE"/);
      return true;
    });
  }),
);
