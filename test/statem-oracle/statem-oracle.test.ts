/** State machines do what they do in Erlang/OTP: recorded scenarios, and a check that a difference would be seen. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../support/repository.ts';
import { scenarioOf } from './generate.ts';
import { replay } from './replay.ts';
import type { Recorded } from './scenario.ts';

const lines = readText('test/statem-oracle/recorded.jsonl').trim().split('\n');
const recorded = lines.map((line) => JSON.parse(line) as Recorded);

for (const { id, trace } of recorded) {
  test(`${id} goes as it does in OTP, in both callback modes, whatever clauses are async`, async () => {
    const scenario = scenarioOf(id);
    for (const mode of ['states', 'handleEvent'] as const) {
      for (const jitter of [0, 1]) {
        assert.deepEqual(await replay(scenario, { mode, jitter }), trace, `${mode}, jitter ${jitter}`);
      }
    }
  });
}

test('the recorded scenarios have every type of event, every end, and replies', () => {
  const words = recorded.flatMap(({ trace }) => trace.log.map((line) => line.split(' ')[0] as string));
  assert.deepEqual([...new Set(words)].sort(), [
    'call',
    'cast',
    'enter',
    'info',
    'internal',
    'state_timeout',
    'terminate',
    'timeout',
    'timeout:x',
    'timeout:y',
  ]);
  assert.deepEqual([...new Set(recorded.map(({ trace }) => trace.exit))].sort(), [
    'bad_action_from_state_function',
    'bad_return_from_state_function',
    'bad_state_enter_action_from_state_function',
    'bad_state_enter_return_from_state_function',
    'boom',
    'normal',
    'shutdown',
  ]);
  assert.ok(recorded.filter(({ trace }) => trace.replies.length > 0).length > 20);
});

test('another order of events is another trace', async () => {
  const { id, trace } = recorded.find(({ trace: { log } }) => log[1] !== log[2]) as Recorded;
  const [first, ...others] = scenarioOf(id).messages;
  const changed = { ...scenarioOf(id), messages: [...others, first as (typeof others)[number]] };
  assert.notDeepEqual(await replay(changed, { mode: 'states', jitter: 0 }), trace);
});
