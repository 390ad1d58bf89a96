/** The last ids of requests that have ended: an answer to one of them is late, to any other unknown. */
export class SeenIds {
  private readonly max: number;
  private readonly ids = new Set<number>();

  constructor(max: number) {
    this.max = max;
  }

  add(id: number): void {
    this.ids.add(id);
    if (this.ids.size <= this.max) return;
    for (const oldest of this.ids) {
      this.ids.delete(oldest);
      return;
    }
  }

  has(id: unknown): boolean {
    return typeof id === 'number' && this.ids.has(id);
  }
}
