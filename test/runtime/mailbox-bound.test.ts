import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import {
  type Call,
  type ChildSpec,
  channels,
  child,
  type GenServer,
  genServer,
  type MailboxPolicy,
  type MailboxWarning,
  name,
  noreply,
  reply,
  startChild,
  supervisor,
  sys,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startUnderRoot } from '../support/supervision-trace.ts';
import {
  type Cleanup,
  mailboxOf,
  type OpenProcess,
  openProcess,
  startTestSystem,
  tagsOf,
} from '../support/test-system.ts';

interface Bounded {
  readonly test: Awaited<ReturnType<typeof startTestSystem>>;
  readonly sender: OpenProcess;
  readonly target: OpenProcess;
}

async function bounded(t: Cleanup, mailboxMax: number, mailboxPolicy?: MailboxPolicy): Promise<Bounded> {
  const system = await startTestSystem(t);
  const sender = await openProcess(system);
  const options = mailboxPolicy === undefined ? { mailboxMax } : { mailboxMax, mailboxPolicy };
  const target = await openProcess(system, { ...options, trapExit: true });
  return { test: system, sender, target };
}

const dropped = ({ sender, target }: Bounded): number | undefined => sender.ctx.processInfo(target.pid)?.dropped;
const overload = { code: 'ERR_CALL_OVERLOAD', reason: 'overload' };

for (const policy of [undefined, 'reject'] as const) {
  test(`policy ${policy ?? 'by default'}: what comes to a full mailbox is turned away`, async (t) => {
    const all = await bounded(t, 2, policy);
    const { ctx } = all.sender;
    ctx.cast(all.target.pid, 'c1');
    ctx.send(all.target.pid, 'i1');
    ctx.cast(all.target.pid, 'c2');
    ctx.send(all.target.pid, 'i2');
    await assert.rejects(ctx.call(all.target.pid, 'q', undefined, { timeoutMs: 'infinity' }), overload);
    assert.equal(dropped(all), 3);
    assert.deepEqual(await tagsOf(all.target), ['c1', 'i1']);
    ctx.cast(all.target.pid, 'c3');
    assert.deepEqual(await tagsOf(all.target), ['c3'], 'there is room again');
    assert.equal(dropped(all), 3);
  });
}

test('a call that was refused leaves no timer; sendRequest gets the refusal as a response', async (t) => {
  const all = await bounded(t, 1);
  const { ctx } = all.sender;
  ctx.cast(all.target.pid, 'c1');
  await assert.rejects(ctx.call(all.target.pid, 'q'), overload);
  ctx.sendRequest(all.target.pid, 'q');
  assert.deepEqual(await tagsOf(all.sender), ['RESPONSE']);
  await assert.rejects(all.test.system.call(all.target.pid, 'q'), overload, 'from the owner of the system too');
  assert.deepEqual(await tagsOf(all.target), ['c1']);
});

test('drop_newest: a cast that comes is lost; a call takes the place of the newest cast', async (t) => {
  const all = await bounded(t, 3, 'drop_newest');
  const { ctx } = all.sender;
  for (const tag of ['c1', 'c2', 'c3', 'c4']) ctx.cast(all.target.pid, tag);
  ctx.sendRequest(all.target.pid, 'q0');
  assert.deepEqual(await tagsOf(all.target), ['c1', 'c2', 'q0']);
  for (const tag of ['c1', 'c2', 'c3']) ctx.cast(all.target.pid, tag);
  for (const tag of ['q1', 'q2', 'q3']) ctx.sendRequest(all.target.pid, tag);
  await assert.rejects(ctx.call(all.target.pid, 'q4'), overload, 'calls that wait are not dropped');
  assert.deepEqual(await tagsOf(all.target), ['q1', 'q2', 'q3']);
  assert.equal(dropped(all), 6);
});

test('drop_oldest: the oldest cast or plain message gives way, calls stay', async (t) => {
  const all = await bounded(t, 3, 'drop_oldest');
  const { ctx } = all.sender;
  ctx.sendRequest(all.target.pid, 'q1');
  ctx.send(all.target.pid, 'i1');
  ctx.cast(all.target.pid, 'c1');
  ctx.cast(all.target.pid, 'c2');
  ctx.sendRequest(all.target.pid, 'q2');
  assert.deepEqual(await tagsOf(all.target), ['q1', 'c2', 'q2']);
  assert.equal(dropped(all), 2);
});

test('drop_oldest: with nothing but calls the new message is lost, a new call fails', async (t) => {
  const all = await bounded(t, 1, 'drop_oldest');
  const { ctx } = all.sender;
  ctx.sendRequest(all.target.pid, 'q1');
  ctx.cast(all.target.pid, 'c1');
  await assert.rejects(ctx.call(all.target.pid, 'q2'), overload);
  assert.deepEqual(await tagsOf(all.target), ['q1']);
});

for (const policy of ['reject', 'drop_newest', 'drop_oldest'] as const) {
  test(`${policy}: signals, timers and what it sends itself get in and are never dropped`, async (t) => {
    const all = await bounded(t, 1, policy);
    const { ctx, pid } = all.target;
    const [linked, watched] = [await openProcess(all.test), await openProcess(all.test)];
    ctx.link(linked.pid);
    ctx.monitor(watched.pid);
    all.sender.ctx.cast(pid, 'c1');
    linked.fail('boom');
    watched.finish();
    ctx.startTimer(10);
    ctx.cast(pid, 'own');
    await settle();
    await all.test.clock.advance(10);
    all.sender.ctx.cast(pid, 'c2');
    all.sender.ctx.cast(pid, 'c3');
    const tags = await tagsOf(all.target);
    assert.deepEqual(tags.filter((tag) => !['c1', 'c2', 'c3', 'own'].includes(tag)).sort(), [
      'DOWN',
      'EXIT',
      'timeout',
    ]);
    assert.equal(tags.includes('c1'), policy !== 'drop_oldest');
    assert.equal(tags.includes('own'), policy !== 'drop_oldest');
    assert.equal(dropped(all), 2);
  });
}

interface GateProtocol {
  readonly call: { readonly count: Call<undefined, number> };
  readonly cast: { readonly add: undefined };
}

const Gate: GenServer<GateProtocol, undefined> = genServer(import.meta, 'Gate', {
  init: () => 0,
  handleCall: { count: (n) => reply(n, n) },
  handleCast: { add: (n) => noreply(n + 1) },
});

test('a full server that is suspended still answers system requests, and goes on after resume', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const pid = opener.spawn(Gate, undefined, { mailboxMax: 2 });
  await sys.suspend(system, pid);
  for (let i = 0; i < 5; i++) system.cast(pid, 'add');
  await settle();
  assert.equal(system.processInfo(pid)?.messageQueueLen, 2);
  assert.equal(await sys.getState(system, pid), 0);
  await sys.resume(system, pid);
  assert.equal(await system.call(pid, 'count'), 2);
});

test('the losses 1, 2, 4, 8 are published on the warning channel', async (t) => {
  const all = await bounded(t, 1);
  const seen: MailboxWarning[] = [];
  const see = (event: unknown): void => {
    if ((event as MailboxWarning).system === all.test.system.name) seen.push(event as MailboxWarning);
  };
  subscribe(channels.mailboxWarning, see);
  t.after(() => unsubscribe(channels.mailboxWarning, see));
  all.target.ctx.setLabel('narrow');
  for (let i = 0; i < 11; i++) all.sender.ctx.cast(all.target.pid, 'c');
  assert.deepEqual(
    seen.map((event) => event.dropped),
    [1, 2, 4, 8],
  );
  const { pid, label, max, policy, name: registered } = seen[0] as MailboxWarning;
  assert.deepEqual([pid, label, max, policy, registered], [all.target.pid, 'narrow', 1, 'reject', null]);
  assert.equal((await mailboxOf(all.target)).length, 1);
});

test('wrong options are refused: a child by its term, a spawn by BadArgError with it', async (t) => {
  const { system, opener } = await startTestSystem(t);
  await startUnderRoot({ system }, supervisor('sup', { name: 'sup' }, []));
  const before = system.processCount;
  const wrong: [string, string, unknown[]][] = [
    ['mailboxMax', 'invalid_mailbox_max', [0, -1, 1.5, Number.NaN, 'x', Number.POSITIVE_INFINITY]],
    ['mailboxPolicy', 'invalid_mailbox_policy', ['drop', 1, 'constructor']],
    ['hibernateAfterMs', 'invalid_hibernate_after', [-1, Number.NaN, 'x', 2 ** 31]],
  ];
  for (const [option, term, values] of wrong) {
    for (const value of values) {
      const options = { mailboxMax: 1, [option]: value } as object;
      const spec: ChildSpec = child(Gate, undefined, options);
      assert.deepEqual(await startChild(system, name<any>('sup'), spec), { error: { [term]: value } });
      assert.throws(() => opener.spawn(Gate, undefined, options), { code: 'ERR_BADARG', reason: { [term]: value } });
    }
  }
  assert.equal(system.processCount, before);
});
