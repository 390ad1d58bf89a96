/** Kills at random while clients of all kinds ask on and on: no call is without an end, and all is well afterwards. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pid } from '../../../runtime/index.ts';
import { settle } from '../../../runtime/testing.ts';
import { nodesAt, startNode, type TestNode, wholeAgain } from '../../support/mcp-node.ts';
import { type Caller, type Way, ways } from '../../support/mcp-ways.ts';

/** What may be killed; all that runs there now. No tier takes more crashes than it absorbs. */
const targets = [
  'registry_sup/registry',
  'infrastructure_sup/session_store',
  'infrastructure_sup/session_manager',
  'infrastructure_sup/task_manager',
  'server_sup/session_sup',
  'server_sup/session_sup/session',
  'server_sup/task_sup',
  'server_sup/request_sup',
  'server_sup/request_sup/request',
  'transport_sup/http/connections/HttpConnection',
  'transport_sup/memory/connections/MemoryConnection',
  'transport_sup/http',
  'transport_sup/memory',
] as const;

/** A client that calls, one call after the other, and comes back when it is cut off. Returns what ends it. */
function askOn(node: TestNode, way: Way): () => Promise<void> {
  let on = true;
  const asking = async (): Promise<void> => {
    for (let serial = 0; on; ) {
      const caller: Caller | undefined = await way.open(node).catch(notThere);
      if (caller === undefined) await settle(1);
      for (let served = caller !== undefined; on && served; ) {
        const text = `text ${++serial}`;
        const answer: any = await caller?.call('echo', { text }, { id: serial }).answer.catch(notThere);
        served = isOfEndpoint(answer);
        if (answer?.result !== undefined) assert.ok(answer.result.content[0].text.startsWith(`${text}, said to test`));
        else if (served) assert.equal(answer.error.code, -32603, JSON.stringify(answer));
      }
      caller?.leave();
    }
  };
  const asked = asking();
  return () => {
    on = false;
    return asked;
  };
}

/** The connection was cut, or could not be opened: what was killed is being restarted. */
function notThere(): undefined {}

/** Cut off, or answered by the transport, which has no id to answer with: the connection is of no further use. */
function isOfEndpoint(answer: any): boolean {
  return answer?.id !== undefined;
}

async function storm(kills: readonly (readonly [target: string, settles: number])[]): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    const node = await startNode({ after: (end) => ends.push(end) });
    const ending = ways.map((way) => askOn(node, way));
    for (const [target, settles] of kills) {
      await settle(settles);
      for (const { pid } of await nodesAt(node, target)) if (pid instanceof Pid) node.system.exitProcess(pid, 'kill');
    }
    await wholeAgain(node);
    await Promise.all(ending.map((end) => end()));
    for (const way of ways) {
      const caller = await way.open(node);
      const { result } = await caller.call('echo', { text: 'afterwards' }).answer;
      assert.match(result.content[0].text, /^afterwards, said to test/, way.name);
      caller.leave();
    }
    await wholeAgain(node);
  } finally {
    for (const end of ends) await end();
  }
}

test('whatever is killed, and in whichever order, every call has an end, and the node is whole again', async () => {
  const kill = fc.tuple(fc.constantFrom(...targets), fc.integer({ min: 0, max: 6 }));
  const kills = fc.array(kill, { minLength: 1, maxLength: 8 });
  await fc.assert(fc.asyncProperty(kills, storm), { numRuns: 25 });
});
