import { type ErrorData, type ExitReason, isErrorExit, Pid } from '../../runtime/index.ts';

/** The exit reason that a scenario file writes: an atom, or `{shutdown,x}`. */
export function parseReason(text: string): ExitReason {
  return text === '{shutdown,x}' ? { shutdown: 'x' } : text;
}

/**
 * An exit reason as a trace writes it; `sender` names the processes in it. What has no form of its own is shown as
 * JSON, so that it differs visibly.
 */
export function reasonText(reason: ExitReason, sender: (pid: Pid) => string): string {
  if (typeof reason === 'string') return reason;
  if (isErrorExit(reason)) return `error:${thrownText(reason.error)}`;
  if (typeof reason === 'object' && reason !== null) {
    const [term, ...more] = Object.keys(reason);
    const value = Object.values(reason)[0];
    if (more.length > 0) return JSON.stringify(reason);
    if (term === 'shutdown') return `{shutdown,${reasonText(value, sender)}}`;
    if (term === 'failed_to_start_child') {
      return `{failed_to_start_child,${value.id},${reasonText(value.reason, sender)}}`;
    }
    if (term === 'already_started' && value instanceof Pid) return `{already_started,${sender(value)}}`;
    if (term === 'bad_combination') return `{bad_combination${Object.entries(value).map(pairText).join('')}}`;
  }
  return JSON.stringify(reason) ?? String(reason);
}

function pairText([key, value]: [string, unknown]): string {
  return `,${key}=${String(value)}`;
}

/** What was thrown: the message of an error, but OTP's term for an error of the runtime itself. */
function thrownText(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return JSON.stringify(error) ?? String(error);
  const { message, code } = error as ErrorData;
  return code === 'ERR_NOPROC' ? 'noproc' : message;
}
