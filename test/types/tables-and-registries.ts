/** What must not compile about tables, registries and groups; checked by the compiler, never run. */

import {
  type Bag,
  type Call,
  type Context,
  child,
  type GenServer,
  type OrderedTable,
  partitionSupervisor,
  registry,
  type Table,
} from '../../runtime/index.ts';

interface CounterProtocol {
  readonly call: { readonly get: Call<void, number> };
}
declare const Counter: GenServer<CounterProtocol, number>;
declare const ctx: Context;

const set: Table<string, number> = ctx.newTable('set');
export const ordered: OrderedTable<string, number> = ctx.newTable('ordered', { type: 'ordered_set' });
export const bag: Bag<string, number> = ctx.newTable('bag', { type: 'bag', access: 'public' });
export const found: number | undefined = ctx.table<string, number>('set')?.get('k');
export const last: string | undefined = ctx.table<string, number>('ordered', 'ordered_set')?.last();
export const values: number[] | undefined = ctx.table<string, number>('bag', 'duplicate_bag')?.get('k');

// @ts-expect-error a set has no last key
set.last();
// @ts-expect-error a bag has no counters
bag.updateCounter('k', 1);
// @ts-expect-error a table of numbers
set.set('k', 'text');
// @ts-expect-error no type of ets
ctx.newTable('t', { type: 'tree' });

const rows: Table<string, { readonly hits: number; readonly name: string }> = ctx.newTable('rows');
export const hits: number = rows.updateCounter('k', { field: 'hits', increment: 1 });
export const several: number[] = rows.updateCounter('k', [{ field: 'hits', increment: 1 }]);
// @ts-expect-error no such field
rows.updateCounter('k', { field: 'misses', increment: 1 });
// @ts-expect-error a threshold needs a setValue
rows.updateCounter('k', { field: 'hits', increment: 1, threshold: 5 });
// @ts-expect-error no such field
rows.updateElement('k', { misses: 1 });

const users = registry<string, number, CounterProtocol>('users', { keys: 'unique' });
const plain = registry('plain', { keys: 'unique' });
const topics = registry<string, string>('topics', { keys: 'duplicate' });
users.register(ctx, 'ann', 1);
plain.register(ctx, 'ann');
export const reply: Promise<number> = ctx.call(users.via('ann'), 'get');
// @ts-expect-error a value is missing
users.register(ctx, 'ann');
// @ts-expect-error no such call
void ctx.call(users.via('ann'), 'put');
// @ts-expect-error several processes have no one name
topics.via('news');

const parts = partitionSupervisor<CounterProtocol>('parts', { child: child(Counter, 0), partitions: 2 });
export const count: Promise<number> = ctx.call(parts.dest('key'), 'get');
// @ts-expect-error a key that has no hash
parts.dest({ user: 1 });
