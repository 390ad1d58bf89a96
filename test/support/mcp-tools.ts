/** A server whose tools behave in every way that a test needs, and a gate that a test opens when it likes. */

import {
  type McpServer,
  mcpServer,
  type RequestId,
  structured,
  type ToolContext,
  text,
  tool,
} from '../../mcp/index.ts';

/** A call of the tool `hold`, which ends when the test says so. */
export interface HeldCall {
  readonly key: string;
  readonly ctx: ToolContext;
  /** Lets it answer. */
  release(answer?: string): void;
}

/** Hands the calls of `hold` to the test. Keys are the caller's choice, and are used once. */
export class Gate {
  private readonly arrived = new Map<string, HeldCall>();
  private readonly awaited = new Map<string, (call: HeldCall) => void>();

  /** The call with that key, now or when it comes. */
  held(key: string): Promise<HeldCall> {
    const call = this.arrived.get(key);
    if (call !== undefined) return Promise.resolve(call);
    return new Promise((resolve) => this.awaited.set(key, resolve));
  }

  enter(key: string, ctx: ToolContext): Promise<string> {
    return new Promise((resolve) => {
      const call: HeldCall = { key, ctx, release: (answer = `released ${key}`) => resolve(answer) };
      this.arrived.set(key, call);
      this.awaited.get(key)?.(call);
    });
  }
}

const nothing = { type: 'object' } as const;
const keyed = { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } as const;

/** What `echo` answers: nobody else could have been answered so. */
export function echoed(said: string, server: string, session: string | undefined, requestId: RequestId): string {
  return `${said}, said to ${server} in ${session ?? 'no session'} as ${JSON.stringify(requestId)}`;
}

/** How long `hangs` may take: it runs on the clock of the node. */
export const HANG_MS = 200;

/** The tools, with the gate of one test behind `hold`. */
export function testServer(gate: Gate, name = 'test'): McpServer {
  return mcpServer(name, {
    info: { name: `${name}-server`, version: '1.0.0' },
    tools: {
      echo: tool(
        {
          description: 'Says it back, and who asked.',
          input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
        },
        (args, ctx) => text(echoed(args.text, name, ctx.session, ctx.requestId)),
      ),
      whoami: tool({ description: 'Tells the era and the capabilities of the client.', input: nothing }, (_, ctx) =>
        structured({ era: ctx.era, capabilities: ctx.clientCapabilities, session: ctx.session ?? null }),
      ),
      hold: tool({ description: 'Answers when the test lets it.', input: keyed }, async ({ key }, ctx) =>
        text(await gate.enter(key, ctx)),
      ),
      steps: tool(
        { description: 'Reports progress, step by step of the test.', input: keyed },
        async ({ key }, ctx) => {
          await gate.enter(key, ctx);
          return text('stepped');
        },
      ),
      throws: tool({ description: 'Throws.', input: nothing }, () => {
        throw new Error('thrown at once');
      }),
      rejects: tool({ description: 'Rejects.', input: nothing }, () => Promise.reject(new Error('rejected'))),
      throwsLater: tool({ description: 'Throws in a timer.', input: nothing }, (_, ctx) => {
        ctx.clock.setTimer(() => {
          throw new Error('thrown in a timer');
        }, 1);
        return new Promise(() => {});
      }),
      throwsNextTurn: tool({ description: 'Throws in a callback of the event loop.', input: nothing }, () => {
        setImmediate(() => {
          throw new Error('thrown in a callback');
        });
        return new Promise(() => {});
      }),
      floats: tool({ description: 'Leaves a rejected promise behind.', input: nothing }, () => {
        void Promise.reject(new Error('floating'));
        return new Promise(() => {});
      }),
      hangs: tool({ description: 'Never settles.', input: nothing, timeoutMs: HANG_MS }, () => new Promise(() => {})),
      answersThenThrows: tool({ description: 'Answers, and throws afterwards.', input: nothing }, () => {
        setImmediate(() => {
          throw new Error('thrown after the answer');
        });
        return text('answered first');
      }),
      throwsOnAbort: tool({ description: 'Has an abort listener that throws.', input: keyed }, async ({ key }, ctx) => {
        ctx.signal.addEventListener('abort', () => {
          throw new Error('thrown in an abort listener');
        });
        return text(await gate.enter(key, ctx));
      }),
      lies: tool(
        {
          description: 'Returns what its output schema forbids.',
          input: nothing,
          output: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
        },
        () => structured({ sum: 'three' }),
      ),
      returnsNothing: tool({ description: 'Returns no result.', input: nothing }, () => undefined as never),
    },
  });
}
