/** Clients that ask on and on, each over its transport, and come back when they are cut off. */
import type { FaultyTool, Kind } from './faults.ts';
import type { Ledger, Loss } from './ledger.ts';
import { type Addresses, Cut, openWire, Refused, type Wire } from './wires.ts';

/** No request of the soak may take so long. */
const HANGS_MS = 20_000;
const RETRY_MS = 50;

const clientInfo = { name: 'soak', version: '1' };
const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
const initialize = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

class Hung extends Error {}
/** Answered with an error of JSON-RPC. */
class Failed extends Error {}

export interface Surroundings {
  readonly addresses: Addresses;
  readonly ledger: Ledger;
  readonly random: () => number;
  readonly now: () => number;
  /** Between the beginnings of two requests of one client; none while what the server can do is found out. */
  intervalMs: number;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hung(`no answer within ${HANGS_MS} ms`)), HANGS_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The result of a request; throws what it was answered else. */
async function resultOf(wire: Wire, id: number, text: string): Promise<unknown> {
  const answer = JSON.parse(await within(wire.request(text))) as {
    readonly id?: unknown;
    readonly error?: { readonly message: string };
    readonly result?: unknown;
  };
  if (answer.error !== undefined) throw new Failed(JSON.stringify(answer.error));
  if (answer.id !== id) throw new Error(`the answer to another request: ${JSON.stringify(answer)}`);
  return answer.result;
}

async function openSession(wire: Wire): Promise<void> {
  await resultOf(wire, 0, initialize);
  await within(wire.notify(initialized));
}

function lossOf(error: unknown): Loss | undefined {
  if (error instanceof Hung) return 'hung';
  if (error instanceof Cut) return 'closed';
  return error instanceof Failed || error instanceof Refused ? 'error' : undefined;
}

export class SoakClient {
  private readonly kind: Kind;
  private readonly around: Surroundings;
  private wire: Wire | undefined;
  private id = 0;
  private isOver = false;
  private hasLeft = false;
  /** The last request has: a connection that ends then ends of the same fault. */
  private hasFailed = false;

  constructor(kind: Kind, around: Surroundings) {
    this.kind = kind;
    this.around = around;
  }

  /** Leaves, and comes back as another client. */
  churn(abruptly: boolean): void {
    this.hasLeft = true;
    if (abruptly) this.wire?.leave(true);
  }

  end(): void {
    this.isOver = true;
  }

  async run(): Promise<void> {
    const { around } = this;
    await pause(around.random() * around.intervalMs);
    while (!this.isOver) {
      const start = around.now();
      this.hasLeft = false;
      this.hasFailed = false;
      try {
        this.wire = await within(openWire[this.kind](around.addresses[this.kind]));
      } catch (error) {
        this.lost(error, start, 'refused');
        await pause(RETRY_MS);
        continue;
      }
      await this.useConnection(this.wire);
      this.wire.leave(this.hasLeft && this.wire.isClosed);
      this.wire = undefined;
    }
  }

  private async useConnection(wire: Wire): Promise<void> {
    const { around } = this;
    let start = around.now();
    try {
      await openSession(wire);
      while (!this.isOver && !this.hasLeft) {
        start += around.intervalMs;
        const early = start - around.now();
        if (early > 1) await pause(early);
        else if (early < -around.intervalMs) start = around.now();
        if (wire.isClosed) {
          // While nothing was under way: a fault must answer for that too.
          if (!this.hasLeft && !this.hasFailed) this.lost(new Cut('closed between two requests'), around.now());
          return;
        }
        const asked = around.now();
        await this.ask(wire, asked);
      }
    } catch (error) {
      this.lost(error, around.now());
    }
  }

  private async ask(wire: Wire, asked: number): Promise<void> {
    const { around } = this;
    const id = ++this.id;
    const text = `text ${id}`;
    const which = around.random();
    const request = (method: string, params?: object): string =>
      JSON.stringify({ jsonrpc: '2.0', id, method, ...(params && { params }) });
    try {
      if (which < 0.2) await resultOf(wire, id, request('ping'));
      else {
        const name = which < 0.3 ? 'wait' : 'echo';
        const result = await resultOf(wire, id, request('tools/call', { name, arguments: { text } }));
        if (!JSON.stringify(result).includes(`"${text}"`))
          throw new Failed(`a wrong answer: ${JSON.stringify(result)}`);
      }
      around.ledger.answer(asked, around.now());
      this.hasFailed = false;
    } catch (error) {
      // Else the connection is of no further use: from the beginning.
      if (!(error instanceof Failed)) throw error;
      this.hasFailed = true;
      this.lost(error, asked);
    }
  }

  private lost(error: unknown, start: number, ifUnknown?: Loss): void {
    if (this.hasLeft && !(error instanceof Hung)) return; // by itself: nobody waits for an answer
    const loss = ifUnknown ?? lossOf(error);
    if (loss === undefined) throw error;
    this.around.ledger.loss(loss, this.kind, start, (error as Error).message);
  }
}

/** Calls a tool that fails; its caller must be told so. */
export async function callFaulty(tool: FaultyTool, kind: Kind, around: Surroundings): Promise<void> {
  const { ledger, addresses, now } = around;
  const start = now();
  let wire: Wire | undefined;
  try {
    wire = await within(openWire[kind](addresses[kind]));
    await openSession(wire);
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } };
    const result = (await resultOf(wire, 1, JSON.stringify(request))) as { readonly isError?: boolean };
    if (result.isError !== true) throw new Error(`the tool ${tool} has not failed: ${JSON.stringify(result)}`);
    ledger.failed++;
  } catch (error) {
    if (error instanceof Failed) ledger.failed++;
    else ledger.loss(lossOf(error) ?? 'refused', kind, start, `${tool}: ${(error as Error).message}`);
  } finally {
    wire?.leave(false);
  }
}
