import { application, applicationController, type Context, startApplication, supervisor } from '../../runtime/index.ts';

const top = supervisor('top', {}, []);

const library = application('library', {});
const plain = application('plain', { applications: [library], start: () => top, stop: () => undefined });
export const kept = application('kept', {
  applications: [library, plain],
  start: async () => ({ top, state: { opened: 1 } }),
  prepStop: (state) => ({ opened: state.opened + 1 }),
  stop: (state) => state.opened.toFixed(),
});
export const refuses = application('refuses', { start: () => ({ error: 'not today' }) });

// @ts-expect-error start must return a specification
application('wrong', { start: () => 7 });
// @ts-expect-error what it needs must be applications
application('wrong', { applications: ['library'], start: () => top });
application('wrong', {
  start: () => ({ top, state: { opened: 1 } }),
  // @ts-expect-error prepStop must return a state
  prepStop: () => 'text',
});

export async function uses(ctx: Context): Promise<void> {
  applicationController([plain, { application: kept, type: 'transient' }], { shutdown: 1_000 });
  await startApplication(ctx, plain, 'permanent');
  // @ts-expect-error no such type
  await startApplication(ctx, plain, 'always');
  // @ts-expect-error an application, not its name
  await startApplication(ctx, 'plain');
  // @ts-expect-error the name is given
  applicationController([], { name: 'other' });
}
