import { type GenServer, genServer, type Messaging } from '../../runtime/index.ts';

const table = 'attempts';

/** Owns the table in which the start attempts of each path are counted, over all incarnations of all its parents. */
export const Attempts: GenServer<object> = genServer(import.meta, 'Attempts', {
  init(_nothing: void, ctx) {
    ctx.newTable<string, number>(table, { access: 'public' });
    return null;
  },
});

/** The number of this attempt, from 1. */
export function countAttempt(user: Pick<Messaging, 'table'>, path: string): number {
  const attempts = user.table<string, number>(table);
  if (attempts === undefined) throw new Error('the system has no Attempts server');
  const attempt = (attempts.get(path) ?? 0) + 1;
  attempts.set(path, attempt);
  return attempt;
}
