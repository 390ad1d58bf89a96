/** A server that does what ends its thread, and a process that hears of its successor. */
import { type Call, type GenServer, genServer, noreply, type Pid, reply } from '../../../runtime/index.ts';
import { type Fault, run } from './fault.ts';

export interface FaultyProtocol {
  readonly call: { readonly ping: Call<void, 'pong'> };
  readonly cast: { readonly fault: Fault };
}

export interface FaultyStart {
  readonly witness: Pid<WitnessProtocol>;
  /** One word: when the fault began, in nanoseconds of the clock that all threads have. */
  readonly moment: SharedArrayBuffer;
}

export const Faulty: GenServer<FaultyProtocol, FaultyStart> = genServer(import.meta, 'Faulty', {
  init: ({ witness, moment }: FaultyStart, ctx) => {
    ctx.send(witness, 'up', ctx.self);
    return new BigInt64Array(moment);
  },
  handleCall: { ping: (moment) => reply('pong', moment) },
  handleCast: {
    fault: (moment, fault) => {
      run(fault, moment);
      return noreply(moment);
    },
  },
});

export interface WitnessProtocol {
  readonly info: { readonly up: Pid<FaultyProtocol> };
}

type Up = (pid: Pid<FaultyProtocol>) => void;

/** Hears of each server that has started. */
export const Witness: GenServer<WitnessProtocol, Up> = genServer(import.meta, 'Witness', {
  init: (up: Up) => up,
  handleInfo: {
    up: (up, pid) => {
      up(pid);
      return noreply(up);
    },
  },
});
