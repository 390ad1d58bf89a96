import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../runtime/testing.ts';
import { openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

test('what is sent to an alias reaches its process until unalias, and is lost after it', async (t) => {
  const system = await startTestSystem(t);
  const [owner, sender] = [await openProcess(system), await openProcess(system)];
  const [alias, second] = [owner.ctx.alias(), owner.ctx.alias()];
  sender.ctx.send(alias, 'a');
  sender.ctx.send(alias, 'b');
  assert.deepEqual(await tagsOf(owner), ['a', 'b']);
  assert.equal(sender.ctx.unalias(alias), false, 'only its owner ends it');
  assert.equal(owner.ctx.unalias(alias), true);
  assert.equal(owner.ctx.unalias(alias), false);
  sender.ctx.send(alias, 'lost');
  sender.ctx.cast(alias, 'lost too');
  sender.ctx.send(second, 'c');
  sender.ctx.send(owner.pid, 'd');
  assert.deepEqual(await tagsOf(owner), ['c', 'd']);
});

test('a reply alias takes one message', async (t) => {
  const system = await startTestSystem(t);
  const [owner, sender] = [await openProcess(system), await openProcess(system)];
  const alias = owner.ctx.alias({ reply: true });
  sender.ctx.send(alias, 'first');
  sender.ctx.send(alias, 'second');
  assert.deepEqual(await tagsOf(owner), ['first']);
  assert.equal(owner.ctx.unalias(alias), false);
});

test('an alias ends with its process, and sending to it then is no error', async (t) => {
  const system = await startTestSystem(t);
  const [owner, sender] = [await openProcess(system), await openProcess(system)];
  const alias = owner.ctx.alias();
  owner.finish();
  await settle();
  sender.ctx.send(alias, 'lost');
  assert.equal(sender.ctx.isAlive(alias.pid), false);
});

test('an alias of a monitor ends when the monitor fires or is ended', async (t) => {
  const system = await startTestSystem(t);
  const [owner, sender, server] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const fired = owner.ctx.alias({ monitor: owner.ctx.monitor(server.pid) });
  const ref = owner.ctx.monitor(sender.pid);
  const ended = owner.ctx.alias({ monitor: ref });
  sender.ctx.send(fired, 'a');
  sender.ctx.send(ended, 'b');
  server.finish();
  await settle();
  owner.ctx.demonitor(ref);
  sender.ctx.send(fired, 'lost');
  sender.ctx.send(ended, 'lost');
  assert.deepEqual(await tagsOf(owner), ['a', 'b', 'DOWN']);
});

test('the first message of a reply alias ends its monitor', async (t) => {
  const system = await startTestSystem(t);
  const [owner, server] = [await openProcess(system), await openProcess(system)];
  const ref = owner.ctx.monitor(server.pid);
  server.ctx.send(owner.ctx.alias({ reply: true, monitor: ref }), 'reply');
  server.finish();
  assert.deepEqual(await tagsOf(owner), ['reply']);
  assert.equal(owner.ctx.demonitor(ref), false);
});

test('an alias of a monitor that has fired already is closed', async (t) => {
  const system = await startTestSystem(t);
  const [owner, sender, server] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  server.finish();
  await settle();
  const alias = owner.ctx.alias({ monitor: owner.ctx.monitor(server.pid) });
  sender.ctx.send(alias, 'lost');
  assert.deepEqual(await tagsOf(owner), ['DOWN']);
});
