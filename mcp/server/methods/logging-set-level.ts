import type { LogLevel } from '../../request-context.ts';
import { viewOf } from '../catalog.ts';
import type { MethodHandler } from './outcome.ts';

/** `logging/setLevel` (2025-11-25, server/utilities/logging): for the requests of the session from now on. */
export const loggingSetLevel: MethodHandler = ({ params, catalog, revision }) => ({
  kind: 'result',
  result: revision.result({}, viewOf(catalog, revision).serverInfo),
  change: { logLevel: params['level'] as LogLevel },
});
