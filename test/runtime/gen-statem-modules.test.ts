import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Behaviour,
  type Call,
  changeCallbackModule,
  type GenServer,
  type GenStatem,
  genServer,
  genStatem,
  initState,
  keepStateAndData,
  noreply,
  type Pid,
  popCallbackModule,
  pushCallbackModule,
  repeatState,
  replyTo,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { reasonText } from '../support/step-machine.ts';
import { startTestSystem, type TestSystem, watch } from '../support/test-system.ts';

type Change = 'change' | 'push' | 'pop' | 'repeat' | 'server';
interface Protocol {
  readonly call: { readonly who: Call<void, string> };
  readonly cast: { readonly to: Change };
  readonly state: 'a';
  readonly data: string[];
}

function machine(name: string, next: () => Behaviour): GenStatem<Protocol, string[]> {
  return genStatem(import.meta, name, {
    init: (log) => initState('a', log),
    states: {
      a: {
        enter: (log) => {
          log.push(`${name} entered`);
          return keepStateAndData();
        },
        call: { who: (_log, _none, ctx) => keepStateAndData(replyTo(ctx.from, name)) },
        cast: {
          to: (log, change) => {
            if (change === 'change') return keepStateAndData(changeCallbackModule(next() as GenStatem<Protocol>));
            if (change === 'push') return keepStateAndData(pushCallbackModule(next() as GenStatem<Protocol>));
            if (change === 'pop') return keepStateAndData(popCallbackModule());
            if (change === 'server') return keepStateAndData(changeCallbackModule(Server as Behaviour));
            return repeatState(log, changeCallbackModule(next() as GenStatem<Protocol>));
          },
        },
      },
    },
    terminate: (_reason, _state, log) => log.push(`${name} terminates`),
  });
}

const First: GenStatem<Protocol, string[]> = machine('First', () => Second);
const Second: GenStatem<Protocol, string[]> = machine('Second', () => First);
const Server: GenServer<{ readonly cast: { readonly x: void } }> = genServer(import.meta, 'Server', {
  init: () => 1,
  handleCast: { x: (state) => noreply(state) },
});

async function start(system: TestSystem): Promise<{
  readonly log: string[];
  readonly pid: Pid<Protocol>;
  readonly reasons: readonly unknown[];
  after(...changes: Change[]): Promise<string>;
}> {
  const log: string[] = [];
  const pid = system.opener.spawn(First, log);
  const after = (...changes: Change[]): Promise<string> => {
    for (const change of changes) system.system.cast(pid, 'to', change);
    return system.system.call(pid, 'who');
  };
  return { log, pid, after, reasons: (await watch(system, pid)).reasons };
}

test('changeCallbackModule goes on with the clauses of another machine, also in terminate', async (t) => {
  const system = await startTestSystem(t);
  const { log, pid, after, reasons } = await start(system);
  assert.equal(await after(), 'First');
  assert.equal(await after('change'), 'Second');
  assert.equal(await after('change'), 'First');
  assert.equal(await after('change'), 'Second');
  assert.deepEqual(log, ['First entered'], 'no state was entered');
  system.system.cast<any, any>(pid, 'unknown');
  await settle();
  assert.deepEqual(log, ['First entered', 'Second terminates']);
  assert.equal(reasons.length, 1);
});

test('pushCallbackModule remembers the clauses to which popCallbackModule goes back', async (t) => {
  const { after } = await start(await startTestSystem(t));
  assert.equal(await after('push'), 'Second');
  assert.equal(await after('push'), 'First');
  assert.equal(await after('change'), 'Second');
  assert.equal(await after('pop'), 'Second', 'that which the first push left');
  assert.equal(await after('pop'), 'First');
});

test('OTP pop_too_many: a pop without a push is a bad action', async (t) => {
  const system = await startTestSystem(t);
  const { after, reasons } = await start(system);
  assert.equal(await after('push', 'pop'), 'First');
  await assert.rejects(after('pop'), { code: 'ERR_CALL_EXIT' });
  assert.equal(reasonText(reasons[0]), 'bad_action_from_state_function');
});

test('the enter clause after a change of the module is that of the new one', async (t) => {
  const { log, after } = await start(await startTestSystem(t));
  assert.equal(await after('repeat'), 'Second');
  assert.deepEqual(log, ['First entered', 'Second entered']);
});

test('to go on with what is no machine is a bad action', async (t) => {
  const { after, reasons } = await start(await startTestSystem(t));
  await assert.rejects(after('server'), { code: 'ERR_CALL_EXIT' });
  assert.equal(reasonText(reasons[0]), 'bad_action_from_state_function');
});
