/**
 * The public surface of `beamish/compute`: threads for stateless work. Jobs are made by `beamish/compute/job`. What is
 * named in neither is internal.
 */

export { type ComputeOptions, compute } from './compute.ts';
export { type ComputePoolProtocol, computePool } from './compute-pool.ts';
export type { ComputePoolOptions } from './pool-options.ts';
