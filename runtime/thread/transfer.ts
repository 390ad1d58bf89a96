/** Buffers that their owner gives away instead of having them copied. */

import { BadArgError } from '../kernel/errors.ts';

const marked = new WeakSet<ArrayBuffer>();

/**
 * Marks a buffer to be handed over, not copied, by the next message that takes it to another thread: it is detached
 * here as soon as that message is sent. Takes an `ArrayBuffer`, or a view, whose whole buffer it marks; returns its
 * argument. A message within the thread hands over nothing.
 *
 * Throws `BadArgError` for what is no buffer, for shared memory (which is shared anyway), and for a `Buffer` that is
 * a part of Node.js' pool (use `Buffer.allocUnsafeSlow`).
 */
export function transfer<B extends ArrayBuffer | ArrayBufferView>(buffer: B): B {
  const whole: unknown = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer;
  if (!(whole instanceof ArrayBuffer)) {
    throw new BadArgError(
      `transfer takes an ArrayBuffer or a view of one, not ${Object.prototype.toString.call(whole)}`,
    );
  }
  if (Buffer.isBuffer(buffer) && buffer.byteLength !== whole.byteLength) {
    throw new BadArgError(
      'this Buffer is a part of a larger one and can not be transferred alone: make it with allocUnsafeSlow',
    );
  }
  marked.add(whole);
  return buffer;
}

export function isMarked(buffer: ArrayBufferLike): boolean {
  return marked.has(buffer as ArrayBuffer);
}

/** Takes the buffer from its owner at once. */
export function takeMarked(buffer: ArrayBuffer): ArrayBuffer {
  marked.delete(buffer);
  return structuredClone(buffer, { transfer: [buffer] });
}
