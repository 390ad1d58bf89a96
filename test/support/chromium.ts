/** A real browser, driven by its DevTools protocol: a headless Chromium of this machine, with a profile of its own. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

/** Its name, or why there is none. */
function findChromium(): { readonly program: string } | { readonly missing: string } {
  const program = programs.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  return program === undefined ? { missing: `there is no ${programs.join(', ')}` } : { program };
}

/** Without a browser a visible skip, a failure where engines are required. */
export function chromiumOrSkip(t: TestContext): string | undefined {
  const found = findChromium();
  if ('program' in found) return found.program;
  assert.notEqual(process.env['REQUIRE_ENGINES'], '1', found.missing);
  t.skip(found.missing);
  return undefined;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: any;
  readonly error?: { readonly message: string };
}

export class Chromium {
  private readonly child: ChildProcess;
  private readonly profile: string;
  private readonly tools: WebSocket;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly loads = new Map<string, () => void>();
  private requests = 0;

  private constructor(child: ChildProcess, profile: string, tools: WebSocket) {
    this.child = child;
    this.profile = profile;
    this.tools = tools;
    tools.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id !== undefined) this.waiting.get(message.id)?.(message);
      else if (message.method === 'Page.loadEventFired') this.loads.get(message.sessionId ?? '')?.();
    });
  }

  static async start(program: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'beamish-chromium-'));
    const child = spawn(program, [...flags, `--user-data-dir=${profile}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr! })) {
      said.push(line);
      const url = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (url === undefined) continue;
      child.stderr!.resume();
      const tools = new WebSocket(url);
      await once(tools, 'open');
      return new Chromium(child, profile, tools);
    }
    throw new Error(`${program} ended before it could be driven:\n${said.join('\n')}`);
  }

  /** A page in a tab of its own; what is returned evaluates an expression there, and waits for its promise. */
  async open(url: string): Promise<(expression: string) => Promise<any>> {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    await this.ask('Page.enable', {}, sessionId);
    const loaded = new Promise<void>((resolve) => this.loads.set(sessionId, resolve));
    const { errorText } = await this.ask('Page.navigate', { url }, sessionId);
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await loaded;
    return async (expression) => {
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await this.ask('Runtime.evaluate', options, sessionId);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    };
  }

  async close(): Promise<void> {
    // In order: it would leave processes behind that still write to the profile.
    const ended = once(this.child, 'exit');
    this.tools.send(JSON.stringify({ id: 0, method: 'Browser.close' }));
    await ended;
    this.tools.terminate();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  private async ask(method: string, params: object, sessionId?: string): Promise<any> {
    const id = ++this.requests;
    const answered = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    this.tools.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    const { result, error } = await answered;
    this.waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}
