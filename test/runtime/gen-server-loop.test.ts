import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Context,
  type CrashReport,
  channels,
  continueWith,
  type ErrorExit,
  type ExitReason,
  idleTimeout,
  isErrorExit,
  noreply,
  type Pid,
  reply,
  stop,
  stopReply,
  type UnexpectedMessage,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { type Step, startStepping } from '../support/stepping-server.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem } from '../support/test-system.ts';

const boom: Step = () => {
  throw new Error('boom');
};

test('continue from any callback runs next, before messages that are queued', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startStepping(system);
  const step: Step = (state) => noreply(state, continueWith('note', 'continued'));
  const answering: Step = (state) => reply('ok', state, continueWith('note', 'continued'));
  const twice: Step = (state) => noreply(state, continueWith('step', step));
  system.system.cast(pid, 'step', step);
  system.system.cast(pid, 'note', 'a');
  const answer = system.system.call(pid, 'step', answering);
  system.system.cast(pid, 'note', 'b');
  system.system.send(pid, 'step', twice);
  system.system.cast(pid, 'note', 'c');
  assert.equal(await answer, 'ok');
  await settle();
  assert.deepEqual(log, ['continued', 'a', 'continued', 'b', 'continued', 'c']);
});

test('an info message without a clause is published and dropped; the server goes on', async (t) => {
  const system = await startTestSystem(t);
  const unexpected = eventsOf<UnexpectedMessage>(t, channels.unexpectedMessage, system.system.name);
  const { pid, log } = await startStepping(system);
  for (const tag of ['unknown', 'constructor', '__proto__', 'toString', 'DOWN'])
    system.system.send<any, any>(pid, tag, tag);
  system.system.cast(pid, 'note', 'after');
  await settle();
  assert.deepEqual(log, ['after']);
  assert.deepEqual(
    unexpected.map((event) => [event.pid, event.tag, event.payload]),
    ['unknown', 'constructor', '__proto__', 'toString', 'DOWN'].map((tag) => [pid, tag, tag]),
  );
});

test('a call or cast without a clause ends the server with a function clause error', async (t) => {
  const system = await startTestSystem(t);
  for (const tag of ['unknown', 'constructor', '__proto__', 'hasOwnProperty']) {
    for (const kind of ['call', 'cast'] as const) {
      const { pid, reasons } = await startStepping(system);
      const untyped: Pid = pid;
      if (kind === 'cast') system.system.cast(untyped, tag);
      else await assert.rejects(system.system.call(untyped, tag), { code: 'ERR_CALL_EXIT' });
      await settle();
      const [reason] = reasons as [ErrorExit];
      assert.equal((reason.error as { code: string }).code, 'ERR_FUNCTION_CLAUSE', `${kind} ${tag}`);
    }
  }
});

test('a continue without a clause ends the server with a function clause error', async (t) => {
  const system = await startTestSystem(t);
  for (const tag of ['unknown', 'constructor']) {
    const { pid, log, reasons } = await startStepping(system);
    system.system.cast(pid, 'step', (state) => noreply(state, continueWith(tag)));
    await settle();
    const [reason] = reasons as [ErrorExit];
    assert.equal((reason.error as { code: string }).code, 'ERR_FUNCTION_CLAUSE', tag);
    assert.equal(log.length, 1, 'terminate has run');
  }
});

test('an idle timeout delivers timeout when nothing comes; any message cancels it', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startStepping(system);
  const idle: Step = (state) => noreply(state, idleTimeout(100));
  system.system.cast(pid, 'step', idle);
  await system.clock.advance(99);
  assert.deepEqual(log, []);
  await system.clock.advance(1);
  assert.deepEqual(log.splice(0), ['timeout']);
  await system.clock.advance(1_000);
  assert.deepEqual(log, [], 'once');

  for (const wake of ['note', 'unknown info'] as const) {
    system.system.cast(pid, 'step', idle);
    await system.clock.advance(50);
    if (wake === 'note') system.system.cast(pid, 'note', 'wake');
    else system.system.send<any, any>(pid, wake);
    await system.clock.advance(1_000);
    assert.deepEqual(log.splice(0), wake === 'note' ? ['wake'] : [], `cancelled by ${wake}`);
  }
  assert.equal(system.clock.pending, 0);
});

test('an idle timeout does not outlive its server', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startStepping(system);
  const before = system.clock.pending;
  system.system.cast(pid, 'step', (state) => noreply(state, idleTimeout(1_000_000)));
  await settle();
  assert.equal(system.clock.pending, before + 1);
  system.system.exitProcess(pid, 'kill');
  await settle();
  assert.equal(system.clock.pending, before);
});

test('stop: terminate runs with the reason, then the server exits with it', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, 'boom']) {
    const { pid, log, reasons } = await startStepping(system);
    system.system.cast(pid, 'step', (state) => stop(reason, state));
    await settle();
    assert.deepEqual(log, [['terminate', reason]]);
    assert.deepEqual(reasons, [reason]);
  }
  assert.deepEqual(
    crashes.map((crash) => crash.reason),
    ['boom'],
  );
});

test('a callback that throws, rejects or exits: terminate runs, then the server exits', async (t) => {
  const system = await startTestSystem(t);
  const ends: Record<string, Step> = {
    throw: boom,
    reject: async () => {
      await settle(1);
      throw new Error('boom');
    },
    exit: (_log, ctx) => ctx.exit('left'),
    exitLater: async (_log, ctx) => {
      await settle(1);
      ctx.exit('left');
    },
  };
  for (const [kind, step] of Object.entries(ends)) {
    for (const message of ['cast', 'info', 'call', 'continue'] as const) {
      const { pid, log, reasons } = await startStepping(system);
      if (message === 'cast') system.system.cast(pid, 'step', step);
      if (message === 'info') system.system.send(pid, 'step', step);
      if (message === 'call') await assert.rejects(system.system.call(pid, 'step', step), { code: 'ERR_CALL_EXIT' });
      if (message === 'continue')
        system.system.cast(pid, 'step', (state) => noreply(state, continueWith('step', step)));
      await settle();
      const expected = kind.startsWith('exit') ? 'left' : 'boom';
      const [reason] = reasons;
      assert.equal(reasons.length, 1, `${kind} in ${message}`);
      assert.deepEqual(log, [['terminate', expected]], `${kind} in ${message}`);
      assert.equal(isErrorExit(reason) ? (reason.error as Error).message : reason, expected);
      if (kind === 'throw' || kind === 'reject') assert.ok(isErrorExit(reason) && reason.stack.includes('boom'));
    }
  }
});

test('an exit signal of the parent, trapped: terminate runs, the server exits; handleInfo never sees it', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system);
  const { log, reasons } = await startStepping(system, { trapExit: true }, parent.ctx);
  system.system.exitProcess(parent.pid, 'boom');
  await settle();
  assert.deepEqual(log, [['terminate', 'boom']]);
  assert.deepEqual(reasons, ['boom']);
});

test('an exit signal of the parent by exitProcess ends the server too, and normal as well', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  for (const reason of ['shutdown', 'normal', 'boom']) {
    const { pid, log, reasons } = await startStepping(system, { trapExit: true }, parent.ctx);
    parent.ctx.exitProcess(pid, reason);
    await settle();
    assert.deepEqual(log, [['terminate', reason]]);
    assert.deepEqual(reasons, [reason]);
  }
});

test('an exit signal of the parent waits its turn behind the messages that came before it', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  const { pid, log } = await startStepping(system, { trapExit: true }, parent.ctx);
  parent.ctx.cast(pid, 'note', 'before');
  parent.ctx.exitProcess(pid, 'shutdown');
  parent.ctx.cast(pid, 'note', 'after');
  await settle();
  assert.deepEqual(log, ['before', ['terminate', 'shutdown']]);
});

test('not trapping: an exit signal ends the server at once, and terminate does not run', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log, reasons } = await startStepping(system);
  system.opener.exitProcess(pid, 'shutdown');
  await settle();
  assert.deepEqual(log, []);
  assert.deepEqual(reasons, ['shutdown']);
});

test('a trapped exit of anybody but the parent goes to handleInfo', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startStepping(system, { trapExit: true });
  const linked = await openProcess(system);
  linked.ctx.link(pid);
  system.system.exitProcess(linked.pid, 'boom');
  system.system.exitProcess(pid, 'shutdown');
  await settle();
  assert.deepEqual(
    log.map((entry) => (entry as unknown[]).filter((_, i) => i !== 1)),
    [
      ['EXIT', 'boom'],
      ['EXIT', 'shutdown'],
    ],
  );
  assert.equal(system.system.isAlive(pid), true);
});

test('a message of tag EXIT from user code is not taken for a signal of the parent', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startStepping(system, { trapExit: true });
  system.opener.send<any, any>(pid, 'EXIT', { from: system.opener.self, reason: 'forged' });
  await settle();
  assert.equal(system.system.isAlive(pid), true);
  assert.equal(log.length, 1, 'it is an info message like any other');
});

test('terminate that throws, rejects or exits: its reason replaces the first', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const failures: Record<string, (ctx: Context) => unknown> = {
    throw: () => {
      throw new Error('term_crash');
    },
    reject: async () => {
      await settle(1);
      throw new Error('term_crash');
    },
    exit: (ctx) => ctx.exit('term_crash'),
  };
  for (const [kind, failure] of Object.entries(failures)) {
    for (const cause of ['stop', 'throw', 'parent'] as const) {
      const terminate = (_reason: ExitReason, ctx: Context): unknown => failure(ctx);
      const { pid, reasons } = await startStepping(system, { trapExit: true, terminate });
      if (cause === 'parent') system.opener.exitProcess(pid, 'shutdown');
      else system.system.cast(pid, 'step', cause === 'throw' ? boom : (state) => stop('normal', state));
      await settle();
      const [reason] = reasons;
      assert.equal(
        isErrorExit(reason) ? (reason.error as Error).message : reason,
        'term_crash',
        `${kind} after ${cause}`,
      );
      const crash = crashes.pop();
      assert.ok(crash !== undefined && crashes.length === 0);
      assert.ok('state' in crash, `the report of ${kind} after ${cause} shows the state`);
    }
  }
});

test('a result that is none ends the server with bad_return_value after terminate', async (t) => {
  const system = await startTestSystem(t);
  const bads: readonly unknown[] = [42, { ok: true }, 'noreply', null];
  for (const bad of bads) {
    const { pid, log, reasons } = await startStepping(system);
    system.system.cast(pid, 'step', async () => bad);
    await settle();
    assert.deepEqual(reasons, [{ bad_return_value: bad }]);
    assert.deepEqual(log, [['terminate', { bad_return_value: bad }]]);
  }
});

test('reply or stopReply where nobody called is a bad return', async (t) => {
  const system = await startTestSystem(t);
  const { pid, reasons } = await startStepping(system);
  system.system.cast(pid, 'step', (state) => reply('nobody', state));
  await settle();
  assert.ok('bad_return_value' in (reasons[0] as object));
  const other = await startStepping(system);
  system.system.cast(other.pid, 'step', (state) => stopReply('normal', 'nobody', state));
  await settle();
  assert.ok('bad_return_value' in (other.reasons[0] as object), 'stopReply in a cast');
});

test('an async terminate is waited for; a kill during it ends the server at once', async (t) => {
  const system = await startTestSystem(t);
  let finish: () => void = () => {};
  const terminate = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const waited = await startStepping(system, { terminate });
  system.system.cast(waited.pid, 'step', (state) => stop('normal', state));
  await settle();
  assert.deepEqual(waited.reasons, []);
  finish();
  await settle();
  assert.deepEqual(waited.reasons, ['normal']);
  const killed = await startStepping(system, { terminate });
  system.system.cast(killed.pid, 'step', (state) => stop('normal', state));
  await settle();
  system.system.exitProcess(killed.pid, 'kill');
  finish();
  await settle();
  assert.deepEqual(killed.reasons, ['killed']);
});

test('the mailbox of a server that stops is not handled, and its calls fail with the exit reason', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startStepping(system);
  system.system.cast(pid, 'step', (state) => stop('boom', state));
  system.system.cast(pid, 'note', 'never');
  await assert.rejects(system.system.call(pid, 'log'), { code: 'ERR_CALL_EXIT', reason: 'boom' });
  assert.deepEqual(log, [['terminate', 'boom']]);
});

test('receive works in every callback, terminate included, and leaves other messages to the handlers', async (t) => {
  const system = await startTestSystem(t);
  const payloadOf = async (ctx: Context, tag: string): Promise<unknown> => {
    const message = await ctx.receive((m) => m.tag === tag, 'infinity');
    return message === 'timeout' ? message : message.payload;
  };
  const seen: unknown[] = [];
  const terminate = async (_reason: ExitReason, ctx: Context): Promise<void> => {
    seen.push(await payloadOf(ctx, 'last'));
  };
  const { pid, log, reasons } = await startStepping(system, { terminate });
  system.system.cast(pid, 'step', async (state, ctx) => {
    seen.push(await payloadOf(ctx, 'wanted'));
    return noreply(state);
  });
  system.system.cast(pid, 'note', 'other');
  system.system.send<any, any>(pid, 'wanted', 1);
  await settle();
  assert.deepEqual([seen, log], [[1], ['other']]);
  system.system.cast(pid, 'step', (state) => stop('normal', state));
  await settle();
  assert.deepEqual(reasons, []);
  system.system.send<any, any>(pid, 'last', 2);
  await settle();
  assert.deepEqual([seen, reasons], [[1, 2], ['normal']]);
});

test('an exit that a server brings on itself counts before its result; terminate does not run', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log, reasons } = await startStepping(system);
  system.system.cast(pid, 'step', (state, ctx) => {
    try {
      ctx.exitProcess(ctx.self, 'boom');
    } catch {
      state.log.push('cannot be stopped');
    }
    return stop('normal', state);
  });
  await settle();
  assert.deepEqual(reasons, ['boom']);
  assert.deepEqual(log, ['cannot be stopped']);
});
