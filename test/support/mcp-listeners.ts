/** The four ways in which a client hears of what it has not asked for at that moment. */

import type { System } from '../../runtime/index.ts';
import { connectMemory } from '../../transports/memory.ts';
import { envelope, HttpClient, HttpSession } from './mcp-http-client.ts';
import { StreamClient } from './mcp-stream-client.ts';

/** What is wanted: the filter of `subscriptions/listen`. Sessions hear of all lists. */
export interface Wanted {
  readonly toolsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourceSubscriptions?: readonly string[];
  readonly taskIds?: readonly string[];
}

export interface Listener {
  /** What came so far that is no answer. */
  readonly heard: () => any[];
  /** The first notification of that method, one that matches if that is asked, when it is there. */
  hear(method: string, matches?: (message: any) => boolean): Promise<any>;
  /** A request of the same client, and its answer. */
  ask(method: string, params?: object): Promise<any>;
  leave(): void;
}

export interface ListenWay {
  readonly name: string;
  readonly era: 'sessions' | 'stateless';
  /** Capabilities are what a stateless client declares. */
  open(
    node: { readonly system: System; readonly url: string },
    wanted: Wanted,
    capabilities?: object,
  ): Promise<Listener>;
}

const any = (): boolean => true;
const isNotification = (message: any): boolean => message.method !== undefined && message.id === undefined;

function onStream(client: StreamClient, meta: object, leave: () => void): Listener {
  let asked = 0;
  return {
    heard: () => client.received.filter(isNotification),
    hear: (method, matches = any) => client.find((message) => message.method === method && matches(message)),
    ask: (method, params = {}) => client.request(method, { ...params, _meta: meta }, `asked ${++asked}`),
    leave,
  };
}

export const listenWays: readonly ListenWay[] = [
  {
    name: 'a session on a stream',
    era: 'sessions',
    async open({ system }, { resourceSubscriptions = [] }) {
      const link = await connectMemory(system);
      const client = new StreamClient(link);
      await client.open();
      for (const uri of resourceSubscriptions) await client.request('resources/subscribe', { uri }, `sub ${uri}`);
      return onStream(client, {}, () => link.close());
    },
  },
  {
    name: 'a stateless stream',
    era: 'stateless',
    async open({ system }, notifications, capabilities) {
      const link = await connectMemory(system);
      const client = new StreamClient(link);
      const params = { notifications, _meta: envelope(capabilities) };
      client.send({ jsonrpc: '2.0', id: 'listen', method: 'subscriptions/listen', params });
      const listener = onStream(client, envelope(capabilities), () => link.close());
      await listener.hear('notifications/subscriptions/acknowledged');
      return listener;
    },
  },
  {
    name: 'a session over HTTP',
    era: 'sessions',
    async open({ url }, { resourceSubscriptions = [] }) {
      const session = await HttpSession.open(url);
      const exchange = session.listen();
      await exchange.opened;
      for (const uri of resourceSubscriptions) await session.request('resources/subscribe', { uri }).ended;
      return {
        heard: () => exchange.messages.filter(isNotification),
        hear: (method, matches = any) => exchange.find((message) => message.method === method && matches(message)),
        ask: (method, params) => session.request(method, params).answer(),
        leave: () => session.client.close(),
      };
    },
  },
  {
    name: 'stateless HTTP',
    era: 'stateless',
    async open({ url }, notifications, capabilities = {}) {
      const client = new HttpClient(url);
      const exchange = client.stateless('subscriptions/listen', { notifications }, { id: 'listen', capabilities });
      const hear: Listener['hear'] = (method, matches = any) =>
        exchange.find((message) => message.method === method && matches(message));
      await hear('notifications/subscriptions/acknowledged');
      return {
        heard: () => exchange.messages.filter(isNotification),
        hear,
        ask: (method, params) => client.stateless(method, params, { capabilities }).answer(),
        leave: () => client.close(),
      };
    },
  },
];
