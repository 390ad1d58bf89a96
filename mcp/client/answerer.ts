import {
  type Context,
  type GenServer,
  genServer,
  type HandlerResult,
  noreply,
  type Pid,
  stop,
} from '../../runtime/index.ts';
import type { JsonObject } from '../json-rpc.ts';
import { type ClientHandlers, handlerOf } from './callbacks.ts';

/** What the answerers of one client share. */
export interface AnswererCommon {
  readonly client: string;
  readonly handlers: ClientHandlers;
}

/** One question of the server. */
export interface Question {
  readonly method: string;
  readonly params: JsonObject;
  readonly asker: Pid<{ readonly cast: { readonly answered: Answered } }>;
}

/** The answer, from the process that found it. */
export interface Answered {
  readonly answerer: Pid;
  readonly result: object;
}

interface AnswererProtocol {
  /** Sent by the asker once it monitors this process, so that no end of it goes unexplained. */
  readonly cast: { readonly run: void };
  readonly info: { readonly returned: object; readonly thrown: unknown };
}

interface State {
  readonly common: AnswererCommon;
  readonly question: Question;
}

/**
 * Answers one request of the server with the function of the user. A throw ends the process, and whoever asked learns
 * of it by its monitor; what the function leaves behind is blamed on the process.
 */
export const Answerer: GenServer<AnswererProtocol, readonly [AnswererCommon, Question]> = genServer(
  import.meta,
  'Answerer',
  {
    init([common, question]: readonly [AnswererCommon, Question], ctx): State {
      ctx.setLabel(`${question.method} for client ${common.client}`);
      return { common, question };
    },
    handleCast: { run: (state: State, _payload, ctx) => run(state, ctx) },
    handleInfo: {
      returned: (state: State, result, ctx) => {
        if (typeof result !== 'object' || result === null) {
          throw new TypeError(`the handler of ${state.question.method} must return an object, not ${typeof result}`);
        }
        ctx.cast(state.question.asker, 'answered', { answerer: ctx.self, result });
        return stop('normal', state);
      },
      thrown: (_state: State, error) => {
        throw error;
      },
    },
  },
);

function run(state: State, ctx: Context<AnswererProtocol>): HandlerResult<State> {
  const { common, question } = state;
  const handler = handlerOf(common.handlers, question.method);
  if (handler === undefined) return stop({ shutdown: 'no_handler' }, state);
  const deliver = (tag: 'returned' | 'thrown', value: any): void => {
    if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, tag, value);
  };
  // Not awaited by this handler: the process stays able to be stopped.
  Promise.resolve(handler(question.params, { signal: ctx.signal, client: common.client })).then(
    (result) => deliver('returned', result),
    (error: unknown) => deliver('thrown', error),
  );
  return noreply(state);
}
