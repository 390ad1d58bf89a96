/** A server whose module tells on which threads it is imported. */

import { BroadcastChannel, threadId } from 'node:worker_threads';
import { type Call, type GenServer, genServer, reply } from '../../runtime/index.ts';

/** Where the thread is told. */
export const importsChannel = 'beamish test: announced imports';

const told = new BroadcastChannel(importsChannel);
told.postMessage(threadId);
told.close();

export interface AnnouncedProtocol {
  readonly call: { readonly thread: Call<void, number> };
  /** Ends the thread. */
  readonly cast: { readonly end: void };
}

export const Announced: GenServer<AnnouncedProtocol, undefined> = genServer(import.meta, 'Announced', {
  init: () => undefined,
  handleCall: { thread: (state) => reply(threadId, state) },
  handleCast: { end: () => process.exit(3) },
});
