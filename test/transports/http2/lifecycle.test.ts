import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';
import { name, type Pid, type System } from '../../../runtime/index.ts';
import { http2ListenerName } from '../../../transports/http2/index.ts';
import { reasonOf, turns } from '../http/client.ts';
import { Session, withHttp2 } from './client.ts';

async function replaced(system: System, who: string, before: Pid | undefined): Promise<void> {
  for (;;) {
    const now = system.whereis(name(who));
    if (now !== undefined && now !== before) return;
    await turns(1);
  }
}

function kill(system: System, who: string): Pid {
  const pid = system.whereis(name(who));
  assert.ok(pid);
  system.exitProcess(pid, 'kill');
  return pid;
}

test('a stop with 200 busy streams on 10 sessions loses no answer', () =>
  withHttp2({}, async ({ address, observer, system }) => {
    const sessions = Array.from({ length: 10 }, () => new Session(address.url));
    const answers = sessions.flatMap((session, s) =>
      Array.from({ length: 20 }, (_, n) => session.call(`hold-${s}-${n}`)),
    );
    const held = [];
    for (let s = 0; s < 10; s++) for (let n = 0; n < 20; n++) held.push(await observer.inbound(`hold-${s}-${n}`));
    const stopped = system.stop();
    await turns();
    for (const { connection, inbound, message } of held.reverse()) {
      const { exchange } = inbound;
      system.cast(connection, 'send', { exchange, message: { id: 1, result: message?.method }, end: true });
    }
    const texts = (await Promise.all(answers)).map(({ text }) => JSON.parse(text).result);
    assert.deepEqual(
      texts,
      sessions.flatMap((_, s) => Array.from({ length: 20 }, (_each, n) => `hold-${s}-${n}`)),
    );
    await stopped;
    for (const session of sessions) {
      await session.closed;
      assert.equal(session.goaway, http2.constants.NGHTTP2_NO_ERROR);
    }
  }));

test('on a stop a request that has not come whole is refused: it was not begun', () =>
  withHttp2({}, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const answered = session.call('hold');
    const { connection, inbound } = await observer.inbound('hold');
    const stream = session.http2.request({ ':method': 'POST', ':path': '/mcp', 'content-type': 'application/json' });
    let text = '';
    stream.on('error', () => {}); // closed by the server
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.write('{');
    await turns();
    const stopped = system.stop();
    await closed;
    assert.equal(reasonOf(text), 'unavailable');
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 1 }, end: true });
    assert.equal((await answered).status, 200);
    await stopped;
  }));

test('a listener that is killed is restarted on its port, sessions live on and still count', () =>
  withHttp2({ connectionsMax: 1 }, async ({ system, address }) => {
    using session = new Session(address.url);
    await session.call('echo');
    await replaced(system, 'http2_listener', kill(system, 'http2_listener'));
    assert.deepEqual(await system.call(http2ListenerName(), 'address'), address);
    assert.equal((await session.call('echo')).status, 200);
    using refused = new Session(address.url);
    assert.equal((await refused.call('echo')).status, 503);
  }));

test('when the connection supervisor is killed, all sessions and the listener are started anew', () =>
  withHttp2({}, async ({ system, address }) => {
    using session = new Session(address.url);
    await session.call('echo');
    const listener = system.whereis(http2ListenerName());
    kill(system, 'http2_connections');
    await session.closed;
    await replaced(system, 'http2_listener', listener);
    using next = new Session(address.url);
    assert.equal((await next.call('echo')).status, 200);
  }));

test('an endpoint that fails answers its open requests 500', () =>
  withHttp2({}, async ({ address, observer }) => {
    using session = new Session(address.url);
    const held = session.call('hold');
    await observer.inbound('hold');
    for (const answer of [await session.call('fall'), await held]) {
      assert.deepEqual([answer.status, reasonOf(answer.text)], [500, 'internal_error']);
    }
    await session.closed;
  }));

test('a killed session cuts its event streams off', () =>
  withHttp2({}, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const stream = session.open(undefined, { ':method': 'GET' });
    stream.resume();
    const { connection } = await observer.wait('inbound');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    system.exitProcess(connection, 'kill');
    await closed;
    assert.notEqual(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR);
    await session.closed;
  }));
