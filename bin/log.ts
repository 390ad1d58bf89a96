import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import {
  type CrashReport,
  channels,
  describeExit,
  type ProgressReport,
  type SupervisorReport,
  type ThreadExit,
  type UnexpectedMessage,
} from '../runtime/index.ts';

const require = createRequire(import.meta.url);

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** As pino has them. */
const levels: Readonly<Record<Level | 'silent', number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

/**
 * A log on standard error: standard output may be the protocol's. Written synchronously, so that the last words arrive.
 * Its logger is loaded with the first line: until then, and mostly that is for good, it costs nothing.
 */
export class Log {
  private readonly level: Level | 'silent';
  private logger: Logger | undefined;

  constructor(level: string | undefined) {
    const known = level !== undefined && Object.hasOwn(levels, level);
    this.level = known ? (level as Level | 'silent') : 'info';
    if (level !== undefined && !known) this.write('warn', { BEAMISH_LOG: level }, 'unknown log level; using info');
  }

  write(level: Level, about: object, text: string): void {
    if (levels[level] < levels[this.level]) return;
    try {
      this.logger ??= this.load();
    } catch (error) {
      // Such as a program that has no file left to open: its last words are to be read all the same.
      process.stderr.write(`${JSON.stringify({ level: levels[level], msg: text, noLogger: String(error) })}\n`);
      return;
    }
    this.logger[level](about, text);
  }

  private load(): Logger {
    const { pino } = require('pino') as typeof import('pino');
    return pino({ level: this.level }, pino.destination({ dest: 2, sync: true }));
  }
}

/** Writes the runtime's reports to the log; returns a function that stops it. */
export function logReports(log: Log): () => void {
  const subscriptions: [string, (message: unknown) => void][] = [
    [channels.crashReport, (m) => crash(log, m as CrashReport)],
    [channels.supervisorReport, (m) => supervisor(log, m as SupervisorReport)],
    [channels.progressReport, (m) => progress(log, m as ProgressReport)],
    [channels.unexpectedMessage, (m) => unexpected(log, m as UnexpectedMessage)],
    [channels.threadExit, (m) => threadExit(log, m as ThreadExit)],
  ];
  for (const [name, listener] of subscriptions) subscribe(name, listener);
  return () => {
    for (const [name, listener] of subscriptions) unsubscribe(name, listener);
  };
}

function crash(log: Log, { pid, name, label, initialCall, reason, lastMessage, late }: CrashReport): void {
  const what = label ?? name ?? initialCall;
  const about = {
    process: pid,
    label,
    initialCall,
    reason,
    ...(lastMessage === undefined ? {} : { last: lastMessage.tag }),
  };
  if (late === true)
    log.write('error', about, `${what} had exited when code that it left behind failed: ${describeExit(reason)}`);
  else log.write('error', about, `${what} crashed: ${describeExit(reason)}`);
}

function supervisor(log: Log, { pid, supervisor, errorContext, reason, offender }: SupervisorReport): void {
  const { id, label, start } = offender;
  const culprit = label ?? id ?? start.exportName;
  const about = { process: pid, supervisor, errorContext, offender: { id, pid: offender.pid, label }, reason };
  log.write('error', about, `${supervisor}: ${errorContext} ${culprit}: ${describeExit(reason)}`);
}

function progress(log: Log, { pid, supervisor, started }: ProgressReport): void {
  log.write('debug', { process: pid, supervisor, started: started.pid }, `${supervisor} started ${started.id}`);
}

function unexpected(log: Log, { pid, tag }: UnexpectedMessage): void {
  log.write('warn', { process: pid, tag }, `no clause for the message '${tag}': dropped`);
}

function threadExit(log: Log, { thread, group, reason, stalled, running, processes, ready }: ThreadExit): void {
  // One that ran a single process ends with it: nothing to tell.
  if (group === null && processes === 0) return;
  const about = { thread, group, reason, stalled, running, processes, ready };
  log.write(
    'error',
    about,
    `thread ${thread} ended with ${processes} processes: ${stalled ? 'stalled' : describeExit(reason)}`,
  );
}
