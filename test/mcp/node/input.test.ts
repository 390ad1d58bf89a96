/** Questions to the client, asked by one API in both eras. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  elicit,
  elicitUrl,
  listRoots,
  type McpServer,
  mcpServer,
  prompt,
  type RequestContext,
  resource,
  sample,
  structured,
  tool,
  userMessage,
} from '../../../mcp/index.ts';
import { name } from '../../../runtime/index.ts';
import { type Answering, answererWays } from '../../support/mcp-answerers.ts';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { kill, nodesAt, startNode, startSimulatedNode } from '../../support/mcp-node.ts';
import { Gate } from '../../support/mcp-tools.ts';

const nothing = { type: 'object' } as const;
const all = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const nameForm = elicit({
  message: 'Who?',
  schema: { type: 'object', properties: { name: { type: 'string', minLength: 2 } }, required: ['name'] } as const,
});

async function twoQuestions(ctx: RequestContext): Promise<unknown> {
  const { who, folders } = await ctx.input({ who: nameForm, folders: listRoots() });
  const { said } = await ctx.input({
    said: sample({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${JSON.stringify(who)}` } }],
      maxTokens: 9,
    }),
  });
  return { who, folders: folders.roots.length, said: said.content };
}

function server(runs: string[], gate = new Gate()): McpServer {
  return mcpServer('test', {
    info: { name: 'n', version: '1' },
    tools: {
      asks: tool({ description: 'Asks.', input: nothing, timeoutMs: 1_000 }, async (_args, ctx) => {
        runs.push('began');
        try {
          return structured(await twoQuestions(ctx));
        } finally {
          runs.push('ended');
        }
      }),
      url: tool({ description: 'Sends to a page.', input: nothing }, async (_args, ctx) =>
        structured(await ctx.input({ page: elicitUrl({ message: 'Pay.', url: 'https://example.com/pay' }) })),
      ),
      wrong: tool({ description: 'Asks nothing.', input: nothing }, async (_args, ctx) => {
        const failed: string[] = [];
        const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`q${n}`, listRoots()]));
        for (const questions of [{}, { a: 5 }, { a: {} }, many, undefined]) {
          await ctx.input(questions as never).catch((error: Error) => failed.push(error.message));
        }
        return structured({ failed });
      }),
      held: tool({ description: 'Asks, and is held before.', input: nothing }, async (_args, ctx) => {
        await gate.enter('held', ctx);
        return structured(await ctx.input({ who: nameForm }));
      }),
    },
    resources: {
      'a://asks': resource({ ttlMs: 5_000, cacheScope: 'public' }, async (_uri, ctx) =>
        JSON.stringify(await twoQuestions(ctx)),
      ),
    },
    prompts: {
      asks: prompt(
        {
          description: 'Asks.',
          arguments: {
            a: {
              complete: async (_value, ctx) => {
                await ctx.input({ folders: listRoots() });
                return [];
              },
            },
          },
        },
        async (_args, ctx) => [userMessage(JSON.stringify(await twoQuestions(ctx)))],
      ),
    },
  });
}

const model = { role: 'assistant', content: { type: 'text', text: 'Hi' }, model: 'm' };
const answers: Answering = ({ method }) => {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///a' }] };
  if (method === 'sampling/createMessage') return model;
  return { action: 'accept', content: { name: 'Ada', stranger: 1 } };
};
const result = { who: { action: 'accept', content: { name: 'Ada' } }, folders: 1, said: model.content };

for (const way of answererWays) {
  const stateless = way.era === 'stateless';

  test(`a tool, a resource and a prompt ask their client, twice: ${way.name}`, async (t) => {
    const runs: string[] = [];
    const node = await startNode(t, { servers: [server(runs)] });
    const client = await way.open(node, all);
    const called = client.ask('tools/call', { name: 'asks', arguments: {} }, answers);
    assert.deepEqual((await called.answer).result.structuredContent, result);
    const once = ['began', 'ended'];
    assert.deepEqual(runs, stateless ? [...once, ...once, ...once] : once, 'it runs again for each round');
    const read = (await client.ask('resources/read', { uri: 'a://asks' }, answers).answer).result;
    assert.deepEqual(JSON.parse(read.contents[0].text), result);
    if (stateless) assert.deepEqual([read.ttlMs, read.cacheScope], [0, 'private'], 'what it said is not for others');
    const got = (await client.ask('prompts/get', { name: 'asks' }, answers).answer).result;
    assert.deepEqual(JSON.parse(got.messages[0].content.text), result);
    assert.deepEqual(node.events.crashes, []);
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0);
    client.leave();
  });

  test(`a user declines, or is sent to a page: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [server([])] });
    const client = await way.open(node, all);
    const declines: Answering = (question, of) =>
      question.method === 'elicitation/create' ? { action: 'decline' } : answers(question, of);
    const declined = await client.ask('tools/call', { name: 'asks' }, declines).answer;
    assert.deepEqual(declined.result.structuredContent.who, { action: 'decline' });
    const seen: any[] = [];
    const page = client.ask('tools/call', { name: 'url' }, ({ params }) => {
      seen.push(params);
      return { action: 'accept' };
    });
    assert.deepEqual((await page.answer).result.structuredContent, { page: { action: 'accept' } });
    const { elicitationId, ...params } = seen[0];
    assert.deepEqual(params, { mode: 'url', message: 'Pay.', url: 'https://example.com/pay' });
    assert.equal(typeof elicitationId, stateless ? 'undefined' : 'string');
    client.leave();
  });

  test(`a client is not asked what it has not declared: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [server([])] });
    const required: readonly [object, string, object][] = [
      [{ sampling: {}, roots: {} }, 'asks', { elicitation: { form: {} } }],
      [{ elicitation: {}, sampling: {} }, 'asks', { roots: {} }],
      [{ elicitation: {}, roots: {} }, 'asks', { sampling: {} }],
      [{ elicitation: {} }, 'url', { elicitation: { url: {} } }],
    ];
    for (const [capabilities, called, requiredCapabilities] of required) {
      const client = await way.open(node, capabilities);
      const { error } = await client.ask('tools/call', { name: called }, answers).answer;
      assert.equal(error.code, -32021);
      assert.deepEqual(error.data, { requiredCapabilities });
      client.leave();
    }
  });

  test(`what is no question, and too many of them, are refused; completions cannot ask: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [server([])] });
    const client = await way.open(node, all);
    const failed = (await client.ask('tools/call', { name: 'wrong' }, answers).answer).result.structuredContent.failed;
    assert.equal(failed.length, 5);
    for (const message of failed) assert.match(message, /^ctx\.input/);
    const params = { ref: { type: 'ref/prompt', name: 'asks' }, argument: { name: 'a', value: '' } };
    const { error } = await client.ask('completion/complete', params, answers).answer;
    assert.match(error.message, /this kind of request cannot ask/);
    client.leave();
  });
}

// ---- sessions

for (const way of answererWays.filter(({ era }) => era === 'sessions')) {
  test(`the client's own error, and an answer that is none, reach the tool: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [server([])] });
    const client = await way.open(node, all);
    const failing = client.ask('tools/call', { name: 'url' }, () => new Error('no page'));
    assert.deepEqual((await failing.answer).error, { code: -1, message: 'no page' });
    for (const wrong of [null, 5, {}, { action: 'jump' }]) {
      const { error } = await client.ask('tools/call', { name: 'url' }, () => wrong).answer;
      assert.equal(error.code, -32602);
      assert.match(error.message, /the client's answer to "page" must/);
    }
    client.leave();
  });

  test(`the time of a request stands still while its client is asked, and not for ever: ${way.name}`, async (t) => {
    const node = await startSimulatedNode(t, { servers: [server([])], limits: { inputTimeoutMs: 9_000 } });
    const client = await way.open(node, all);
    let asked = 0;
    const arrived = new Promise<void>((resolve) => {
      const conversation = client.ask('tools/call', { name: 'asks' }, () => {
        asked += 1;
        if (asked === 2) resolve();
        return undefined;
      });
      void conversation.answer.then((message) => ended(message, conversation.messages()));
    });
    let ended: (message: any, messages: any[]) => void = () => {};
    const end = new Promise<[any, any[]]>((resolve) => {
      ended = (message, messages) => resolve([message, messages]);
    });
    await arrived;
    await node.clock.advance(8_999);
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 1);
    await node.clock.advance(1);
    const [message, messages] = await end;
    assert.equal(message.error.data.reason, 'timeout');
    const cancelled = messages.filter(({ method }) => method === 'notifications/cancelled');
    assert.equal(cancelled.length, 2, 'the client need not answer any more');
    client.leave();
  });
}

test('an answer finds its request though the session has crashed meanwhile', async (t) => {
  const node = await startNode(t, { servers: [server([])] });
  const session = await HttpSession.open(node.url, all);
  const exchange = session.tool('url');
  const question = await exchange.find(({ method }) => method === 'elicitation/create');
  await kill(node, node.system.whereis(name(`mcp_session:${session.id}`))!);
  const answer = { jsonrpc: '2.0', id: question.id, result: { action: 'cancel' } };
  assert.equal((await session.client.post(answer, session.headers).ended).status, 202);
  assert.deepEqual((await exchange.answer()).result.structuredContent, { page: { action: 'cancel' } });
  session.client.close();
});

test('no other session can answer, and an answer that nobody waits for means nothing', async (t) => {
  const node = await startNode(t, { servers: [server([])] });
  const [session, other] = [await HttpSession.open(node.url, all), await HttpSession.open(node.url, all)];
  const exchange = session.tool('url');
  const { id } = await exchange.find(({ method }) => method === 'elicitation/create');
  const answer = (action: string, to: unknown = id): object => ({ jsonrpc: '2.0', id: to, result: { action } });
  await other.client.post(answer('accept'), other.headers).ended;
  await session.client.post(answer('accept', 'constructor'), session.headers).ended;
  await session.client.post(answer('decline'), session.headers).ended;
  await session.client.post(answer('accept'), session.headers).ended;
  assert.deepEqual((await exchange.answer()).result.structuredContent, { page: { action: 'decline' } });
  assert.deepEqual(node.events.crashes, []);
  for (const { client } of [session, other]) client.close();
});

// ---- stateless

type Round = { readonly inputResponses?: object; readonly requestState?: string; readonly arguments?: object };

async function asking(url: string): Promise<(round: Round, tool?: string, capabilities?: object) => Promise<any>> {
  const client = new HttpClient(url);
  return async (round, called = 'asks', capabilities = all) => {
    const params = { name: called, arguments: {}, ...round };
    return await client.stateless('tools/call', params, { capabilities }).answer();
  };
}

const who = { action: 'accept', content: { name: 'Ada' } };

test('who answers in part, or wrongly, is asked for the rest', async (t) => {
  const node = await startNode(t, { servers: [server([])] });
  const ask = await asking(node.url);
  const first = (await ask({})).result;
  assert.deepEqual(Object.keys(first.inputRequests), ['who', 'folders']);
  const short = { who: { action: 'accept', content: { name: 'A' } }, folders: { roots: [] } };
  const second = (await ask({ inputResponses: short, requestState: first.requestState })).result;
  assert.deepEqual(Object.keys(second.inputRequests), ['who'], 'one name was too short');
  const third = (await ask({ inputResponses: { who, other: 1 }, requestState: second.requestState })).result;
  assert.deepEqual(Object.keys(third.inputRequests), ['said']);
  const again = (await ask({ requestState: third.requestState })).result;
  assert.deepEqual(Object.keys(again.inputRequests), ['said'], 'nothing was answered');
  const last = (await ask({ inputResponses: { said: model }, requestState: again.requestState })).result;
  assert.deepEqual([last.resultType, last.structuredContent.who], ['complete', who]);
  for (const inputResponses of [null, 5, []]) {
    const { error } = await ask({ inputResponses: inputResponses as never });
    assert.match(error.message, /params.inputResponses must be an object/);
  }
});

test('a state that was changed, is of another request, or is too old is refused', async (t) => {
  const node = await startSimulatedNode(t, { servers: [server([])], limits: { requestStateMs: 60_000 } });
  const ask = await asking(node.url);
  const { requestState } = (await ask({})).result;
  const inputResponses = { who, folders: { roots: [] } };
  const changed = `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const state of ['', 'x', `${requestState}x`, requestState.slice(1), changed, 'x'.repeat(300_000)]) {
    const { error } = await ask({ inputResponses, requestState: state });
    assert.equal(error.code, -32602);
    assert.match(error.message, /requestState is none that this server has made for this request/);
  }
  assert.equal((await ask({ inputResponses, requestState }, 'url')).error.code, -32602, 'of another tool');
  assert.equal((await ask({ inputResponses, requestState, arguments: { a: 1 } })).error.code, -32602);
  assert.equal((await ask({ inputResponses, requestState })).result.resultType, 'input_required');
  await node.clock.advance(60_001);
  assert.match(
    (await ask({ inputResponses, requestState })).error.message,
    /requestState has expired: begin without it/,
  );
});

test('nodes that share keys understand each other, also while keys change', async (t) => {
  const { mcpNode } = await import('../../../mcp/index.ts');
  const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
  const start = (stateKeys?: readonly string[]) =>
    startNode(t, { servers: [server([])], ...(stateKeys === undefined ? {} : { stateKeys }) });
  const [older, both, newer, alone] = await Promise.all([
    start([key(1)]),
    start([key(2), key(1)]),
    start([key(2)]),
    start(),
  ]);
  const state = async ({ url }: { readonly url: string }): Promise<string> =>
    (await (await asking(url))({})).result.requestState;
  const opens = async ({ url }: { readonly url: string }, requestState: string): Promise<boolean> =>
    (await (await asking(url))({ requestState })).error === undefined;
  assert.deepEqual(
    await Promise.all([older, both, newer, alone].map(async (node) => opens(node, await state(older)))),
    [true, true, false, false],
  );
  assert.deepEqual([await opens(newer, await state(both)), await opens(older, await state(both))], [true, false]);
  for (const stateKeys of [[], ['short'], [key(1), 5]]) {
    assert.throws(() => mcpNode('m', { servers: [server([])], transports: [], stateKeys: stateKeys as never }), {
      code: 'ERR_SERVER',
      message: /stateKeys must be at least one text of base64, of 32 bytes each/,
    });
  }
});

test('a client that never comes back costs nothing; one that asks without end is told so', async (t) => {
  const node = await startNode(t, { servers: [server([])], limits: { inputRoundsMax: 1 } });
  const ask = await asking(node.url);
  const { requestState } = (await ask({})).result;
  assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0);
  const inputResponses = { who, folders: { roots: [] } };
  assert.match((await ask({ inputResponses, requestState })).error.message, /asked its client 1 times/);
});
