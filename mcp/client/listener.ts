import { type From, type GenServer, genServer, noreply, stop } from '../../runtime/index.ts';
import type { CallbackContext } from './callbacks.ts';

export interface ListenerStart {
  readonly client: string;
  readonly what: string;
  readonly run: (value: any, ctx: CallbackContext) => unknown;
}

/** What a listener is told. `finish`: after all that came before, answer that caller and end. */
export interface ListenerProtocol {
  readonly cast: {
    readonly event: unknown;
    readonly finish: { readonly from: From<unknown>; readonly reply: unknown };
  };
}

/**
 * Runs a function of the user for each of a sequence of events, in order. An answer that must not overtake the events
 * before it goes through here too.
 */
export const Listener: GenServer<ListenerProtocol, readonly [undefined, ListenerStart]> = genServer(
  import.meta,
  'Listener',
  {
    init([, start], ctx) {
      ctx.setLabel(`${start.what} for client ${start.client}`);
      return start;
    },
    handleCast: {
      event: (start: ListenerStart, value, ctx) => {
        // A promise is not waited for: the next event would wait with it. Its rejection is blamed on this process.
        start.run(value, { signal: ctx.signal, client: start.client });
        return noreply(start);
      },
      finish: (start: ListenerStart, { from, reply }, ctx) => {
        ctx.replyTo(from, reply);
        return stop('normal', start);
      },
    },
  },
);
