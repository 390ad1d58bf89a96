/** Which faults come, and in which order: all from a seed. */

export const KINDS = ['tcp', 'websocket', 'http', 'sse', 'http2', 'grpc'] as const;

/** A transport of the node, by its id there. */
export type Kind = (typeof KINDS)[number];

type PartOfTransport = 'connection' | 'listener' | 'transport';

/** What can be killed; names of questions to the node. */
export type Part = 'session' | 'request' | `${PartOfTransport}:${Kind}`;

export const PARTS: readonly Part[] = [
  'session',
  'request',
  ...KINDS.flatMap((kind): Part[] => [`connection:${kind}`, `listener:${kind}`, `transport:${kind}`]),
];

/** Where it is in the tree of the system; a star is any. */
export function partPath(part: Part): string {
  if (part === 'session') return 'mcp/server_sup/session_sup/session';
  if (part === 'request') return 'mcp/server_sup/request_sup/request';
  const [what, kind] = part.split(':') as [PartOfTransport, Kind];
  const transport = `mcp/transport_sup/${kind}`;
  if (what === 'transport') return transport;
  return what === 'listener' ? `${transport}/listener` : `${transport}/connections/*`;
}

/** Tools that fail, and the one that ends its thread. */
export const FAULTY_TOOLS = ['throws', 'rejects', 'floats', 'hangs', 'exits'] as const;
export type FaultyTool = (typeof FAULTY_TOOLS)[number];

export type Fault =
  | { readonly kill: 'session' | 'request'; readonly choice: number }
  | { readonly kill: PartOfTransport; readonly of: Kind; readonly choice: number }
  | { readonly call: FaultyTool; readonly over: Kind };

/** A source of numbers from 0 to below 1, the same for the same seed (Mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A supervisor of the node gives up past a crash of its listener in five seconds, and the tier of transports past ten
 * in ten: one more and all would go, which is no fault but the end of one. So a part of a transport rests a while.
 */
const RESTS_S = 12;

export class FaultPlan {
  private readonly random: () => number;
  private readonly rested = new Map<Part, number>();
  private second = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  /** The fault of the next second. */
  next(): Fault {
    this.second++;
    const choice = Math.floor(this.random() * 1e6);
    const of = KINDS[choice % KINDS.length] as Kind;
    const kinds = this.random();
    if (kinds < 0.3) return { kill: 'connection', of, choice };
    if (kinds < 0.45) return { kill: 'session', choice };
    if (kinds < 0.6) return { kill: 'request', choice };
    const part = kinds < 0.67 ? 'listener' : kinds < 0.71 ? 'transport' : undefined;
    if (part !== undefined && this.second >= (this.rested.get(`transport:${of}`) ?? 0)) {
      this.rested.set(`transport:${of}`, this.second + RESTS_S);
      return { kill: part, of, choice };
    }
    return { call: FAULTY_TOOLS[Math.floor(this.random() * FAULTY_TOOLS.length)] as FaultyTool, over: of };
  }
}
