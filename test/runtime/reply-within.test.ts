import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  type CallContext,
  type Context,
  child,
  type From,
  type GenServer,
  genServer,
  type Name,
  name,
  noreply,
  reply,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startTestSystem } from '../support/test-system.ts';

type Way = (ctx: CallContext<EarlyProtocol, string>) => 'noreply' | 'reply' | Promise<'noreply' | 'reply'>;

interface EarlyProtocol {
  readonly call: { readonly ask: Call<Way, string> };
}

export const Early: GenServer<EarlyProtocol, undefined> = genServer(import.meta, 'Early', {
  init: () => ({ asked: 0 }),
  handleCall: {
    ask: async (state, way, ctx) => {
      const next = { asked: state.asked + 1 };
      return (await way(ctx)) === 'reply' ? reply('the result', next) : noreply(next);
    },
  },
});

const early: Name<EarlyProtocol> = name('early');

const ways: Record<string, [Way, string]> = {
  'replies and returns noreply': [
    (ctx) => {
      ctx.replyTo(ctx.from, 'before the return');
      return 'noreply';
    },
    'before the return',
  ],
  'lets another process reply while it waits': [
    async (ctx) => {
      ctx.spawn((from: From<string>, other: Context) => other.replyTo(from, 'by another'), ctx.from);
      await settle();
      return 'noreply' as const;
    },
    'by another',
  ],
  'replies and then returns a reply too: the first counts': [
    (ctx) => {
      ctx.replyTo(ctx.from, 'first');
      return 'reply';
    },
    'first',
  ],
  'takes from and returns a reply': [(ctx) => (ctx.from.ref > 0 ? 'reply' : 'noreply'), 'the result'],
};

for (const [what, [way, expected]] of Object.entries(ways)) {
  test(`a handler that ${what}`, async (t) => {
    const { system } = await startTestSystem(t, { children: [child(Early, undefined, { name: early })] });
    assert.equal(await system.call(early, 'ask', way), expected);
    assert.equal(await system.call(early, 'ask', () => 'reply'), 'the result');
  });
}
