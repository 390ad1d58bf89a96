/** Answers a request with its params, as JSON-RPC: what a protocol must do at least. A notification brings nothing. */
import type { Endpoint, EndpointSpec } from '../../../transports/transport.ts';

interface Message {
  readonly id?: number;
  readonly params?: unknown;
}

export const EchoEndpoint: Endpoint<undefined, undefined> = {
  init: () => undefined,
  handleInbound(_state, { exchange, text }, ctx) {
    const { id, params } = JSON.parse(text) as Message;
    if (id === undefined) ctx.cast(ctx.self, 'send', { exchange, end: true });
    else ctx.cast(ctx.self, 'send', { exchange, message: { jsonrpc: '2.0', id, result: params }, end: true });
    return undefined;
  },
  handleAbort: () => undefined,
  handleDown: () => undefined,
};

export const echo: EndpointSpec = { module: import.meta.url, exportName: 'EchoEndpoint', config: undefined };
