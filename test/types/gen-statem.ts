import {
  type Call,
  type Context,
  changeCallbackModule,
  child,
  type Dest,
  eventTimeout,
  type GenServer,
  type GenStatem,
  genericTimeout,
  genServer,
  genStatem,
  initState,
  keepState,
  keepStateAndData,
  name,
  nextEvent,
  nextState,
  type Pid,
  pushCallbackModule,
  repeatState,
  replyTo,
  type StatemEventResult,
  stateTimeout,
  stop,
  stopAndReply,
} from '../../runtime/index.ts';

interface Data {
  readonly code: readonly number[];
  readonly typed: readonly number[];
  readonly alarm: 'off' | 'on';
}

/** What clients see. */
interface Lock {
  readonly call: { readonly length: Call<void, number>; readonly status: Call<void, 'locked' | 'open'> };
  readonly cast: { readonly button: number };
}

/** What the machine itself needs. */
interface LockMachine extends Lock {
  readonly info: { readonly tick: void };
  readonly internal: { readonly check: void; readonly skip: number };
  readonly stateTimeout: { readonly lock: void; readonly blink: number };
  readonly eventTimeout: { readonly idle: void };
  readonly genericTimeout: { readonly alarm: string };
  readonly state: 'locked' | 'open';
  readonly data: Data;
}

/** A helper of several clauses says what it returns. */
function typed(data: Data, digit: number): StatemEventResult<LockMachine> {
  return keepState({ ...data, typed: [...data.typed, digit] }, eventTimeout(1_000, 'idle'));
}

export const Door: GenStatem<LockMachine, readonly number[]> = genStatem(import.meta, 'Door', {
  init: (code) => initState('locked', { code, typed: [], alarm: 'off' }, [nextEvent('internal', 'check')]),
  states: {
    locked: {
      enter: (data, previous) => (previous === 'open' ? keepState({ ...data, typed: [] }) : keepStateAndData()),
      call: { status: (_data, _none, ctx) => keepStateAndData(replyTo(ctx.from, 'locked')) },
      cast: {
        button: (data, digit) =>
          digit === data.code[0]
            ? nextState('open', { ...data, alarm: 'off' }, [
                stateTimeout(10_000, 'lock'),
                stateTimeout('update', 'blink', 2),
              ])
            : typed(data, digit),
      },
      internal: { check: async (data) => repeatState(data) },
      eventTimeout: { idle: (data) => keepState({ ...data, typed: [] }, genericTimeout(1_000, 'alarm', 'too slow')) },
    },
    open: {
      call: { status: (_data, _none, ctx) => keepStateAndData([replyTo(ctx.from, 'open'), stateTimeout('cancel')]) },
      cast: { button: () => keepStateAndData('postpone') },
      info: { DOWN: (data, { reason }) => stop(reason, data) },
      stateTimeout: {
        lock: (data) => nextState('locked', data, [genericTimeout('cancel', 'alarm'), eventTimeout('cancel')]),
        blink: (data, times) => keepState(data, nextEvent('internal', 'skip', times - 1)),
      },
      internal: { skip: (data, n) => keepState(data, changeCallbackModule(n > 0 ? Door : Door)) },
    },
  },
  handleEvent: {
    call: { length: (_state, data, _none, ctx) => stopAndReply('normal', replyTo(ctx.from, data.code.length), data) },
    info: { tick: (state, data) => (state === 'open' ? keepState(data) : stop('late', data)) },
    genericTimeout: { alarm: (_state, data, why) => keepState({ ...data, alarm: why === '' ? 'off' : 'on' }) },
  },
  terminate: (_reason, state, { code }) => [state === 'open', code.length],
  formatStatus: (state) => state,
  codeChange: (_version, _state, data) => ({ state: 'locked', data }),
});

/** A state that is no string is handled by `handleEvent`; one that is may have a table without clauses. */
interface Connection {
  readonly call: { readonly used: Call<void, number> };
  readonly state: 'idle' | readonly ['busy', number];
  readonly data: { readonly used: number };
}
export const Connection: GenStatem<Connection> = genStatem(import.meta, 'Connection', {
  init: () => initState('idle', { used: 0 }),
  states: { idle: {} },
  handleEvent: {
    call: { used: (_state, { used }, _none, ctx) => nextState(['busy', used], { used: 2 }, replyTo(ctx.from, used)) },
  },
});

export const MissingCommonClause: GenStatem<Connection> = genStatem(import.meta, 'MissingCommonClause', {
  init: () => initState('idle', { used: 0 }),
  states: { idle: { call: { used: () => keepStateAndData() } } },
  // @ts-expect-error a clause is missing for the states that are no strings: handleEvent.call
  handleEvent: {},
});

const both = { status: () => keepStateAndData(), length: () => keepStateAndData() } as const;
const button = { button: () => keepStateAndData() } as const;
const tick = { tick: () => keepStateAndData() } as const;
const alarm = { alarm: () => keepStateAndData() } as const;
const complete = { call: both, cast: button, info: tick, genericTimeout: alarm } as const;
const begin = (): ReturnType<typeof initState<'locked', Data>> =>
  initState('locked', { code: [], typed: [], alarm: 'off' });

export const MissingState: GenStatem<LockMachine> = genStatem(import.meta, 'MissingState', {
  init: begin,
  // @ts-expect-error a state is missing: open
  states: { locked: complete },
});

// @ts-expect-error all states are missing
export const MissingStates: GenStatem<LockMachine> = genStatem(import.meta, 'MissingStates', { init: begin });

export const MissingClauses: GenStatem<LockMachine> = genStatem(import.meta, 'MissingClauses', {
  init: begin,
  states: {
    // @ts-expect-error a clause is missing: call.length
    locked: { ...complete, call: { status: () => keepStateAndData() } },
    // @ts-expect-error a table is missing: cast
    open: { call: both, info: tick, genericTimeout: alarm },
  },
});

export const UnknownState: GenStatem<LockMachine> = genStatem(import.meta, 'UnknownState', {
  init: begin,
  states: {
    locked: complete,
    open: complete,
    // @ts-expect-error no such state
    ajar: complete,
  },
});

export const UnknownTag: GenStatem<LockMachine> = genStatem(import.meta, 'UnknownTag', {
  init: begin,
  states: {
    locked: {
      ...complete,
      // @ts-expect-error no such tag
      cast: { ...button, knob: () => keepStateAndData() },
    },
    open: complete,
  },
});

export const UnknownType: GenStatem<LockMachine> = genStatem(import.meta, 'UnknownType', {
  init: begin,
  states: {
    locked: complete,
    // @ts-expect-error no such type of event
    open: { ...complete, casts: {} },
  },
});

export const WrongResults: GenStatem<LockMachine> = genStatem(import.meta, 'WrongResults', {
  // @ts-expect-error the first state is none of the machine
  init: () => initState('ajar', { code: [], typed: [], alarm: 'off' }),
  states: {
    locked: {
      // @ts-expect-error an enter clause may not change the state
      enter: (data) => nextState('open', data),
      call: {
        // @ts-expect-error the reply must be one of the states
        status: (_data, _none, ctx) => keepStateAndData(replyTo(ctx.from, 'ajar')),
        // @ts-expect-error wrong data
        length: (data) => nextState('open', { ...data, alarm: 'loud' }),
      },
      cast: {
        // @ts-expect-error no such state
        button: (data) => nextState('ajar', data),
      },
      info: {
        // @ts-expect-error wrong data at the end
        tick: () => stop('normal', 'data'),
      },
      internal: {
        // @ts-expect-error no such internal event
        check: (data) => keepState(data, nextEvent('internal', 'chek')),
        // @ts-expect-error data is missing
        skip: (data) => keepState({ code: data.code }),
      },
      stateTimeout: {
        // @ts-expect-error a time-out of another type
        lock: (data) => keepState(data, stateTimeout(10, 'idle')),
        // @ts-expect-error the payload is missing
        blink: (data) => keepState(data, stateTimeout(10, 'blink')),
      },
      eventTimeout: {
        // @ts-expect-error wrong payload
        idle: (data, _none) => keepState(data, genericTimeout(10, 'alarm', 1)),
      },
      genericTimeout: {
        // @ts-expect-error no such name
        alarm: () => keepStateAndData([genericTimeout('cancel', 'bell')]),
      },
    },
    open: {
      ...complete,
      // @ts-expect-error an enter clause may not postpone
      enter: () => keepStateAndData('postpone'),
      internal: {
        // @ts-expect-error a machine of another protocol
        check: () => keepStateAndData(pushCallbackModule(Connection)),
        // @ts-expect-error a call is inserted with who waits for it
        skip: () => keepStateAndData(nextEvent('call', 'status')),
      },
    },
  },
});

export const Server: GenServer<{ readonly cast: { readonly x: void } }> = genServer(import.meta, 'Server', {
  init: () => 0,
  // @ts-expect-error a result of machines is none of servers
  handleCast: { x: () => keepStateAndData() },
});

/** A client needs to know what it can send, not the states. */
export async function uses(ctx: Context, machine: Pid<LockMachine>): Promise<'locked' | 'open'> {
  const lock: Dest<Lock> = machine;
  ctx.cast(name<Lock>('lock'), 'button', 1);
  child(Door, [1, 2]);
  // @ts-expect-error wrong payload
  ctx.cast(lock, 'button', 'one');
  // @ts-expect-error wrong init argument
  child(Door, 'forty');
  // @ts-expect-error an internal event cannot be sent
  ctx.cast(machine, 'check');
  return ctx.call(lock, 'status');
}
