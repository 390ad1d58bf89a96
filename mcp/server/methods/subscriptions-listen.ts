import { errorObject, INVALID_PARAMS } from '../../errors.ts';
import type { JsonObject } from '../../json-rpc.ts';
import { honoured, type ListenFilter } from '../subscriptions.ts';
import { failed, type MethodHandler } from './outcome.ts';

/** `subscriptions/listen` (2026-07-28, basic/subscriptions): notifications from now on, of what this server has. */
export const subscriptionsListen: MethodHandler = ({ params, catalog, revision, limits }) => {
  const asked = params['notifications'] as ListenFilter;
  const filter = honoured(asked, catalog.capabilities as JsonObject);
  const uris = filter.resourceSubscriptions?.length ?? 0;
  if (uris <= limits.subscriptionsMax) return { kind: 'listen', filter };
  const message = `params.notifications.resourceSubscriptions may have ${limits.subscriptionsMax} URIs, not ${uris}`;
  return failed(errorObject(INVALID_PARAMS, message), revision);
};
