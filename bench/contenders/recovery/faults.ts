/** One fault of a worker thread, and the time until its successor answers. */
import { subscribe } from 'node:diagnostics_channel';
import { channels, child, type Pid, startChild, startSystem, supervisor } from '../../../runtime/index.ts';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { type Fault, resourceLimits } from './fault.ts';
import { Faulty, type FaultyProtocol, Witness } from './servers.ts';

const callsBefore = 100;
/** What the start leaves to do. */
const settleMs = 1_000;
/** Until the spare thread, which is started a second after the system, has started and imported what it may need. */
const spareSettleMs = 5_000;
/** On a machine with much to do a thread may seem to stall for no fault of its own. */
const intensity = 1_000;

/** The server that is up now, whoever it succeeds. */
class Incarnations {
  readonly moment: SharedArrayBuffer = new SharedArrayBuffer(8);
  private up: (pid: Pid<FaultyProtocol>) => void = () => {};
  private next = this.nextUp();

  readonly told = (pid: Pid<FaultyProtocol>): void => this.up(pid);

  private nextUp(): Promise<Pid<FaultyProtocol>> {
    return new Promise((resolve) => {
      this.up = resolve;
    });
  }

  /** Settles when one is up of which this has not told before. */
  async successor(): Promise<Pid<FaultyProtocol>> {
    const pid = await this.next;
    this.next = this.nextUp();
    return pid;
  }

  /** Zero until the fault has begun. */
  get began(): bigint {
    return new BigInt64Array(this.moment)[0] ?? 0n;
  }
}

async function recover(kind: Fault, spare: boolean, stallMs: number): Promise<object> {
  const system = await startSystem({
    threads: { cpu: { count: 1, spare, resourceLimits } },
    // Low only where it counts.
    workers: kind === 'loop' ? { stallMs } : {},
    children: [],
  });
  void system.terminated.then((end) => {
    throw new Error(`the system has ended: ${String(end)}`);
  });
  const incarnations = new Incarnations();
  const { moment } = incarnations;
  const witness = await system.start(Witness, incarnations.told);
  if (witness === 'ignore' || 'error' in witness) throw new Error('the witness did not start');
  const faulty = child(Faulty, { witness: witness.ok, moment }, { restart: 'permanent', thread: 'cpu' });
  await startChild(system, system.root, supervisor('faulty', { intensity }, [faulty]));

  const answering = async (server: Pid<FaultyProtocol>): Promise<Pid<FaultyProtocol>> => {
    const answer = await system.call(server, 'ping').catch(() => 'gone');
    return answer === 'pong' ? server : answering(await incarnations.successor());
  };
  let server = await incarnations.successor();
  for (let i = 0; i < callsBefore; i++) server = await answering(server);
  await new Promise((resolve) => setTimeout(resolve, spare ? spareSettleMs : settleMs));

  let detected = 0n;
  subscribe(channels.threadExit, () => {
    if (incarnations.began !== 0n) detected ||= process.hrtime.bigint();
  });
  while (incarnations.began === 0n) {
    system.cast(server, 'fault', kind);
    server = await incarnations.successor();
  }
  await answering(server);
  const served = process.hrtime.bigint();
  const { began } = incarnations;
  return { detectedMs: Number(detected - began) / 1e6, servedMs: Number(served - began) / 1e6 };
}

/** Each fault needs a process of its own: it has one system. The argument: how long a loop may go on. */
export function answerForFaults({ spare }: { readonly spare: boolean }): Promise<never> {
  const kinds: readonly Fault[] = ['throw', 'exit', 'oom', 'loop'];
  const operation =
    (kind: Fault): Operation =>
    (stallMs) =>
      recover(kind, spare, stallMs);
  return answerQuestions(new Map(kinds.map((kind) => [kind, operation(kind)])));
}
