import { channel } from 'node:diagnostics_channel';
import { type GenServer, genServer, noreply } from '../../runtime/index.ts';
import { type CollectorProtocol, workerEvents } from './worker.ts';

const events = channel(workerEvents);

/** Publishes on its own thread what the workers of all threads say of themselves. */
export const Collector: GenServer<CollectorProtocol> = genServer(import.meta, 'Collector', {
  init(_nothing: void): null {
    return null;
  },
  handleInfo: {
    told: (state: null, event) => {
      events.publish(event);
      return noreply(state);
    },
  },
});
