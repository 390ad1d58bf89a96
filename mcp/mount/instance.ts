import {
  type Context,
  continueWith,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  importModule,
  initOk,
  NotTransferableError,
  noreply,
  type Pid,
  stop,
} from '../../runtime/index.ts';
import { quoted } from '../errors.ts';
import { errorMessage, type RequestId } from '../json-rpc.ts';
import { type Asking, authInfoOf } from './auth-info.ts';
import { BridgeTransport } from './bridge-transport.ts';
import type { MountProtocol } from './mount.ts';
import type { MountableServer, MountFactory } from './mounted.ts';

/** What a thread must know to run a mounted server: plain data, but for a closure on the same thread. */
export interface InstanceStart {
  readonly server: string;
  readonly create: MountFactory | undefined;
  readonly module: string | undefined;
  readonly exportName: string;
  readonly sessionId: string | undefined;
  readonly mount: Pid<MountProtocol>;
}

export interface InstanceProtocol {
  readonly cast: {
    /** A message for the server, and who sends it. */
    readonly inbound: { readonly message: object; readonly asking: Asking | undefined };
    /** It is not needed any more: it has that many milliseconds to close. */
    readonly close: number;
  };
  readonly info: { readonly closed: void };
  readonly continue: { readonly connect: void };
}

interface State {
  readonly start: InstanceStart;
  readonly transport: BridgeTransport;
  server: MountableServer | undefined;
}

type Ctx = Context<InstanceProtocol>;

/**
 * A server that was made by others, at work for one client. All of its code runs in the name of this process, so that
 * what it throws late ends this process and no other. Linked to the process that stands for it.
 */
export const Instance: GenServer<InstanceProtocol, InstanceStart> = genServer(import.meta, 'Instance', {
  init(start, ctx): InitOk<State> {
    ctx.setLabel(`mounted server ${quoted(start.server)}, at work`);
    const transport = new BridgeTransport(start.sessionId, (message, relatedTo) => {
      if (ctx.isAlive(ctx.self)) sendOut(start.mount, message, relatedTo, ctx);
    });
    return initOk({ start, transport, server: undefined }, continueWith('connect'));
  },
  handleContinue: {
    async connect(state, _payload, ctx): Promise<HandlerResult<State>> {
      // The factory may loop: what others wait for must have left this thread.
      ctx.flush();
      const create = await factoryOf(state.start);
      const server = await create();
      if (typeof server?.connect !== 'function') {
        throw new Error(`the factory of ${quoted(state.start.server)} must return a server that can be connected`);
      }
      state.server = server;
      await server.connect(state.transport);
      return noreply(state);
    },
  },
  handleCast: {
    inbound: (state, { message, asking }, ctx) => {
      ctx.flush();
      state.transport.onmessage?.(message, asking === undefined ? {} : { authInfo: authInfoOf(asking) });
      return noreply(state);
    },
    close: (state, closeMs, ctx) => {
      // What it still says finds nobody; whether it ever ends is its own affair.
      const closed = async (): Promise<void> => {
        await state.server?.close?.();
        await state.transport.close();
        if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, 'closed');
      };
      void closed();
      ctx.sendAfter(closeMs, 'closed');
      return noreply(state);
    },
  },
  handleInfo: { closed: (state) => stop('normal', state) },
});

async function factoryOf({ create, module, exportName }: InstanceStart): Promise<MountFactory> {
  if (create !== undefined) return create;
  const exports = await importModule(module as string);
  const found = Object.hasOwn(exports, exportName) ? exports[exportName] : undefined;
  if (typeof found !== 'function') {
    throw new Error(`${module} must export ${quoted(exportName)}, a function that makes a server`);
  }
  return found as MountFactory;
}

/** As JSON, where it would not cross threads otherwise. */
function sendOut(mount: Pid<MountProtocol>, message: object, relatedTo: string | number | undefined, ctx: Ctx): void {
  const send = (value: object): void => ctx.send(mount, 'outbound', { message: value, relatedTo });
  try {
    send(message);
  } catch (error) {
    if (!(error instanceof NotTransferableError)) throw error;
    send(asJson(message));
  }
}

function asJson(message: object): object {
  try {
    return JSON.parse(JSON.stringify(message)) as object;
  } catch (error) {
    // A request that is answered with what is no JSON is answered with that.
    const { id } = message as { readonly id?: RequestId };
    return errorMessage(id, { code: -32603, message: `the answer is no JSON: ${String(error)}` });
  }
}
