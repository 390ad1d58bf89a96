import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  abcast,
  type Call,
  type GenServer,
  genServer,
  multiCall,
  name,
  noreply,
  type Pid,
  reply,
  stop,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';

type Mode = 'answers' | 'silent' | 'stops';
interface State {
  readonly label: string;
  readonly mode: Mode;
  readonly log: unknown[];
}
interface Protocol {
  readonly call: { readonly ask: Call<string, string> };
  readonly cast: { readonly note: string };
}

const Server: GenServer<Protocol, State> = genServer(import.meta, 'Server', {
  init: (state: State) => state,
  handleCall: {
    ask: (state: State, question) => {
      if (state.mode === 'silent') return noreply(state);
      return state.mode === 'stops' ? stop('boom', state) : reply(`${state.label}: ${question}`, state);
    },
  },
  handleCast: {
    note: (state: State, text) => {
      state.log.push(`${state.label}: ${text}`);
      return noreply(state);
    },
  },
});

const [A, B, C, NOBODY] = ['a', 'b', 'c', 'nobody'].map((text) => name<Protocol>(text)) as [
  string,
  string,
  string,
  string,
];

async function startServer({ opener }: TestSystem, label: string, mode: Mode, log: unknown[] = []) {
  const result = await opener.start(Server, { label, mode, log }, { name: label });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return result.ok as Pid<Protocol>;
}

test('multiCall brings the replies and who is missing, each in the order of dests', async (t) => {
  const system = await startTestSystem(t);
  await startServer(system, 'a', 'answers');
  const b = await startServer(system, 'b', 'answers');
  const caller = await openProcess(system);
  const free = name<Protocol>('free');
  const result = await multiCall<Protocol, 'ask'>(caller.ctx, [NOBODY, b, free, A], 'ask', 'how');
  assert.deepEqual(result, {
    replies: [
      { dest: b, reply: 'b: how' },
      { dest: A, reply: 'a: how' },
    ],
    bad: [NOBODY, free],
  });
  assert.deepEqual(await mailboxOf(caller), []);
});

test('who does not reply in time, or ends first, is bad; no late reply arrives', async (t) => {
  const system = await startTestSystem(t);
  await startServer(system, 'a', 'silent');
  await startServer(system, 'b', 'stops');
  await startServer(system, 'c', 'answers');
  const caller = await openProcess(system);
  const result = multiCall<Protocol, 'ask'>(caller.ctx, [A, B, C], 'ask', 'how', 100);
  await system.clock.advance(100);
  assert.deepEqual(await result, { replies: [{ dest: C, reply: 'c: how' }], bad: [A, B] });
  assert.deepEqual(await mailboxOf(caller), []);
});

test('multiCall has no limit by default, and calls of the owner and of nobody work', async (t) => {
  const system = await startTestSystem(t);
  const silent = await startServer(system, 'a', 'silent');
  const result = multiCall<Protocol, 'ask'>(system.system, [A], 'ask', 'how');
  let settled = false;
  void result.then(() => {
    settled = true;
  });
  await system.clock.advance(10_000_000);
  assert.equal(settled, false);
  system.system.exitProcess(silent, 'kill');
  assert.deepEqual(await result, { replies: [], bad: [A] });
  const none = await multiCall<Protocol, 'ask'>(system.system, [], 'ask', 'how');
  assert.deepEqual(none, { replies: [], bad: [] });
});

test('abcast reaches all who are there and does not fail for the others', async (t) => {
  const system = await startTestSystem(t);
  const log: unknown[] = [];
  await startServer(system, 'a', 'answers', log);
  const b = await startServer(system, 'b', 'answers', log);
  const dead = await startServer(system, 'c', 'answers', log);
  system.system.exitProcess(dead, 'kill');
  await settle();
  assert.equal(abcast<Protocol, 'note'>(system.system, [NOBODY, A, dead, C, b], 'note', 'hello'), 'abcast');
  await settle();
  assert.deepEqual(log, ['a: hello', 'b: hello']);
});
