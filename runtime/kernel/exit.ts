/**
 * Why a process ended. Any term; these have a meaning of their own, as in OTP:
 *
 * - `'normal'`, `'shutdown'`, `{ shutdown: term }`: an orderly end, not reported as a crash.
 * - `'killed'`: ended by an untrappable `exitProcess(pid, 'kill')`.
 * - `'noproc'`: there was no such process.
 * - `{ error, stack }` (`ErrorExit`): code of the process threw or rejected.
 * - `{ reason, call }` (`CallExit`): the process did not catch the failure of a call that it made.
 * - `{ reason, task }` (`TaskExit`): nor that of a task that it awaited.
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

/** The exit reason of an uncaught task failure: Elixir's `{Reason, {Task, :await, Args}}`. */
export interface TaskExit {
  readonly reason: ExitReason;
  readonly task: { readonly pid: string | undefined; readonly run: string };
}

const CAUSE_DEPTH_MAX = 8;
/** Characters of a description: reasons may hold whole documents. */
const DESCRIPTION_MAX = 2_000;
const UNSHOWABLE = 'a value that cannot be shown';

/** Turns a thrown value into plain data; a chain of causes is kept to a fixed depth, since it may be circular. */
export function errorData(thrown: unknown, depth: number = CAUSE_DEPTH_MAX): unknown {
  try {
    return thrown instanceof Error ? dataOf(thrown, depth) : thrown;
  } catch {
    return { name: 'Error', message: 'an error whose members cannot be read' } satisfies ErrorData;
  }
}

function dataOf(thrown: Error, depth: number): ErrorData {
  const code = (thrown as { code?: unknown }).code;
  return {
    name: thrown.name,
    message: thrown.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(thrown.cause !== undefined && depth > 0 ? { cause: errorData(thrown.cause, depth - 1) } : {}),
  } satisfies ErrorData;
}

/** The exit reason that a throw of this value means; never throws. */
export function errorExit(thrown: unknown): ErrorExit {
  return { error: errorData(thrown), stack: stackOf(thrown) };
}

function stackOf(thrown: unknown): string {
  try {
    return thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  } catch {
    return ''; // a getter of user code
  }
}

/** Whether the reason is `{ error, stack }`. */
export function isErrorExit(reason: ExitReason): reason is ErrorExit {
  return has(reason, 'error') && has(reason, 'stack');
}

/** A reason is any value, a proxy with traps too: asking must not fail. */
function has(reason: ExitReason, key: string): boolean {
  try {
    return typeof reason === 'object' && reason !== null && key in reason;
  } catch {
    return false;
  }
}

/** Whether the reason is `{ shutdown: term }`. */
export function isShutdownTuple(reason: ExitReason): reason is { readonly shutdown: unknown } {
  return has(reason, 'shutdown');
}

/** An orderly end: `'normal'`, `'shutdown'` or `{ shutdown: term }`. Such exits make no crash report. */
export function isNormalExit(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || isShutdownTuple(reason);
}

/**
 * For people, never longer than a page: `boom`, `TypeError: x is not a function`, `{"shutdown":"…"}`. Never throws,
 * whatever the reason is.
 */
export function describeExit(reason: ExitReason): string {
  const text = described(reason);
  return text.length > DESCRIPTION_MAX ? `${text.slice(0, DESCRIPTION_MAX)}…` : text;
}

function described(reason: ExitReason): string {
  try {
    if (!isErrorExit(reason)) return textOf(reason);
    const { error } = reason;
    if (typeof error !== 'object' || error === null || !('message' in error)) return `thrown ${textOf(error)}`;
    const { name, message } = error as ErrorData;
    return `${textOf(name)}: ${textOf(message)}`;
  } catch {
    return UNSHOWABLE; // a getter or a proxy of user code
  }
}

function asJson(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    // What JSON has no word for is what is wrong more often than not: it must not be left out.
    const lost = inner === undefined || typeof inner === 'function' || typeof inner === 'symbol';
    return lost && key !== '' ? String(inner) : inner;
  });
}

/** Never throws, whatever the value. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  for (const show of [asJson, String]) {
    try {
      const text: unknown = show(value);
      if (typeof text === 'string') return text;
    } catch {
      // circular, a BigInt, nested beyond the stack, or with a toJSON of its own: the next way may do
    }
  }
  return UNSHOWABLE;
}
