/** The system in which the operations run. */
import {
  type Context,
  type GenServer,
  type Pid,
  type Protocol,
  type System,
  startSystem,
} from '../../../../runtime/index.ts';

export const system: System = await startSystem({ children: [] });

/** Runs a function as a process and hands on what it returns. */
export function inProcess<Result>(run: (ctx: Context) => Promise<Result>): Promise<Result> {
  const { promise, resolve, reject } = later<Result>();
  system.spawn((_arg: undefined, ctx: Context) => run(ctx).then(resolve, reject), undefined);
  return promise;
}

export async function started<P extends Protocol, Start>(
  ctx: Pick<Context, 'start'>,
  server: GenServer<P, Start>,
  start: Start,
): Promise<Pid<P>> {
  const result = await ctx.start(server, start);
  if (result === 'ignore' || 'error' in result) throw new Error(`${server.exportName} did not start`);
  return result.ok;
}

export interface Later<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function later<T>(): Later<T> {
  let [resolve, reject]: [Later<T>['resolve'], Later<T>['reject']] = [() => {}, () => {}];
  const promise = new Promise<T>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  return { promise, resolve, reject };
}
