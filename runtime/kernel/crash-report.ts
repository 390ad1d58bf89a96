import { type CrashReport, crashReport } from '../telemetry.ts';
import { ExitedError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import { pidSetValues } from './pid-set.ts';
import type { Process } from './process.ts';

/** What a server adds to the report of its crash. */
export type CrashDetail = Pick<CrashReport, 'lastMessage' | 'client' | 'state'>;

/** What a report says of a message, and of who waits for the reply to it (gen_server error report: client). */
export function messageDetail({ kind, tag, payload, call }: Message): CrashDetail {
  const lastMessage = { kind, tag, payload };
  if (call === null) return { lastMessage };
  return { lastMessage, client: { pid: call.caller.pid, name: call.caller.name } };
}

/** Publishes that code of a process failed. `late`: the process had exited before. */
export function publishCrash(
  kernel: Kernel,
  process: Process,
  reason: ExitReason,
  detail: CrashDetail,
  late: boolean,
): void {
  if (!crashReport.hasSubscribers) return;
  const { pid, name, label, initialCall, ancestors, trapExit, queueLength: messageQueueLen } = process;
  const links = [...pidSetValues(process.links)];
  const about = {
    ...kernel.numbering.origin(pid),
    name,
    label,
    initialCall,
    ancestors,
    links,
    trapExit,
    messageQueueLen,
  };
  const report: CrashReport = { ...about, reason, ...detail };
  crashReport.publish(late ? { ...report, late } : report);
}

/** The code of a dead process met its fence: nothing to report. */
export function isFenced(error: unknown): boolean {
  try {
    return error instanceof ExitedError;
  } catch {
    return false; // a proxy of user code
  }
}
