/** A server whose calls become tasks, and clients that know tasks, for tests. */

import assert from 'node:assert/strict';
import { elicit, McpError, type McpServer, mcpServer, structured, text, tool } from '../../mcp/index.ts';
import { listenWays } from './mcp-listeners.ts';
import type { TestNode } from './mcp-node.ts';
import type { Gate } from './mcp-tools.ts';
import { type Caller, type Way, ways } from './mcp-ways.ts';

export const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
export const KNOWS_ALL = { ...TASKS, elicitation: {} };

const nothing = { type: 'object' } as const;
const keyed = { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } as const;
const nameForm = elicit({
  message: 'Who?',
  schema: { type: 'object', properties: { name: { type: 'string', minLength: 2 } }, required: ['name'] } as const,
});

/** `runs` gets a word whenever code begins. */
export function taskServer(gate: Gate, runs: string[] = []): McpServer {
  return mcpServer('test', {
    info: { name: 'tasks', version: '1' },
    tools: {
      hold: tool({ description: 'Is held.', input: keyed, task: 'optional' }, async ({ key }, ctx) => {
        ctx.progress(1, 2, 'half');
        return text(await gate.enter(key, ctx));
      }),
      only: tool({ description: 'A task or nothing.', input: keyed, task: 'required' }, async ({ key }, ctx) =>
        text(await gate.enter(key, ctx)),
      ),
      throws: tool({ description: 'Throws.', input: nothing, task: 'optional' }, () => {
        throw new Error('thrown');
      }),
      breaks: tool({ description: 'Breaks.', input: nothing, task: 'optional' }, () => {
        throw new McpError(-32000, 'broken', { why: 'so' });
      }),
      asks: tool({ description: 'Asks twice.', input: nothing, task: 'required' }, async (_args, ctx) => {
        runs.push('began');
        const first = await ctx.input({ who: nameForm, friend: nameForm });
        const second = await ctx.input({ who: nameForm });
        return structured({ first, second });
      }),
      asksFirst: tool(
        { description: 'Asks, then is a task.', input: nothing, task: 'optional', asksFirst: true },
        async (_args, ctx) => structured(await ctx.input({ who: nameForm })),
      ),
      plain: tool({ description: 'Is never a task.', input: nothing }, () => text('plain')),
    },
  });
}

export const statelessWays: readonly Way[] = ways.filter(({ era }) => era === 'stateless');

/** A client that knows tasks, and what it does with them. */
export class TaskClient {
  readonly caller: Caller;
  private readonly node: TestNode;
  private readonly way: Way;

  private constructor(node: TestNode, way: Way, caller: Caller) {
    this.node = node;
    this.way = way;
    this.caller = caller;
  }

  static async open(node: TestNode, way: Way, capabilities: object = KNOWS_ALL): Promise<TaskClient> {
    return new TaskClient(node, way, await way.open(node, capabilities));
  }

  /** The handle of a call that has become a task. */
  async start(name: string, args: object = {}): Promise<any> {
    const { result, error } = await this.caller.call(name, args).answer;
    assert.equal(result?.resultType, 'task', JSON.stringify(error ?? result));
    return result;
  }

  ask(method: 'get' | 'update' | 'cancel', taskId: string, params: object = {}): Promise<any> {
    return this.caller.request(`tasks/${method}`, { taskId, ...params }).answer;
  }

  async get(taskId: string): Promise<any> {
    const { result, error } = await this.ask('get', taskId);
    assert.equal(error, undefined);
    return result;
  }

  /** Answers what the task asks; acknowledged with nothing. */
  async update(taskId: string, inputResponses: object): Promise<void> {
    assert.deepEqual(bare(await this.ask('update', taskId, { inputResponses })), { resultType: 'complete' });
  }

  async cancel(taskId: string): Promise<void> {
    assert.deepEqual(bare(await this.ask('cancel', taskId)), { resultType: 'complete' });
  }

  /** The task as it is when it gets to that status, heard of and asked for. */
  async reaches(taskId: string, status: string, rounds = 0): Promise<any> {
    const { name } = this.way;
    const listenWay = listenWays.find((each) => each.name === name)!;
    const listener = await listenWay.open(this.node, { taskIds: [taskId] }, KNOWS_ALL);
    const there = (task: any): boolean =>
      task.status === status &&
      Object.keys(task.inputRequests ?? {}).every((key) => Number.parseInt(key, 10) >= rounds);
    // What happened before it listened it must ask for.
    const now = await this.get(taskId);
    if (there(now)) {
      listener.leave();
      return now;
    }
    const { params } = await listener.hear('notifications/tasks', (message) => there(message.params));
    const asked = await this.get(taskId);
    const { resultType, _meta, ...told } = asked;
    const { _meta: subscription, ...heard } = params;
    assert.deepEqual(heard, told, 'what is heard is what is asked for');
    assert.equal(resultType, 'complete');
    assert.deepEqual(subscription, { 'io.modelcontextprotocol/subscriptionId': 'listen' });
    listener.leave();
    return asked;
  }
}

function bare({ result, error }: any): object {
  assert.equal(error, undefined);
  const { _meta, ...members } = result;
  return members;
}
