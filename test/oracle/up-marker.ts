import { type GenServer, genServer, ignore } from '../../runtime/index.ts';
import { tell } from './worker.ts';

/**
 * The last child of a dynamic supervisor: nobody reports that such a supervisor is up, so it does, and is gone.
 * Temporary and ignored, it leaves no trace in the supervisor.
 */
export const UpMarker: GenServer<object, string> = genServer(import.meta, 'UpMarker', {
  init(path: string, ctx) {
    if (ctx.parent === undefined) throw new Error('the marker has no parent');
    tell(ctx, { kind: 'ready', path }, ctx.parent);
    return ignore();
  },
});
