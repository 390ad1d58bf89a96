/** A server that ends its thread, where a listener takes its time over that. */

import { type GenServer, genServer, noreply, type Pid } from '../../runtime/index.ts';
import type { ProbeProtocol } from './thread-probe.ts';

export interface Leave {
  /** One word: the thread ends when it is no longer 0. `'never'`: it does not end by itself. */
  readonly until: SharedArrayBuffer | 'never';
  readonly by: 'exit' | 'throw';
  /** Has a note from it, the last thing it does. */
  readonly last: Pid<ProbeProtocol>;
}

export interface SlowLeaverProtocol {
  readonly cast: { readonly leave: Leave };
}

export const SlowLeaver: GenServer<SlowLeaverProtocol, undefined> = genServer(import.meta, 'SlowLeaver', {
  init: () => undefined,
  handleCast: {
    leave: (state, { until, by, last }, ctx) => {
      process.on('exit', () => {
        while (until === 'never');
        Atomics.wait(new Int32Array(until), 0, 0);
      });
      ctx.send(last, 'note', 'last words');
      ctx.flush();
      if (by === 'exit') process.exit(3);
      process.nextTick(() => {
        throw new Error('on the way out');
      });
      return noreply(state);
    },
  },
});
