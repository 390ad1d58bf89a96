import { badArgument, isCount, isObject } from './arguments.ts';
import type { Behaviour } from './behaviour.ts';
import type { ProcessOptions, StartOptions } from './context.ts';
import type { BadArgError } from './errors.ts';
import { isHibernateAfter } from './hibernation.ts';
import { isMailboxPolicy } from './mailbox-bound.ts';
import { isName, isVia } from './names.ts';
import { isTime, TIME } from './time.ts';

/** What is wrong with an option: what it must be, and the term with which a supervisor refuses it. */
interface OptionError {
  readonly option: string;
  readonly rule: string;
  readonly value: unknown;
  readonly term: { readonly [term: string]: unknown };
}

const debugWords = new Set<unknown>(['trace', 'log', 'statistics']);

/** The options that specifications have too; undefined if they are sound. */
export function processOptionError(options: ProcessOptions & { readonly name?: unknown }): OptionError | undefined {
  const { name, handlerTimeoutMs, attribute, mailboxMax, mailboxPolicy, hibernateAfterMs, thread, isolated } = options;
  if (name !== undefined && !isName(name) && !isVia(name))
    return error('name', 'a text that is not empty, or { via, name }', name, 'invalid_name');
  if (handlerTimeoutMs !== undefined && !isTime(handlerTimeoutMs))
    return error('handlerTimeoutMs', TIME, handlerTimeoutMs, 'invalid_handler_timeout');
  if (attribute !== undefined && typeof attribute !== 'boolean')
    return error('attribute', 'true or false', attribute, 'invalid_attribute');
  if (mailboxMax !== undefined && !isCount(mailboxMax))
    return error('mailboxMax', 'a whole number from 1 on', mailboxMax, 'invalid_mailbox_max');
  if (mailboxPolicy !== undefined && !isMailboxPolicy(mailboxPolicy))
    return error('mailboxPolicy', "'reject', 'drop_newest' or 'drop_oldest'", mailboxPolicy, 'invalid_mailbox_policy');
  if (hibernateAfterMs !== undefined && !isHibernateAfter(hibernateAfterMs))
    return error('hibernateAfterMs', `${TIME}, from 1 on`, hibernateAfterMs, 'invalid_hibernate_after');
  if (thread !== undefined && !isName(thread)) return error('thread', 'the name of a group', thread, 'invalid_thread');
  if (isolated !== undefined && typeof isolated !== 'boolean')
    return error('isolated', 'true or false', isolated, 'invalid_isolated');
  if (isolated === true && thread !== undefined)
    return error('isolated', 'left out of a process with a `thread`', isolated, 'invalid_isolated');
  return undefined;
}

/** What is wrong with what a process is to run, or with its options; undefined if both are sound. */
export function startError(code: unknown, options: StartOptions): BadArgError | undefined {
  if (!isObject(options)) return badArgument('the options of a start', 'an object', options, { invalid_type: options });
  const plain = typeof code === 'function';
  if (!plain && !isBehaviour(code)) return badArgument('what a process runs', 'a behaviour or a function', code);
  const wrong = processOptionError(options) ?? startOptionError(options, plain);
  return wrong === undefined ? undefined : badArgument(wrong.option, wrong.rule, wrong.value, wrong.term);
}

/** What `start` waits for: a function has no init. */
export function awaitedStartError(code: unknown, options: StartOptions): BadArgError | undefined {
  if (isBehaviour(code)) return startError(code, options);
  return badArgument('what is started', 'a behaviour (a function is run with spawn)', code);
}

export function isBehaviour(code: unknown): code is Behaviour {
  return isObject(code) && typeof (code as Partial<Behaviour>).createRunner === 'function';
}

function startOptionError({ timeoutMs, debug }: StartOptions, plain: boolean): OptionError | undefined {
  if (timeoutMs !== undefined && !isTime(timeoutMs)) return error('timeoutMs', TIME, timeoutMs, 'invalid_timeout');
  if (debug === undefined) return undefined;
  if (plain) return error('debug', 'left out for a function, which answers no sys', debug, 'invalid_debug');
  if (Array.isArray(debug) && debug.every((word) => debugWords.has(word))) return undefined;
  return error('debug', "an array of 'trace', 'log' and 'statistics'", debug, 'invalid_debug');
}

function error(option: string, rule: string, value: unknown, term: string): OptionError {
  return { option, rule, value, term: { [term]: value } };
}
