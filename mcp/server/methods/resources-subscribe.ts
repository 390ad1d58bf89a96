import { viewOf } from '../catalog.ts';
import { failed, type MethodHandler, scopeProblem } from './outcome.ts';
import { notFound, readableAt } from './resources-read.ts';

/** `resources/subscribe` (2025-11-25, server/resources): the session is told when the resource changes. */
export const resourcesSubscribe: MethodHandler = ({ params, catalog, revision, limits, granted }) => {
  const uri = params['uri'] as string;
  const readable = readableAt(catalog, uri, limits);
  if (readable === undefined) return failed(notFound(uri, revision), revision);
  const barred = scopeProblem(readable.scopes, { kind: 'resource', name: uri }, { granted, revision });
  if (barred !== undefined) return barred;
  const result = revision.result({}, viewOf(catalog, revision).serverInfo);
  return { kind: 'result', result, change: { subscribe: uri } };
};

/** `resources/unsubscribe`: of a resource that is not subscribed to, or has gone, it is no error. */
export const resourcesUnsubscribe: MethodHandler = ({ params, catalog, revision }) => ({
  kind: 'result',
  result: revision.result({}, viewOf(catalog, revision).serverInfo),
  change: { unsubscribe: params['uri'] as string },
});
