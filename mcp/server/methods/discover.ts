import { viewOf } from '../catalog.ts';
import type { MethodHandler } from './outcome.ts';

/** `server/discover` (2026-07-28, server/discover). */
export const discover: MethodHandler = ({ catalog, revision }) => ({
  kind: 'result',
  result: viewOf(catalog, revision).discovered,
});
