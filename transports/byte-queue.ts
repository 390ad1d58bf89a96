const CAPACITY_MIN = 4_096;

/**
 * Bytes that arrive in pieces, gathered into one block. They are copied: a peer who sends a message byte by byte would
 * otherwise pin a whole read buffer per byte.
 */
export class ByteQueue {
  private block: Buffer | undefined;
  length = 0;

  append(piece: Buffer): void {
    const needed = this.length + piece.length;
    if (this.block === undefined || this.block.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(CAPACITY_MIN, needed, this.length * 2));
      this.block?.copy(grown, 0, 0, this.length);
      this.block = grown;
    }
    piece.copy(this.block, this.length);
    this.length = needed;
  }

  /** All bytes so far; the queue is empty afterwards. */
  take(): Buffer {
    const bytes = this.block?.subarray(0, this.length) ?? Buffer.alloc(0);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.block = undefined;
    this.length = 0;
  }
}
