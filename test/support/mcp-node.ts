/** An MCP node in a system of its own, for one test: over HTTP on a free port, and in memory. */

import assert from 'node:assert/strict';
import { type McpLimits, type McpNodeSpec, mcpNode } from '../../mcp/index.ts';
import { type Pid, type System, startSystem, type TreeNode } from '../../runtime/index.ts';
import { deepFreeze, type SimulatedClock, simulatedClock } from '../../runtime/testing.ts';
import { type HttpAddress, listenerName, streamableHttp } from '../../transports/http/index.ts';
import { memory } from '../../transports/memory.ts';
import { SystemEvents } from './mcp-events.ts';
import { Gate, testServer } from './mcp-tools.ts';
import { type Cleanup, killSystem, systemName } from './test-system.ts';

export interface TestNode {
  readonly system: System;
  readonly events: SystemEvents;
  readonly gate: Gate;
  readonly address: HttpAddress;
  readonly url: string;
}

export interface NodeOptions {
  readonly servers?: McpNodeSpec['servers'];
  readonly limits?: Partial<McpLimits>;
  readonly clock?: SimulatedClock;
  readonly stateKeys?: readonly string[];
}

/** Starts a node; it is killed after the test. */
export async function startNode(t: Cleanup, options: NodeOptions = {}): Promise<TestNode> {
  const { limits = {}, clock, stateKeys } = options;
  const gate = new Gate();
  const name = systemName();
  const events = new SystemEvents(t, name);
  const transports = [streamableHttp({ port: 0 }), memory()];
  const system = await startSystem({
    name,
    children: [
      mcpNode('mcp', {
        servers: options.servers ?? [testServer(gate)],
        transports,
        limits,
        ...(stateKeys === undefined ? {} : { stateKeys }),
      }),
    ],
    onSend: deepFreeze,
    ...(clock === undefined ? {} : { clock }),
  });
  t.after(() => killSystem(system));
  const address = await system.call(listenerName('http'), 'address');
  return { system, events, gate, address, url: address.url };
}

/**
 * The runner of the tests counts every uncaught error against the test, also one that a process answers for. Without
 * it, an error that nobody answers for ends the program, as it would outside a test. To be called before the system
 * starts.
 */
export function withoutRunner(t: Cleanup): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    const listeners = process.listeners(event as 'uncaughtException');
    process.removeAllListeners(event);
    t.after(() => {
      for (const listener of listeners) process.on(event as 'uncaughtException', listener);
    });
  }
}

/** A node whose clock stands still until the test moves it. */
export async function startSimulatedNode(
  t: Cleanup,
  options: NodeOptions = {},
): Promise<TestNode & { readonly clock: SimulatedClock }> {
  const clock = simulatedClock();
  return { ...(await startNode(t, { ...options, clock })), clock };
}

/** The tree of a node with nothing going on: what must be there again after every fault. */
export const WHOLE_TREE: readonly string[] = [
  'root',
  '  mcp rest_for_one',
  '    registry_sup one_for_one',
  '      registry',
  '    infrastructure_sup one_for_one',
  '      session_store',
  '      session_manager',
  '      task_manager',
  '      subscription_hub',
  '    server_sup one_for_one',
  '      session_sup simple_one_for_one',
  '      task_sup simple_one_for_one',
  '      request_sup simple_one_for_one',
  '      verification_sup simple_one_for_one',
  '      batch_sup simple_one_for_one',
  '    transport_sup one_for_one',
  '      http rest_for_one',
  '        connections simple_one_for_one',
  '        listener',
  '      memory rest_for_one',
  '        connections simple_one_for_one',
  '        listener',
];

/** A tree as lines. Sessions, requests and connections come and go: they are left out. */
export function treeLines(node: TreeNode, indent = ''): string[] {
  const { id, pid, strategy, children } = node;
  const state = typeof pid === 'object' ? '' : ` ${pid ?? 'stopped'}`;
  const line = `${indent}${id}${strategy === undefined ? '' : ` ${strategy}`}${state}`;
  const lasting = strategy === 'simple_one_for_one' ? [] : children;
  return [line, ...lasting.flatMap((child) => treeLines(child, `${indent}  `))];
}

/** Waits until the tree is whole. */
export async function wholeAgain({ system, events }: Pick<TestNode, 'system' | 'events'>): Promise<TreeNode> {
  for (;;) {
    const changed = events.next();
    // A supervisor that ends while it is asked for its children has none: the tree is not whole then.
    const tree = await system.tree();
    if (treeLines(tree).join('\n') === WHOLE_TREE.join('\n')) return tree;
    await changed;
  }
}

/** The nodes of a tree at a path of ids below `mcp`: `'server_sup/session_sup/session'` are all sessions. */
export async function nodesAt({ system }: Pick<TestNode, 'system'>, path: string): Promise<TreeNode[]> {
  let found: TreeNode[] = (await system.tree()).children.filter(({ id }) => id === 'mcp');
  for (const step of path === '' ? [] : path.split('/')) {
    found = found.flatMap(({ children }) => children.filter(({ id }) => id === step));
  }
  return found;
}

/** The one process at a path. */
export async function processAt(node: Pick<TestNode, 'system'>, path: string): Promise<Pid> {
  const found = await nodesAt(node, path);
  assert.equal(found.length, 1, `one process at ${path}`);
  const { pid } = found[0]!;
  assert.ok(typeof pid === 'object', `a process runs at ${path}`);
  return pid;
}

/** Kills the process at a path, and waits until it has gone. */
export async function killAt(node: Pick<TestNode, 'system' | 'events'>, path: string): Promise<Pid> {
  const pid = await processAt(node, path);
  await kill(node, pid);
  return pid;
}

export async function kill({ system, events }: Pick<TestNode, 'system' | 'events'>, pid: Pid): Promise<void> {
  system.exitProcess(pid, 'kill');
  await events.until(() => events.exits.find((exit) => exit.pid === pid));
}
