/** A process that lets go who has entered when the test says so, on whatever thread they are. */

import { type Call, type From, type GenServer, genServer, noreply } from '../../runtime/index.ts';

export interface GateProtocol {
  readonly call: { readonly enter: Call<number, void> };
  readonly cast: { readonly open: void };
}

export interface GateStart {
  readonly entered: (version: number) => void;
}

export const GateProcess: GenServer<GateProtocol, GateStart> = genServer(import.meta, 'GateProcess', {
  init: (start) => ({ ...start, waiting: [] as From<void>[] }),
  handleCall: {
    enter: (state: GateStart & { readonly waiting: From<void>[] }, version, ctx) => {
      state.waiting.push(ctx.from);
      state.entered(version);
      return noreply(state);
    },
  },
  handleCast: {
    open: (state: GateStart & { readonly waiting: From<void>[] }, _payload, ctx) => {
      for (const from of state.waiting.splice(0)) ctx.replyTo(from, undefined);
      return noreply(state);
    },
  },
});
