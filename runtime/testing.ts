/** For tests of programs on the runtime: `beamish/testing`. */
export { settle } from './settle.ts';
export { type SimulatedClock, simulatedClock } from './simulated-clock.ts';
export {
  type SimulatedKills,
  type SimulatedRun,
  type SimulateOptions,
  SimulationError,
  simulate,
  type Victim,
} from './simulation.ts';

/**
 * Freezes a value and all it holds. As `startSystem({ onSend: deepFreeze })` it makes a change to a message after it
 * was sent throw: a message belongs to its receiver. Buffers and typed arrays cannot be frozen, and instances of
 * classes are not plain data: both are left as they are.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !Array.isArray(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
