import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  child,
  type GenServer,
  genServer,
  name,
  Pid,
  reply,
  startChild,
  supervisor,
  whichChildren,
} from '../../runtime/index.ts';
import { startTestSystem } from '../support/test-system.ts';

interface EchoProtocol {
  readonly call: { readonly echo: Call<string, string> };
}

export const Echo: GenServer<EchoProtocol, string> = genServer(import.meta, 'Echo', {
  init: (start) => ({ start }),
  handleCall: { echo: (state, text) => reply(`${state.start} ${text}`, state) },
});

test('a supervisor can be the template of a dynamic supervisor; it takes no argument of its own', async (t) => {
  const template = supervisor('pair', {}, [child(Echo, 'from the tree', { id: 'echo' })]);
  const { system } = await startTestSystem(t, {
    children: [supervisor('pairs', { strategy: 'simple_one_for_one', name: 'pairs' }, [template])],
  });
  const first = await startChild(system, name('pairs'), undefined);
  const second = await startChild(system, name('pairs'), undefined);
  assert.ok('ok' in first && first.ok !== undefined && 'ok' in second && second.ok !== undefined);
  assert.notEqual(first.ok, second.ok);
  const [row] = await whichChildren(system, first.ok);
  assert.ok(row?.pid instanceof Pid);
  assert.equal(await system.call(row.pid, 'echo', 'hi'), 'from the tree hi');
  const refused = await startChild(system, name('pairs'), 1);
  assert.deepEqual(refused, { error: { invalid_start_argument: 1 } });
  assert.equal((await whichChildren(system, name('pairs'))).length, 2);
});
