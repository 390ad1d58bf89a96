import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Logger, pino } from 'pino';
import {
  type CrashReport,
  channels,
  describeExit,
  type ProgressReport,
  type SupervisorReport,
  type ThreadExit,
  type UnexpectedMessage,
} from '../runtime/index.ts';

/**
 * A logger on standard error: standard output may be the protocol's. Written synchronously, so that the last words
 * arrive.
 */
export function createLogger(level: string | undefined): Logger {
  const known = level !== undefined && (level === 'silent' || level in pino.levels.values);
  const logger = pino({ level: known ? level : 'info' }, pino.destination({ dest: 2, sync: true }));
  if (level !== undefined && !known) logger.warn({ BEAMISH_LOG: level }, 'unknown log level; using info');
  return logger;
}

/** Writes the runtime's reports to the log; returns a function that stops it. */
export function logReports(logger: Logger): () => void {
  const subscriptions: [string, (message: unknown) => void][] = [
    [channels.crashReport, (m) => crash(logger, m as CrashReport)],
    [channels.supervisorReport, (m) => supervisor(logger, m as SupervisorReport)],
    [channels.progressReport, (m) => progress(logger, m as ProgressReport)],
    [channels.unexpectedMessage, (m) => unexpected(logger, m as UnexpectedMessage)],
    [channels.threadExit, (m) => threadExit(logger, m as ThreadExit)],
  ];
  for (const [name, listener] of subscriptions) subscribe(name, listener);
  return () => {
    for (const [name, listener] of subscriptions) unsubscribe(name, listener);
  };
}

function crash(logger: Logger, { pid, name, label, initialCall, reason, lastMessage, late }: CrashReport): void {
  const what = label ?? name ?? initialCall;
  const about = {
    process: pid,
    label,
    initialCall,
    reason,
    ...(lastMessage === undefined ? {} : { last: lastMessage.tag }),
  };
  if (late === true)
    logger.error(about, `${what} had exited when code that it left behind failed: ${describeExit(reason)}`);
  else logger.error(about, `${what} crashed: ${describeExit(reason)}`);
}

function supervisor(logger: Logger, { pid, supervisor, errorContext, reason, offender }: SupervisorReport): void {
  const { id, label, start } = offender;
  const culprit = label ?? id ?? start.exportName;
  const about = { process: pid, supervisor, errorContext, offender: { id, pid: offender.pid, label }, reason };
  logger.error(about, `${supervisor}: ${errorContext} ${culprit}: ${describeExit(reason)}`);
}

function progress(logger: Logger, { pid, supervisor, started }: ProgressReport): void {
  logger.debug({ process: pid, supervisor, started: started.pid }, `${supervisor} started ${started.id}`);
}

function unexpected(logger: Logger, { pid, tag }: UnexpectedMessage): void {
  logger.warn({ process: pid, tag }, `no clause for the message '${tag}': dropped`);
}

function threadExit(logger: Logger, { thread, group, reason, stalled, running, processes, ready }: ThreadExit): void {
  // One that ran a single process ends with it: nothing to tell.
  if (group === null && processes === 0) return;
  const about = { thread, group, reason, stalled, running, processes, ready };
  logger.error(
    about,
    `thread ${thread} ended with ${processes} processes: ${stalled ? 'stalled' : describeExit(reason)}`,
  );
}
