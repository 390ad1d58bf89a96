import {
  type Call,
  type Context,
  type EventHandler,
  type EventProtocol,
  eventHandler,
  genEvent,
  name,
  noreply,
  removeHandler,
  removeHandlerReply,
  reply,
  swapHandler,
} from '../../runtime/index.ts';

interface AlarmEvents {
  readonly raised: string;
  readonly cleared: void;
}
interface LogProtocol {
  readonly event: AlarmEvents;
  readonly call: { readonly count: Call<void, number>; readonly since: Call<number, string[]> };
}
const alarms = name<EventProtocol<AlarmEvents>>('alarms');

export const Log: EventHandler<LogProtocol, string> = eventHandler(import.meta, 'Log', {
  init: (prefix) => ({ prefix, lines: [] as string[] }),
  handleEvent: {
    raised: (state, text) => noreply({ ...state, lines: [...state.lines, text] }),
    cleared: async () => removeHandler(),
  },
  handleCall: {
    count: (state) => reply(state.lines.length, state),
    since: () => removeHandlerReply(['gone']),
  },
});

/** Takes any event of any manager. */
export const Trace: EventHandler<{ readonly otherEvents: true }, void> = eventHandler(import.meta, 'Trace', {
  init: () => 0,
  handleOtherEvent: (state, { tag }) =>
    tag === 'x' ? noreply(state + 1) : swapHandler(state, { handler: Log, arg: '' }),
});

export const Partial: EventHandler<
  { readonly event: { readonly raised: string }; readonly otherEvents: true; readonly call: LogProtocol['call'] },
  void
> = eventHandler(import.meta, 'Partial', {
  init: () => 0,
  handleEvent: { raised: (state, text) => noreply(state + text.length) },
  handleOtherEvent: (state) => noreply(state),
  handleCall: { count: (state) => reply(state, state), since: (state) => reply([], state) },
});

export const MissingEvent: EventHandler<LogProtocol, void> = eventHandler(import.meta, 'MissingEvent', {
  init: () => 0,
  // @ts-expect-error a clause is missing: handleEvent.cleared
  handleEvent: { raised: (state: number) => noreply(state) },
  handleCall: { count: (state: number) => reply(state, state), since: (state: number) => reply([], state) },
});

// @ts-expect-error a table is missing: handleCall
export const MissingTable: EventHandler<LogProtocol, void> = eventHandler(import.meta, 'MissingTable', {
  init: () => 0,
  handleEvent: { raised: (state: number) => noreply(state), cleared: (state: number) => noreply(state) },
});

export const WrongReply: EventHandler<LogProtocol, void> = eventHandler(import.meta, 'WrongReply', {
  init: () => 0,
  handleEvent: { raised: (state) => noreply(state), cleared: (state) => noreply(state) },
  handleCall: {
    // @ts-expect-error the reply must be a number
    count: (state) => reply('many', state),
    // @ts-expect-error a call must be answered
    since: () => removeHandler(),
  },
});

/** Takes fewer events than the manager sends. */
export const Few: EventHandler<{ event: { readonly raised: string } }, void> = eventHandler(import.meta, 'Few', {
  init: () => 0,
  handleEvent: { raised: (state) => noreply(state) },
});

/** Takes them with another payload. */
export const Other: EventHandler<{ event: { raised: number; cleared: void } }, void> = eventHandler(
  import.meta,
  'Other',
  { init: () => 0, handleEvent: { raised: (state, by) => noreply(state + by), cleared: (state) => noreply(state) } },
);

export async function uses(ctx: Context): Promise<number> {
  genEvent.notify(ctx, alarms, 'raised', 'disk full');
  genEvent.notify(ctx, alarms, 'cleared');
  await genEvent.syncNotify(ctx, alarms, 'cleared');
  await genEvent.addHandler(ctx, alarms, Log, '> ');
  await genEvent.addSupHandler(ctx, alarms, { handler: Log, id: 'second' }, '> ');
  await genEvent.addHandler(ctx, alarms, Trace, undefined);
  await genEvent.addHandler(ctx, alarms, { handler: Partial, id: 'p' }, undefined);
  await genEvent.swapHandler(ctx, alarms, { handler: Trace, arg: 'bye' }, { handler: Log, arg: '> ' });
  const answer = await genEvent.call(ctx, alarms, { handler: Log, id: 'second' }, 'count');
  genEvent.child({ name: alarms, restart: 'permanent' });
  const started = await genEvent.startLink<AlarmEvents>(ctx, { name: 'alarms' });
  if (started !== 'ignore' && 'ok' in started) genEvent.notify(ctx, started.ok, 'raised', 'text');

  // @ts-expect-error wrong tag
  genEvent.notify(ctx, alarms, 'risen', 'disk full');
  // @ts-expect-error wrong payload
  genEvent.notify(ctx, alarms, 'raised', 7);
  // @ts-expect-error missing payload
  await genEvent.syncNotify(ctx, alarms, 'raised');
  // @ts-expect-error wrong argument of init
  await genEvent.addHandler(ctx, alarms, Log, 7);
  // @ts-expect-error the handler does not take all events of the manager
  await genEvent.addHandler(ctx, alarms, Few, undefined);
  // @ts-expect-error the handler takes another payload
  await genEvent.addHandler(ctx, alarms, Other, undefined);
  // @ts-expect-error wrong argument of init of the new handler
  await genEvent.swapHandler(ctx, alarms, { handler: Trace, arg: 1 }, { handler: Log, arg: 7 });
  // @ts-expect-error wrong call tag
  await genEvent.call(ctx, alarms, Log, 'size');
  // @ts-expect-error wrong call payload
  await genEvent.call(ctx, alarms, Log, 'since', 'yesterday');
  // @ts-expect-error wrong reply type
  const text: string = 'ok' in answer ? answer.ok : '';
  return 'ok' in answer ? answer.ok : text.length;
}
