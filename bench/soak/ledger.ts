/** What became of every request, and which fault answers for those that had no answer. No process, no socket. */
import type { Fault, Kind } from './faults.ts';

/** How a request, or the way to the server, ended without an answer. */
export type Loss =
  /** Answered with an error. */
  | 'error'
  /** The connection was closed while it was under way. */
  | 'closed'
  /** No connection could be opened. */
  | 'refused'
  /** Neither, in all the time that a request may take. */
  | 'hung';

interface Excuse {
  readonly covers: (loss: Loss, kind: Kind) => boolean;
  /** Requests that it may answer for. */
  left: number;
  readonly atMs: number;
  /** What began later is not hit. */
  untilMs: number;
}

/** How long the effect of a kill may take to reach its client; and a listener or a thread to be there again. */
const REACH_MS = 5_000;

export class Ledger {
  answered = 0;
  /** Hit by a fault, and told so. */
  failed = 0;
  /** No fault answers for these. */
  lost = 0;
  readonly latenciesMs: number[] = [];
  private readonly found: (what: string) => void;
  private excuses: Excuse[] = [];

  /** `found` is told of each that is lost. */
  constructor(found: (what: string) => void) {
    this.found = found;
  }

  /** A fault is about to be caused. What is returned is to be called when it is over. */
  fault(fault: Fault, nowMs: number): (nowMs: number) => void {
    this.excuses = this.excuses.filter(({ untilMs, left }) => left > 0 && untilMs > nowMs - 2 * REACH_MS);
    const excuse = excuseOf(fault, nowMs);
    if (excuse === undefined) return () => {};
    this.excuses.push(excuse);
    return (endMs) => {
      if (excuse.untilMs === Number.POSITIVE_INFINITY) excuse.untilMs = endMs;
    };
  }

  answer(startMs: number, endMs: number): void {
    this.answered++;
    this.latenciesMs.push(endMs - startMs);
  }

  loss(loss: Loss, kind: Kind, startMs: number, detail: string): void {
    const excuse = this.excuses.find(
      ({ left, covers, atMs, untilMs }) =>
        left > 0 && covers(loss, kind) && startMs <= untilMs && startMs >= atMs - 2 * REACH_MS,
    );
    if (excuse === undefined) {
      this.lost++;
      this.found(`${kind}: ${loss}: ${detail}`);
      return;
    }
    excuse.left--;
    this.failed++;
  }
}

function excuseOf(fault: Fault, nowMs: number): Excuse | undefined {
  const hit = { atMs: nowMs, untilMs: nowMs + REACH_MS };
  if ('call' in fault) {
    // Whatever runs on a thread ends with it.
    if (fault.call !== 'exits') return undefined;
    const untilMs = Number.POSITIVE_INFINITY;
    return { covers: (loss) => loss === 'error', left: untilMs, atMs: nowMs, untilMs };
  }
  if (!('of' in fault)) return { covers: (loss) => loss === 'error', left: 1, ...hit };
  const { kill, of } = fault;
  if (kill === 'connection') return { covers: (loss, kind) => loss !== 'hung' && kind === of, left: 1, ...hit };
  // Who is connected goes on when a listener is killed, only who comes just then is refused; but what is posted to an
  // event stream comes over sockets that are the listener's.
  const isCut = kill === 'transport' || of === 'sse';
  const isHit = (loss: Loss): boolean => (isCut ? loss !== 'hung' : loss === 'refused');
  return { covers: (loss, kind) => kind === of && isHit(loss), left: Number.POSITIVE_INFINITY, ...hit };
}
