import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../mcp/json-rpc.ts';
import {
  answeredBy,
  askedBy,
  changedTask,
  detailedTask,
  failedTask,
  knowsTasks,
  type TaskRecord,
} from '../../../mcp/server/task-record.ts';

const record: TaskRecord = {
  id: 't',
  server: 'test',
  request: {} as never,
  status: 'working',
  createdAt: 0,
  updatedAt: 0,
  ttlMs: 1_000,
  pollIntervalMs: 10,
  rounds: 0,
};
const nothing = { rounds: [], partial: {} };
const names = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 5 });
const asking = (all: readonly string[]): JsonObject => Object.fromEntries(all.map((name) => [name, { of: name }]));

test('a key is never used twice in the life of a task, whatever the names of the questions', () => {
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), (rounds) => {
      const used = new Set<string>();
      let now = record;
      for (const round of rounds) {
        now = changedTask(now, askedBy(now, asking(round), nothing), 1);
        for (const key of Object.keys(now.questions!.open)) {
          assert.ok(!used.has(key), key);
          used.add(key);
        }
      }
      assert.equal(used.size, rounds.flat().length);
    }),
  );
});

test('answers come back under the names of the questions, in whatever portions they come', () => {
  fc.assert(
    fc.property(names, fc.array(fc.nat()), (round, picks) => {
      let { questions } = askedBy(record, asking(round), nothing);
      for (const pick of [...picks, ...round.map((_, n) => n)]) {
        const key = `1.${round[pick % round.length]}`;
        const was = Object.hasOwn(questions!.open, key);
        const answered = answeredBy(questions!, { [key]: { answers: key }, stranger: {} });
        assert.equal(answered !== undefined, was, 'an answer to what is not asked means nothing');
        questions = answered ?? questions;
      }
      assert.deepEqual(questions!.open, {});
      const expected = Object.fromEntries(round.map((name) => [name, { answers: `1.${name}` }]));
      assert.deepEqual(questions!.answers, expected);
    }),
  );
});

test('a task shows what is of its status, and nothing else', () => {
  const said = changedTask(record, { status: 'working', statusMessage: 'half' }, 5);
  const asked = changedTask(said, askedBy(said, asking(['a']), nothing), 6);
  const worked = changedTask(asked, { status: 'working' }, 7);
  const failed = changedTask(asked, failedTask({ code: -32603, message: 'broken' }), 8);
  const done = changedTask(worked, { status: 'completed', result: { content: [] } }, 9);
  const handle = { taskId: 't', createdAt: '1970-01-01T00:00:00.000Z', ttlMs: 1_000, pollIntervalMs: 10 };
  const at = (ms: number): object => ({ ...handle, lastUpdatedAt: `1970-01-01T00:00:00.00${ms}Z` });
  assert.deepEqual(detailedTask(said), { ...at(5), status: 'working', statusMessage: 'half' });
  assert.deepEqual(detailedTask(asked), {
    ...at(6),
    status: 'input_required',
    inputRequests: { '1.a': { of: 'a' } },
  });
  assert.deepEqual(detailedTask(worked), { ...at(7), status: 'working' });
  const error = { code: -32603, message: 'broken' };
  assert.deepEqual(detailedTask(failed), { ...at(8), status: 'failed', statusMessage: 'broken', error });
  assert.deepEqual(detailedTask(done), { ...at(9), status: 'completed', result: { content: [] } });
});

test('only who declares the extension knows tasks', () => {
  const extension = 'io.modelcontextprotocol/tasks';
  assert.equal(knowsTasks({ extensions: { [extension]: {} } }), true);
  for (const other of [{}, { extensions: {} }, { extensions: [] }, { extensions: { [extension]: true } }]) {
    assert.equal(knowsTasks(other as JsonObject), false);
  }
});
