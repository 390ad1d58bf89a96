import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { CARRIER_LIMITS, type CarrierLimits, resolveLimits } from '../limits.ts';
import { MemoryCarrier } from './memory-carrier.ts';

/** Options of `memoryClient`: whom to connect to, and any bound of `CarrierLimits`. */
export interface MemoryClientOptions extends Partial<CarrierLimits> {
  /** The id of a `memory` transport of the same system. Default `'memory'`. */
  readonly id?: string;
}

/**
 * A server in the same system, behind the transport `memory`. Messages cross as JSON text.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if a bound is no positive integer.
 */
export function memoryClient(options: MemoryClientOptions = {}): ClientTransport {
  const { id = 'memory' } = options;
  const start = { id, limits: resolveLimits(CARRIER_LIMITS, options) };
  return {
    kind: 'stream',
    target: `memory transport ${id}`,
    carrier: child(MemoryCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
