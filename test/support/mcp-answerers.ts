/** Clients that answer what they are asked, in the four ways: requests of the server, or results that ask for input. */

import type { System } from '../../runtime/index.ts';
import { HttpClient, HttpSession } from './mcp-http-client.ts';
import { streams } from './mcp-ways.ts';

/** What answers a question: a result, an error, or nothing at all. */
export type Answering = (question: { readonly method: string; readonly params: any }, name: string) => unknown;

export interface Conversation {
  /** The answer to the request in the end. */
  readonly answer: Promise<any>;
  /** Everything that came for it, questions too. */
  readonly messages: () => any[];
}

export interface AnswererWay {
  readonly name: string;
  readonly era: 'sessions' | 'stateless';
  open(
    node: { readonly system: System; readonly url: string },
    capabilities: object,
  ): Promise<{
    ask(method: string, params: object, answering: Answering): Conversation;
    leave(): void;
  }>;
}

/** A response with that outcome; an `Error` is an error. */
function responseTo(id: unknown, outcome: unknown): object {
  if (outcome instanceof Error) return { jsonrpc: '2.0', id, error: { code: -1, message: outcome.message } };
  return { jsonrpc: '2.0', id, result: outcome };
}

type Send = (method: string, params: object) => { readonly answer: Promise<any>; readonly messages: any[] };

/** Goes on until the result asks for nothing more. */
function inRounds(send: Send, method: string, params: object, answering: Answering): Conversation {
  const all: any[][] = [];
  const rounds = async (): Promise<any> => {
    let more: object = {};
    for (;;) {
      const { answer, messages } = send(method, { ...params, ...more });
      all.push(messages);
      const message = await answer;
      const { resultType, inputRequests, requestState } = message.result ?? {};
      if (resultType !== 'input_required') return message;
      const answers = Object.entries<any>(inputRequests).map(([name, question]) => [name, answering(question, name)]);
      const given = answers.filter(([, answer]) => answer !== undefined);
      more = { inputResponses: Object.fromEntries(given), requestState };
    }
  };
  return { answer: rounds(), messages: () => all.flat() };
}

export const answererWays: readonly AnswererWay[] = [
  {
    name: 'a session on a stream',
    era: 'sessions',
    async open(node, capabilities) {
      const { client, link } = await streams[0]!.open(node, capabilities);
      let asked = 0;
      return {
        ask(method, params, answering) {
          const from = client.received.length;
          const answer = client.request(method, params, `asked ${++asked}`);
          void answerAll(
            (n) => client.message(from + n),
            answering,
            (response) => client.send(response),
          );
          return { answer, messages: () => client.received.slice(from) };
        },
        leave: () => link.close(),
      };
    },
  },
  {
    name: 'a stateless stream',
    era: 'stateless',
    async open(node, capabilities) {
      const { client, link, meta } = await streams[1]!.open(node, capabilities);
      let asked = 0;
      const send: Send = (method, params) => {
        const answer = client.request(method, { ...params, _meta: meta }, `asked ${++asked}`);
        return { answer, messages: client.received };
      };
      return {
        ask: (method, params, answering) => inRounds(send, method, params, answering),
        leave: () => link.close(),
      };
    },
  },
  {
    name: 'a session over HTTP',
    era: 'sessions',
    async open({ url }, capabilities) {
      const session = await HttpSession.open(url, capabilities);
      return {
        ask(method, params, answering) {
          const exchange = session.request(method, params);
          void answerAll(
            (n) => exchange.message(n),
            answering,
            (response) => void session.client.post(response, session.headers),
          );
          return { answer: exchange.answer(), messages: () => exchange.messages };
        },
        leave: () => session.client.close(),
      };
    },
  },
  {
    name: 'stateless HTTP',
    era: 'stateless',
    async open({ url }, capabilities) {
      const client = new HttpClient(url);
      const send: Send = (method, params) => {
        const exchange = client.stateless(method, params, { capabilities });
        return { answer: exchange.answer(), messages: exchange.messages };
      };
      return {
        ask: (method, params, answering) => inRounds(send, method, params, answering),
        leave: () => client.close(),
      };
    },
  },
];

/** Answers every request of the server as it comes, until there is no further message. */
async function answerAll(
  message: (n: number) => Promise<any>,
  answering: Answering,
  respond: (response: object) => void,
): Promise<void> {
  try {
    for (let n = 0; ; n++) {
      const { id, method, params } = await message(n);
      if (method === undefined || id === undefined) continue;
      const outcome = answering({ method, params }, '');
      if (outcome !== undefined) respond(responseTo(id, outcome));
    }
  } catch {
    // No further message comes: the exchange, or the stream, has ended.
  }
}
