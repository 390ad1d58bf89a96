import { type AgentProtocol, agent, type Context, name, noreply, reply } from '../../runtime/index.ts';

const counter = name<AgentProtocol<number>>('counter');

export async function uses(ctx: Context): Promise<number> {
  agent.child(() => 0, { name: counter, restart: 'transient' });
  agent.child(async () => 0, { name: counter });
  const text: string = await agent.get(ctx, counter, (count) => count.toFixed(2), { timeoutMs: 100 });
  const later: number = await agent.get(ctx, counter, async (count) => count);
  const old: string = await agent.getAndUpdate(ctx, counter, (count) => reply(`${count}`, count + 1));
  await agent.update(ctx, counter, async (count) => count + 1);
  agent.cast(ctx, counter, (count) => count + 1);
  const started = await agent.startLink(ctx, () => ({ size: 1 }));
  if (started !== 'ignore' && 'ok' in started) {
    const size: number = await agent.get(ctx, started.ok, (state) => state.size);
    // @ts-expect-error the state has no such part
    await agent.get(ctx, started.ok, (state) => state.length);
    ctx.cast(started.ok, 'cast', () => ({ size }));
  }

  // @ts-expect-error the state is a number
  agent.child(() => 'zero', { name: counter });
  // @ts-expect-error the function does not return a state
  await agent.update(ctx, counter, (count) => `${count}`);
  // @ts-expect-error the function does not return a state
  agent.cast(ctx, counter, () => undefined);
  // @ts-expect-error not a reply
  await agent.getAndUpdate(ctx, counter, (count) => count);
  // @ts-expect-error not a reply
  await agent.getAndUpdate(ctx, counter, (count) => noreply(count));
  // @ts-expect-error a reply with a state of another type
  await agent.getAndUpdate(ctx, counter, (count) => reply(count, 'text'));
  // @ts-expect-error the value is a number
  const wrong: string = await agent.get(ctx, counter, (count) => count);
  return text.length + later + old.length + wrong.length;
}
