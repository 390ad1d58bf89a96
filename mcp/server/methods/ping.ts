import { viewOf } from '../catalog.ts';
import type { MethodHandler } from './outcome.ts';

/** `ping` (2025-11-25, utilities/ping). */
export const ping: MethodHandler = ({ catalog, revision }) => ({
  kind: 'result',
  result: revision.result({}, viewOf(catalog, revision).serverInfo),
});
