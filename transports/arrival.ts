import type { Peer } from './peer.ts';

/** Why an accepted client gets no process. */
export type TurnedAway =
  | 'too_many_connections'
  | 'too_many_connections_of_address'
  | 'out_of_descriptors'
  /** The transport is being stopped or restarted. */
  | 'unavailable'
  /** The process failed at its start. */
  | 'internal_error';

/** A client that was accepted, while its process is not there yet. */
export interface Arrival extends Peer {
  /** Whether a process has taken it over. */
  readonly isOpen: boolean;
  /** Whether it has left, or its process has ended. */
  readonly isGone: boolean;
  /** There will be no process for it: it is told so as far as its protocol can, and let go. */
  turnAway(why: TurnedAway): void;
}

/** What it is told, in words. */
export const TURNED_AWAY: Readonly<Record<TurnedAway, string>> = {
  too_many_connections: 'The server has as many connections as it takes. Try again later.',
  too_many_connections_of_address: 'The server has as many connections of this address as it takes.',
  out_of_descriptors: 'The server has no file descriptors to spare. Try again later.',
  unavailable: 'The server is stopping or starting. Try again.',
  internal_error: 'The connection could not be started.',
};

const INTERNAL_ERROR = -32_603;

/** The same as a JSON-RPC error without an id, for those who read messages; `data.reason` is stable. */
export function turnedAwayMessage(why: TurnedAway): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    error: { code: INTERNAL_ERROR, message: TURNED_AWAY[why], data: { reason: why } },
  });
}
