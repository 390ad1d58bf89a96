/** The four ways in which a tool can be called: two eras, over a stream and over HTTP. */

import type { System } from '../../runtime/index.ts';
import { connectMemory, type MemoryClient } from '../../transports/memory.ts';
import { envelope, HttpClient, HttpSession } from './mcp-http-client.ts';
import { StreamClient } from './mcp-stream-client.ts';

export interface CallOptions {
  readonly id?: unknown;
  /** Asks for progress. */
  readonly progressToken?: string | number;
  /** What else its `_meta` says. */
  readonly meta?: object;
}

/** A call that has been sent. */
export interface SentCall {
  /** The message that answers it. */
  readonly answer: Promise<any>;
  /** What came for it so far, its progress and its answer. */
  readonly messages: readonly any[];
}

export interface Way {
  readonly name: string;
  readonly era: 'sessions' | 'stateless';
  readonly carrier: 'stream' | 'http';
  /** Opens a client; capabilities are what it declares. */
  open(node: Node, capabilities?: object): Promise<Caller>;
}

export interface Caller {
  request(method: string, params?: object, options?: CallOptions): SentCall;
  /** A call of a tool. */
  call(tool: string, args?: object, options?: CallOptions): SentCall;
  /** Leaves without a word: the socket or the stream is gone. */
  leave(): void;
}

const metaOf = ({ progressToken, meta }: CallOptions): object => ({
  ...(progressToken === undefined ? {} : { progressToken }),
  ...meta,
});

/** A caller by its requests. */
function calling(caller: Omit<Caller, 'call'>): Caller {
  return {
    ...caller,
    call: (tool, args = {}, options) => caller.request('tools/call', { name: tool, arguments: args }, options),
  };
}

function overStream({ client, link, meta }: OpenStream): Caller {
  let requests = 0;
  return calling({
    request(method, params = {}, options = {}) {
      const id = options.id ?? `request ${++requests}`;
      const answer = client.request(method, { ...params, _meta: { ...meta, ...metaOf(options) } }, id);
      return { answer, messages: client.received };
    },
    leave: () => link.close(),
  });
}

type Node = { readonly system: System; readonly url: string };

/** A client on a stream in memory, and what its requests must say of it in `_meta`. */
export interface OpenStream {
  readonly client: StreamClient;
  readonly link: MemoryClient;
  readonly meta: object;
}

export interface StreamWay extends Pick<Way, 'name' | 'era'> {
  open(node: Pick<Node, 'system'>, capabilities?: object): Promise<OpenStream>;
}

export const streams: readonly StreamWay[] = [
  {
    name: 'a session on a stream',
    era: 'sessions',
    async open({ system }, capabilities) {
      const link = await connectMemory(system);
      const client = new StreamClient(link);
      const { error } = await client.open(capabilities);
      // A client that is refused its session has none: it may come back, not call.
      if (error !== undefined) throw new Error(`no session: ${JSON.stringify(error)}`);
      return { client, link, meta: {} };
    },
  },
  {
    name: 'a stateless stream',
    era: 'stateless',
    async open({ system }, capabilities) {
      const link = await connectMemory(system);
      return { client: new StreamClient(link), link, meta: envelope(capabilities) };
    },
  },
];

export const ways: readonly Way[] = [
  ...streams.map(
    ({ name, era, open }): Way => ({
      name,
      era,
      carrier: 'stream',
      open: async (node, capabilities) => overStream(await open(node, capabilities)),
    }),
  ),
  {
    name: 'a session over HTTP',
    era: 'sessions',
    carrier: 'http',
    async open({ url }, capabilities) {
      const session = await HttpSession.open(url, capabilities);
      return calling({
        request(method, params = {}, options = {}) {
          const exchange = session.request(method, { ...params, _meta: metaOf(options) }, options.id);
          return { answer: exchange.answer(), messages: exchange.messages };
        },
        leave: () => session.client.close(),
      });
    },
  },
  {
    name: 'stateless HTTP',
    era: 'stateless',
    carrier: 'http',
    async open({ url }, capabilities = {}) {
      const client = new HttpClient(url);
      return calling({
        request(method, params = {}, options = {}) {
          const { id = 1 } = options;
          const exchange = client.stateless(method, params, { id, capabilities, meta: metaOf(options) });
          return { answer: exchange.answer(), messages: exchange.messages };
        },
        leave: () => client.close(),
      });
    },
  },
];
