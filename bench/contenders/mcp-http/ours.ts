/** A node of ours, all on the main thread. */
import { serveOurs } from './serve-ours.ts';

await serveOurs({});
