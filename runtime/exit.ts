/**
 * Why a process ended. Any term; these have a meaning of their own, as in OTP:
 *
 * - `'normal'`, `'shutdown'`, `{ shutdown: term }`: an orderly end, not reported as a crash.
 * - `'killed'`: ended by an untrappable `exitProcess(pid, 'kill')`.
 * - `'noproc'`: there was no such process.
 * - `{ error, stack }` (`ErrorExit`): code of the process threw or rejected.
 * - `{ reason, call }` (`CallExit`): the process did not catch the failure of a call that it made.
 * - `{ handler_timeout: tag }`: a handler did not settle within `handlerTimeoutMs`.
 */
export type ExitReason = unknown;

/** An `Error` as plain data, as it would arrive on another thread. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly cause?: unknown;
}

/**
 * The exit reason of a throw or rejection: OTP's `{Reason, Stack}`. `error` is the thrown value if it was no `Error`.
 */
export interface ErrorExit {
  readonly error: unknown;
  readonly stack: string;
}

/** The exit reason of an uncaught call failure: OTP's `{Reason, {gen_server, call, Args}}`. */
export interface CallExit {
  readonly reason: ExitReason;
  readonly call: { readonly dest: string; readonly tag: string };
}

const CAUSE_DEPTH_MAX = 8;

/** Turns a thrown value into plain data; a chain of causes is kept to a fixed depth, since it may be circular. */
export function errorData(thrown: unknown, depth: number = CAUSE_DEPTH_MAX): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const code = (thrown as { code?: unknown }).code;
  return {
    name: thrown.name,
    message: thrown.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(thrown.cause !== undefined && depth > 0 ? { cause: errorData(thrown.cause, depth - 1) } : {}),
  } satisfies ErrorData;
}

export function errorExit(thrown: unknown): ErrorExit {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  return { error: errorData(thrown), stack };
}

export function isErrorExit(reason: ExitReason): reason is ErrorExit {
  return typeof reason === 'object' && reason !== null && 'error' in reason && 'stack' in reason;
}

/** Whether the reason is `{ shutdown: term }`. */
export function isShutdownTuple(reason: ExitReason): reason is { readonly shutdown: unknown } {
  return typeof reason === 'object' && reason !== null && 'shutdown' in reason;
}

/** An orderly end: `'normal'`, `'shutdown'` or `{ shutdown: term }`. Such exits make no crash report. */
export function isNormalExit(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || isShutdownTuple(reason);
}

/** One line for people: `boom`, `TypeError: x is not a function`, `{"shutdown":"…"}`. */
export function describeExit(reason: ExitReason): string {
  if (typeof reason === 'string') return reason;
  if (isErrorExit(reason)) {
    const { error } = reason;
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const { name, message } = error as ErrorData;
      return `${name}: ${message}`;
    }
    return `thrown ${describeExit(error)}`;
  }
  try {
    return JSON.stringify(reason) ?? String(reason);
  } catch {
    return String(reason); // circular or a BigInt: the reason still has a form that can be printed
  }
}
