import { errorObject, INVALID_PARAMS } from '../../errors.ts';
import type { JsonObject } from '../../json-rpc.ts';
import { honoured, type ListenFilter } from '../subscriptions.ts';
import { failed, type MethodHandler } from './outcome.ts';

/** `subscriptions/listen` (2026-07-28, basic/subscriptions): notifications from now on, of what this server has. */
export const subscriptionsListen: MethodHandler = ({ params, catalog, revision, limits }) => {
  const asked = params['notifications'] as ListenFilter;
  const filter = honoured(asked, catalog.capabilities as JsonObject);
  const most = limits.subscriptionsMax;
  const long = (['resourceSubscriptions', 'taskIds'] as const).find((member) => (filter[member]?.length ?? 0) > most);
  if (long === undefined) return { kind: 'listen', filter };
  const what = long === 'taskIds' ? 'ids' : 'URIs';
  const message = `params.notifications.${long} may have ${most} ${what}, not ${filter[long]?.length}`;
  return failed(errorObject(INVALID_PARAMS, message), revision);
};
