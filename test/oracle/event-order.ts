/** Puts what happened on several threads, and comes as it comes, in the order in which it happened. */
export class EventOrder {
  private next = 0;
  private readonly early = new Map<number, () => void>();

  /** Runs `turn` when all smaller numbers have had theirs. Each number is given out once, from 0. */
  take(number: number, turn: () => void): void {
    this.early.set(number, turn);
    for (let run = this.early.get(this.next); run !== undefined; run = this.early.get(this.next)) {
      this.early.delete(this.next++);
      run();
    }
  }

  /** What is missing, for who waits in vain. */
  get gap(): string {
    const { size } = this.early;
    return size === 0 ? 'no event is missing' : `event ${this.next} has not come, and ${size} wait behind it`;
  }
}
