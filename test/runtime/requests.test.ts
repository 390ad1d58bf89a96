import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  checkResponse,
  type From,
  type GenServer,
  genServer,
  name,
  noreply,
  type Outcome,
  type Pid,
  receiveResponse,
  reply,
  reqidsAdd,
  reqidsNew,
  reqidsSize,
  reqidsToList,
  waitResponse,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem, tagsOf } from '../support/test-system.ts';

interface Protocol {
  readonly call: { readonly echo: Call<unknown, unknown>; readonly later: Call<void, unknown> };
}

const Server: GenServer<Protocol, From[]> = genServer(import.meta, 'Server', {
  init: (later: From[]) => {
    if (later.length > 0) throw new Error('must start with no callers');
    return later;
  },
  handleCall: {
    echo: (later: From[], payload) => reply(payload, later),
    later: (later: From[], _payload, ctx) => {
      later.push(ctx.from);
      return noreply(later);
    },
  },
});

interface Started {
  readonly pid: Pid<Protocol>;
  /** Answers the call that was left open as number `index`. */
  answer(index: number, value: unknown): void;
}

async function startServer({ opener }: TestSystem): Promise<Started> {
  const later: From[] = [];
  const result = await opener.start(Server, later);
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { pid: result.ok, answer: (index, value) => opener.replyTo(later[index] ?? assert.fail(), value) };
}

test('a request is answered by receiveResponse and waitResponse, and other messages stay', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system);
  const { ctx } = await openProcess(system);
  const first = ctx.sendRequest(pid, 'echo', 'a');
  const second = ctx.sendRequest(pid, 'echo', 'b');
  ctx.send(ctx.self, 'other');
  assert.deepEqual(await receiveResponse(ctx, second), { reply: 'b' });
  assert.deepEqual(await waitResponse(ctx, first), { reply: 'a' });
  assert.deepEqual(await tagsOf({ ctx }), ['other']);
});

test('responses that come out of order are told apart', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const { ctx } = await openProcess(system);
  const [first, second] = [ctx.sendRequest(server.pid, 'later'), ctx.sendRequest(server.pid, 'later')];
  await settle();
  server.answer(1, 'second');
  server.answer(0, 'first');
  server.answer(0, 'again');
  assert.deepEqual(await receiveResponse(ctx, first), { reply: 'first' });
  assert.deepEqual(await receiveResponse(ctx, second), { reply: 'second' });
  assert.deepEqual(await mailboxOf({ ctx }), [], 'a second reply is dropped');
});

test('checkResponse knows the response of its request, and no other message', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system);
  const { ctx } = await openProcess(system);
  const [first, second] = [ctx.sendRequest(pid, 'echo', 'a'), ctx.sendRequest(pid, 'echo', 'b')];
  const [response] = await mailboxOf({ ctx });
  assert.equal(response?.tag, 'RESPONSE');
  assert.deepEqual(checkResponse(response?.payload, first), { reply: 'a' });
  assert.equal(checkResponse(response?.payload, second), 'no_reply');
  assert.equal(checkResponse({ reply: 'a' }, first), 'no_reply');
  const ids = reqidsAdd(second, 'label', reqidsNew<string, unknown>());
  assert.equal(checkResponse(response?.payload, ids, true), 'no_reply');
  reqidsAdd(first, 'mine', ids);
  assert.deepEqual(checkResponse(response?.payload, ids, true), { reply: 'a', label: 'mine' });
  assert.deepEqual(reqidsToList(ids), [[second, 'label']]);
});

test('a collection gives each response with its label, and keeps its request unless it is removed', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const { ctx } = await openProcess(system);
  const ids = reqidsNew<string, unknown>();
  assert.equal(await receiveResponse(ctx, ids, 'infinity', true), 'no_request');
  assert.equal(await waitResponse(ctx, ids, 'infinity', true), 'no_request');
  assert.equal(checkResponse(undefined, ids, true), 'no_request');
  const requests = ['x', 'y', 'z'].map((label) => {
    const id = ctx.sendRequest(server.pid, 'later');
    assert.equal(reqidsAdd(id, label, ids), ids);
    return id;
  });
  assert.throws(() => reqidsAdd(requests[0] ?? assert.fail(), 'again', ids), { code: 'ERR_BADARG' });
  assert.deepEqual(
    reqidsToList(ids).map(([, label]) => label),
    ['x', 'y', 'z'],
  );
  await settle();
  for (const index of [2, 0, 1]) server.answer(index, index);
  assert.deepEqual(await receiveResponse(ctx, ids, 'infinity', true), { reply: 2, label: 'z' });
  assert.equal(reqidsSize(ids), 2);
  assert.deepEqual(await waitResponse(ctx, ids, 'infinity', false), { reply: 0, label: 'x' });
  assert.equal(reqidsSize(ids), 2);
  assert.deepEqual(await waitResponse(ctx, ids, 'infinity', true), { reply: 1, label: 'y' });
  assert.deepEqual(
    reqidsToList(ids).map(([id]) => id),
    [requests[0]],
  );
});

test('after a timeout waitResponse can be tried again', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const { ctx } = await openProcess(system);
  const id = ctx.sendRequest(server.pid, 'later');
  const outcome = waitResponse(ctx, id, 100);
  await system.clock.advance(100);
  assert.equal(await outcome, 'timeout');
  assert.equal(await waitResponse(ctx, id, 0), 'timeout');
  server.answer(0, 'late');
  assert.deepEqual(await waitResponse(ctx, id), { reply: 'late' });
});

test('after a timeout of receiveResponse, or abandon, the response never arrives', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const { ctx } = await openProcess(system);
  const id = ctx.sendRequest(server.pid, 'later');
  const outcome = receiveResponse(ctx, id, 100);
  await system.clock.advance(100);
  assert.equal(await outcome, 'timeout');
  const ids = reqidsNew<number, unknown>();
  for (const label of [1, 2]) reqidsAdd(ctx.sendRequest(server.pid, 'later'), label, ids);
  const any = receiveResponse(ctx, ids, 100, true);
  await system.clock.advance(100);
  assert.equal(await any, 'timeout');
  ctx.sendRequest(server.pid, 'later').abandon();
  await settle();
  for (const index of [0, 1, 2]) server.answer(index, 'late');
  system.system.exitProcess(server.pid, 'kill');
  assert.deepEqual(await mailboxOf({ ctx }), []);
});

test('a server that is not there, or that exits, is a response', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const { ctx } = await openProcess(system);
  const nobody = name<Protocol>('nobody');
  const missing: Outcome = { error: { reason: 'noproc', dest: nobody } };
  assert.deepEqual(await receiveResponse(ctx, ctx.sendRequest(nobody, 'echo', 1)), missing);
  const id = ctx.sendRequest(server.pid, 'later');
  await settle();
  system.system.exitProcess(server.pid, { why: 'boom' });
  const exited: Outcome = { error: { reason: { why: 'boom' }, dest: server.pid } };
  assert.deepEqual(await receiveResponse(ctx, id), exited);
  const gone: Outcome = { error: { reason: 'noproc', dest: server.pid } };
  const ids = reqidsAdd(ctx.sendRequest(server.pid, 'echo', 1), 'dead', reqidsNew<string, unknown>());
  assert.deepEqual(await receiveResponse(ctx, ids, 0, true), { ...gone, label: 'dead' });
});

test('startMonitor gives pid and ref, and one DOWN; a start that fails leaves none', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  const failed = await ctx.startMonitor(Server, [{ pid: ctx.self, ref: 0 }]);
  assert.ok(failed !== 'ignore' && 'error' in failed);
  assert.deepEqual(await mailboxOf({ ctx }), []);
  const started = await ctx.startMonitor(Server, []);
  assert.ok(started !== 'ignore' && 'ok' in started);
  const { pid, ref } = started.ok;
  assert.equal(await ctx.call(pid, 'echo', 1), 1);
  ctx.exitProcess(pid, 'boom');
  const messages = (await mailboxOf({ ctx })).map(({ tag, payload }) => ({ tag, ...(payload as object) }));
  assert.deepEqual(messages, [{ tag: 'DOWN', ref, type: 'process', object: pid, reason: 'boom' }]);
  assert.equal(ctx.demonitor(ref), false);
});
