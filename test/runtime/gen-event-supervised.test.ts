import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dest, genEvent, noreply, type Pid, reply, stopInit } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { actions, Probe, startProbeSystem, superviseProbe, swapTo } from '../support/probe-handler.ts';
import { mailboxOf, type OpenProcess, openProcess, startTestSystem } from '../support/test-system.ts';

/** The gen_event_EXIT messages in a mailbox, as id and reason. */
async function exitsOf(owner: OpenProcess): Promise<[string | undefined, unknown][]> {
  const messages = (await mailboxOf(owner)).filter(({ tag }) => tag === 'gen_event_EXIT');
  return messages.map(({ payload }) => {
    const { handler, reason } = payload as { handler: { id?: string }; reason: unknown };
    return [handler.id, reason];
  });
}

test('the supervisor of a handler is told when it is removed, and why', async (t) => {
  const system = await startProbeSystem(t);
  const { system: caller, manager } = system;
  const tell = (action: string): Promise<unknown> => {
    const act = actions[action] ?? assert.fail();
    return genEvent.syncNotify(caller, manager, 'act', act);
  };
  for (const [remove, reason] of [
    [() => tell('remove'), 'normal'],
    [() => tell('exit'), 'enough'],
    [() => tell('bad'), { bad_return_value: 'nonsense' }],
    [() => genEvent.deleteHandler(caller, manager, { handler: Probe, id: 'a' }), 'normal'],
    [() => genEvent.call(caller, manager, { handler: Probe, id: 'a' }, 'act', actions['removeReply']!), 'normal'],
    [
      () => genEvent.call(caller, manager, { handler: Probe, id: 'a' }, 'act', () => 'nonsense'),
      { bad_return_value: 'nonsense' },
    ],
  ] as const) {
    const { owner } = await superviseProbe(system, 'a');
    await remove();
    const messages = await mailboxOf(owner);
    assert.deepEqual(
      messages.map(({ tag, payload }) => [tag, payload]),
      [['gen_event_EXIT', { manager, handler: { handler: Probe, id: 'a' }, reason }]],
    );
  }
});

test('a handler goes with its supervisor, also if that exits normal; the others get an EXIT', async (t) => {
  const system = await startProbeSystem(t);
  await system.add('other');
  for (const [end, reason] of [
    [(owner: OpenProcess) => owner.finish(), 'normal'],
    [(owner: OpenProcess) => system.system.exitProcess(owner.pid, 'kill'), 'killed'],
  ] as const) {
    const { owner } = await superviseProbe(system, 'a');
    system.log.length = 0;
    end(owner);
    await settle();
    assert.deepEqual(system.log, [
      ['a', 'terminate', { stop: reason }],
      ['other', 'EXIT', reason],
    ]);
    assert.deepEqual(await genEvent.whichHandlers(system.system, system.manager), [{ handler: Probe, id: 'other' }]);
  }
});

test('an exit signal of a supervisor to the manager removes its handlers, though it lives', async (t) => {
  const system = await startProbeSystem(t);
  const { owner } = await superviseProbe(system, 'a');
  owner.ctx.exitProcess(system.manager as Pid, 'sup_died');
  await settle();
  assert.deepEqual(system.log.at(-1), ['a', 'terminate', { stop: 'sup_died' }]);
  assert.deepEqual(await exitsOf(owner), [['a', 'shutdown']]);
  assert.equal(system.system.isAlive(system.manager as Pid), true);
});

test('all handlers of a supervisor go with it', async (t) => {
  const { manager, log, ...system } = await startProbeSystem(t);
  const owner = await openProcess(system);
  for (const id of ['a', 'b']) {
    await genEvent.addSupHandler(owner.ctx, manager, { handler: Probe, id }, { name: id, log });
  }
  owner.finish();
  await settle();
  assert.deepEqual(await genEvent.whichHandlers(system.system, manager), []);
});

test('a supervisor that has exited before its handler was added: the handler goes at once', async (t) => {
  const { manager, log, ...system } = await startProbeSystem(t);
  const owner = await openProcess(system);
  void genEvent.addSupHandler(owner.ctx, manager, Probe, { name: 'a', log });
  system.system.exitProcess(owner.pid, 'kill');
  await settle();
  assert.deepEqual(log, [
    ['a', 'init'],
    ['a', 'terminate', { stop: 'noproc' }],
  ]);
});

test('a manager that ends tells the supervisors shutdown, and does not end them through the link', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  const started = await genEvent.startLink(parent.ctx);
  assert.ok(started !== 'ignore' && 'ok' in started);
  const owner = await openProcess(system); // does not trap exits
  await genEvent.addSupHandler(owner.ctx, started.ok, { handler: Probe, id: 'a' }, { name: 'a', log: [] });
  parent.ctx.exitProcess(started.ok, 'boom');
  await settle();
  assert.equal(system.system.isAlive(started.ok), false);
  assert.deepEqual(await exitsOf(owner), [['a', 'shutdown']]);
});

test('a manager that is killed ends the supervisors of its handlers through the link', async (t) => {
  const system = await startProbeSystem(t);
  const { owner } = await superviseProbe(system, 'a');
  system.system.exitProcess(system.manager as Pid, 'kill');
  const messages = await mailboxOf(owner);
  assert.deepEqual(
    messages.map(({ tag, payload }) => [tag, (payload as { reason: unknown }).reason]),
    [['EXIT', 'killed']],
  );
});

test('the link stays when the handler is gone, as in OTP', async (t) => {
  const system = await startProbeSystem(t);
  const { owner, ref } = await superviseProbe(system, 'a');
  await genEvent.deleteHandler(system.system, system.manager, ref);
  system.log.length = 0;
  await system.add('other');
  owner.finish();
  await settle();
  assert.deepEqual(system.log, [
    ['other', 'init'],
    ['other', 'EXIT', 'normal'],
  ]);
});

test('after a swap the supervisor of the old handler supervises the new one', async (t) => {
  const system = await startProbeSystem(t);
  const { system: caller, manager, log } = system;
  const { owner, ref } = await superviseProbe(system, 'a');
  const b = { handler: Probe, id: 'b' };
  await genEvent.swapHandler(caller, manager, { handler: ref, arg: 1 }, { handler: b, arg: { name: 'b', log } });
  assert.deepEqual(await exitsOf(owner), [['a', { swapped: { handler: b, supervisor: owner.pid } }]]);
  const c = { handler: Probe, id: 'c' };
  await genEvent.syncNotify(caller, manager, 'act', swapTo('c', { name: 'c', log }).event);
  assert.deepEqual(await exitsOf(owner), [['b', { swapped: { handler: c, supervisor: owner.pid } }]]);
  log.length = 0;
  owner.finish();
  await settle();
  assert.deepEqual(log, [['c', 'terminate', { stop: 'normal' }]]);
});

test('swapSupHandler: the caller supervises the new handler, and the supervisor of the old one is told', async (t) => {
  const system = await startProbeSystem(t);
  const { manager, log } = system;
  const { owner, ref } = await superviseProbe(system, 'a');
  const second = await openProcess(system, { trapExit: true });
  const b = { handler: Probe, id: 'b' };
  await genEvent.swapSupHandler(second.ctx, manager, { handler: ref, arg: 1 }, { handler: b, arg: { name: 'b', log } });
  assert.deepEqual(await exitsOf(owner), [['a', { swapped: { handler: b, supervisor: second.pid } }]]);
  owner.finish();
  await settle();
  assert.deepEqual(await genEvent.whichHandlers(system.system, manager), [b]);
  second.finish();
  await settle();
  assert.deepEqual(await genEvent.whichHandlers(system.system, manager), []);
});

test('a swap by the handler whose new handler declines tells the supervisor of both', async (t) => {
  const system = await startProbeSystem(t);
  const { owner } = await superviseProbe(system, 'a');
  const swap = swapTo('b', () => stopInit('no')).event;
  await genEvent.syncNotify(system.system, system.manager, 'act', swap);
  const b = { handler: Probe, id: 'b' };
  assert.deepEqual(await exitsOf(owner), [
    ['a', { swapped: { handler: b, supervisor: owner.pid } }],
    ['b', 'no'],
  ]);
});

test('init that declines leaves no handler, and the supervisor hears of it by the result alone', async (t) => {
  const system = await startProbeSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const result = await genEvent.addSupHandler(owner.ctx, system.manager, Probe, () => stopInit('no'));
  assert.deepEqual(result, { error: 'no' });
  assert.deepEqual(await mailboxOf(owner), []);
});

test('a message with the tag EXIT from user code removes no handler', async (t) => {
  const system = await startProbeSystem(t);
  const { owner, ref } = await superviseProbe(system, 'a');
  system.system.send(system.manager as Dest, 'EXIT', { from: owner.pid, reason: 'forged' });
  await settle();
  assert.deepEqual(system.log.at(-1), ['a', 'EXIT', 'forged']);
  assert.deepEqual(await genEvent.call(system.system, system.manager, ref, 'act', (s) => reply(1, s)), { ok: 1 });
  await genEvent.syncNotify(system.system, system.manager, 'act', (s) => noreply(s));
});
