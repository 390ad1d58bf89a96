import { missingScopes } from '../../authorization/bearer.ts';
import { errorObject, INVALID_PARAMS } from '../../errors.ts';
import type { JsonObject } from '../../json-rpc.ts';
import { honoured, type ListenFilter } from '../subscriptions.ts';
import { failed, type MethodHandler } from './outcome.ts';
import { readableAt } from './resources-read.ts';

/** `subscriptions/listen` (2026-07-28, basic/subscriptions): notifications from now on, of what this server has. */
export const subscriptionsListen: MethodHandler = ({ params, catalog, revision, limits, granted }) => {
  const asked = params['notifications'] as ListenFilter;
  const filter = honoured(asked, catalog.capabilities as JsonObject);
  const most = limits.subscriptionsMax;
  const long = (['resourceSubscriptions', 'taskIds'] as const).find((member) => (filter[member]?.length ?? 0) > most);
  if (long === undefined) {
    const { resourceSubscriptions: uris } = filter;
    // Who may not read it does not hear of it either: the acknowledgement names what is left.
    const mayRead = (uri: string): boolean =>
      missingScopes(readableAt(catalog, uri, limits)?.scopes ?? [], granted ?? []).length === 0;
    if (uris === undefined || granted === undefined) return { kind: 'listen', filter };
    return { kind: 'listen', filter: { ...filter, resourceSubscriptions: uris.filter(mayRead) } };
  }
  const what = long === 'taskIds' ? 'ids' : 'URIs';
  const message = `params.notifications.${long} may have ${most} ${what}, not ${filter[long]?.length}`;
  return failed(errorObject(INVALID_PARAMS, message), revision);
};
