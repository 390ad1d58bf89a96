/** Places in a table of tickets; far more than there are requests in flight. */
const PLACES = 65_536;
const TICKETS = 2 ** 30;

/**
 * Who begins a piece of work, in memory that threads share: the thread that was asked, or, if that does not yield, who
 * has asked, to ask another one. One of them gets the ticket, so that no work is done twice.
 */
export class Claims {
  readonly memory: SharedArrayBuffer;
  /** The last ticket; then each ticket in its place: twice its number, and one more when it is taken. */
  private readonly words: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4 * (1 + PLACES))) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  newTicket(): number {
    const ticket = (Atomics.add(this.words, 0, 1) + 1) % TICKETS;
    Atomics.store(this.words, placeOf(ticket), 2 * ticket);
    return ticket;
  }

  isTaken(ticket: number): boolean {
    return Atomics.load(this.words, placeOf(ticket)) !== 2 * ticket;
  }

  /** True for the first who takes it. */
  take(ticket: number): boolean {
    return Atomics.compareExchange(this.words, placeOf(ticket), 2 * ticket, 2 * ticket + 1) === 2 * ticket;
  }
}

function placeOf(ticket: number): number {
  return 1 + (ticket % PLACES);
}
