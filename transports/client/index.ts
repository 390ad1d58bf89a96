/** The client side of the transports: `beamish/transports/client`. */

export type { ClientTransport } from '../client-transport.ts';
export type { CarrierLimits, ChildProcessLimits, HttpClientLimits } from '../limits.ts';
export { CARRIER_LIMITS, CHILD_PROCESS_LIMITS, HTTP_CLIENT_LIMITS } from '../limits.ts';
export { type HttpClientOptions, httpClient } from './http-client.ts';
export { type MemoryClientOptions, memoryClient } from './memory-client.ts';
export { type ChildProcessOptions, childProcess } from './stdio-client.ts';
