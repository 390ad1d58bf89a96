/** What clients can be told of without having asked at that moment. Pure. */

import { notificationMessage, type RequestId } from '../json-rpc.ts';
import { SUBSCRIPTION_KEY } from '../revision/contract.ts';

/** The lists whose change is told of; templates belong to the resources. */
export const CHANGED_LISTS = ['tools', 'resources', 'prompts'] as const;
export type ChangedList = (typeof CHANGED_LISTS)[number];

/** What each list looks like to clients, in short. */
export type ListDigests = { readonly [list in ChangedList]: string };

/** What a `subscriptions/listen` asks for (2026-07-28). */
export interface ListenFilter {
  readonly toolsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourceSubscriptions?: readonly string[];
  /** The tasks whose changes the client wants to hear of. */
  readonly taskIds?: readonly string[];
}

export function changedLists(before: ListDigests, now: ListDigests): ChangedList[] {
  return CHANGED_LISTS.filter((list) => before[list] !== now[list]);
}

export function wants(filter: ListenFilter, list: ChangedList): boolean {
  return filter[`${list}ListChanged`] === true;
}

/** The part of a filter that a server with these capabilities can honour; which tasks there are is not known here. */
export function honoured(filter: ListenFilter, capabilities: { readonly [name: string]: unknown }): ListenFilter {
  const lists = CHANGED_LISTS.filter((list) => wants(filter, list) && capabilities[list] !== undefined);
  const { resourceSubscriptions: uris, taskIds } = filter;
  return {
    ...Object.fromEntries(lists.map((list) => [`${list}ListChanged`, true])),
    ...(uris === undefined || capabilities['resources'] === undefined
      ? {}
      : { resourceSubscriptions: [...new Set(uris)] }),
    ...(taskIds === undefined ? {} : { taskIds: [...new Set(taskIds)] }),
  };
}

/** A notification of a `subscriptions/listen`, marked as such. */
export function listenNotification(id: RequestId, method: string, params: object = {}): object {
  return notificationMessage(method, { ...params, _meta: { [SUBSCRIPTION_KEY]: id } });
}
