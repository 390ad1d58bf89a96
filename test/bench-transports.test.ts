import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measured } from './support/bench-command.ts';

test('the workload transports-idle measures memory, opening and an echo of each transport', () => {
  const rows = measured('transports-idle');
  const all = ['ours-tcp', 'ours-websocket', 'ours-sse'];
  const of = (operation: string): string[] => all.map((name) => `${operation}: ${name}`);
  const times = ['open, CPU', 'open, wall', 'echo, CPU', 'echo, wall'].flatMap(of);
  assert.deepEqual([...rows.keys()], [...of('memory'), ...times]);
  for (const time of times) assert.ok((rows.get(time)?.[0] ?? 0) > 0, time);
});

test('the workload tcp-sustained measures each load, there and back and one way', () => {
  const rows = [...measured('tcp-sustained', 'ours-ping')];
  assert.equal(rows.length, 2 * (6 + 3));
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});

test('the workload transports measures a request on each', () => {
  const rows = measured('transports', 'bare,ours');
  const kinds = ['tcp', 'websocket', 'http', 'http2', 'grpc'];
  assert.deepEqual(
    [...rows.keys()],
    kinds.flatMap((kind) => [`${kind}: bare`, `${kind}: ours`]),
  );
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});
