/** A node of ours whose tools run on a worker thread, as under `beamish serve`. */
import { serveOurs } from './serve-ours.ts';

await serveOurs({ threads: { cpu: 1 } });
