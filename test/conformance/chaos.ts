/**
 * A node that is under attack while the conformance suite looks at it: between two scenarios a process of it is killed,
 * which one the seed says. A bystander has a session, a call and a task there, so that there is something to kill, and
 * its session must outlive all of it.
 */

import { mcpNode } from '../../mcp/index.ts';
import { type Pid, type System, startSystem, type TreeNode } from '../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../transports/http/index.ts';
import { Fortune } from '../support/fortune.ts';
import { HttpSession } from '../support/mcp-http-client.ts';
import everything from './everything-server.ts';

/** A tier that loses more within this time gives up, as it should, and the listener with it: see `mcpNode`. */
const TIER = { intensity: 10, periodMs: 10_000 } as const;

/** What may be killed: the path of ids below the node; the last step may be any child. */
const targets: readonly string[] = [
  'registry_sup/registry',
  'infrastructure_sup/session_store',
  'infrastructure_sup/session_manager',
  'infrastructure_sup/task_manager',
  'infrastructure_sup/subscription_hub',
  'server_sup/session_sup/*',
  'server_sup/request_sup/*',
  'server_sup/task_sup/*',
  'transport_sup/http/connections/*',
];

export class ChaosNode {
  readonly url: string;
  private readonly system: System;
  private readonly fortune: Fortune;
  private session: HttpSession;
  /** When processes of each tier were killed. */
  private readonly losses = new Map<string, number[]>();

  private constructor(system: System, url: string, session: HttpSession, seed: number) {
    this.system = system;
    this.url = url;
    this.session = session;
    this.fortune = new Fortune(seed);
  }

  static async start(seed: number): Promise<ChaosNode> {
    const system = await startSystem({
      name: `chaos-${seed}`,
      children: [mcpNode('mcp', { servers: [everything], transports: [streamableHttp({ port: 0 })] })],
    });
    const { url } = await system.call(listenerName('http'), 'address');
    return new ChaosNode(system, url, await HttpSession.open(url), seed);
  }

  /** So many of the scenarios, as the seed draws them; each once. */
  draw<T>(all: readonly T[], count: number): T[] {
    const left = [...all];
    const drawn: T[] = [];
    while (drawn.length < count && left.length > 0) drawn.push(...left.splice(this.fortune.below(left.length), 1));
    return drawn;
  }

  /** Kills one process; says which. */
  async strike(): Promise<string> {
    await this.beSeen();
    const bearable = targets.filter((path) => this.bears(tierOf(path)));
    const path = bearable[this.fortune.below(bearable.length)]!;
    const found = await this.at(path);
    if (found.length === 0) return `nothing at ${path}`;
    const victim = found[this.fortune.below(found.length)]!;
    this.system.exitProcess(victim.pid as Pid, 'kill');
    this.losses.set(tierOf(path), [...(this.losses.get(tierOf(path)) ?? []), performance.now()]);
    return `${path.replace('*', victim.id)} ${String(victim.pid)}`;
  }

  /** The bystander's session is still there, whatever was killed. Throws if it is not. */
  async outlived(): Promise<void> {
    const answer = await this.asking(() => this.session.request('ping').answer());
    if (answer.error !== undefined) throw new Error(`the session of the bystander: ${JSON.stringify(answer.error)}`);
  }

  async stop(): Promise<void> {
    this.session.client.close();
    await this.system.stop();
  }

  /** What is to be seen is that a tier bears its losses, not that it gives up. */
  private bears(tier: string): boolean {
    const since = performance.now() - TIER.periodMs;
    return (this.losses.get(tier) ?? []).filter((at) => at >= since).length < TIER.intensity;
  }

  /** A call and a task at work, and somebody who listens. */
  private async beSeen(): Promise<void> {
    const args = { seconds: 30 };
    const call = this.session.tool('slow_compute', args);
    this.session.listen();
    const task = this.session.request('tools/call', { name: 'slow_compute', arguments: args, task: {} });
    await this.asking(() => task.answer());
    // What is killed answers for itself, or its connection is cut: both are seen elsewhere.
    call.ended.catch(() => 'cut');
  }

  /** Asks again on a new socket if the old one was cut. */
  private async asking(ask: () => Promise<any>): Promise<any> {
    try {
      return await ask();
    } catch {
      // Its connection was killed: the session is not.
      this.session = this.session.reconnected(this.url);
      return (await this.session.request('ping').ended).messages.at(-1);
    }
  }

  private async at(path: string): Promise<TreeNode[]> {
    let found = (await this.system.tree()).children.filter(({ id }) => id === 'mcp');
    for (const step of path.split('/')) {
      found = found.flatMap(({ children }) => children.filter(({ id }) => step === '*' || id === step));
    }
    return found.filter(({ pid }) => typeof pid === 'object');
  }
}

function tierOf(path: string): string {
  return path.split('/', 1)[0]!;
}
