/** A program that serves its standard streams; what happens goes to standard error. Run by stdio.test.ts. */
import { child as childSpec, type GenServer, genServer, name, startSystem, supervisor } from '../../runtime/index.ts';
import { stdio } from '../../transports/stdio.ts';
import { Observer } from './probe-endpoint.ts';

/** Ends on SIGUSR2, and with it, by 'rest_for_one', what is started after it. */
export const Elder: GenServer<Record<never, never>> = genServer(import.meta, 'Elder', { init: () => 0 });

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const observer = new Observer();
let stop: () => void = () => {};
const stopped = new Promise<void>((resolve) => {
  stop = resolve;
});
const transport = stdio({
  onClose: (reason) => {
    say(`closed ${JSON.stringify(reason)}`);
    if (reason !== 'shutdown') stop();
  },
});
const system = await startSystem({
  strategy: 'rest_for_one',
  children: [
    childSpec(Elder, undefined, { name: 'elder' }),
    supervisor('transports', {}, [transport.childSpec(observer.spec)]),
  ],
});
process.on('SIGUSR2', () => {
  const elder = system.whereis(name('elder'));
  if (elder !== undefined) system.exitProcess(elder, 'kill');
});
say('started');
await stopped;
await system.stop();
say(`stopped, ${observer.seen.filter(({ event }) => event === 'abort').length} aborted`);
