const large = new Uint8Array(3 * 1_024 * 1_024).fill(3);
const medium = new Uint8Array(64 * 1_024).fill(5);

/** The same frames in each thread: small ones, with a few of 1 KiB, 64 KiB and 3 MiB between them. */
export class FrameSource {
  private at = 0;
  private readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  get isAtEnd(): boolean {
    return this.at === this.count;
  }

  next(): readonly unknown[] | undefined {
    if (this.isAtEnd) return undefined;
    const i = this.at++;
    if (i % 5_000 === 2_500) return [i, large];
    if (i % 500 === 250) return [i, medium];
    if (i % 50 === 25) return [i, { text: 'y'.repeat(1_000 + (i % 7)) }];
    return [i, { type: 'add', ref: i, n: i & 1_023 }];
  }
}
