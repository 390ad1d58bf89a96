import { describeExit, type ExitReason } from '../kernel/exit.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { type Frame, op } from './frames.ts';

/**
 * The frame that takes the place of a signal that cannot cross, since a signal must arrive: its reason is described
 * instead. A reply that cannot cross fails the call. Undefined for what is no signal.
 */
export function portable(frame: Frame, error: unknown): Frame | undefined {
  const [what, a, b, c, d] = frame;
  switch (what) {
    case op.reply:
      return [op.callFailed, a, notTransferable(error)];
    case op.callFailed:
      return [op.callFailed, a, described(b)];
    case op.linkExit: {
      const { from, reason, label, thread } = c as ExitSignal;
      return [op.linkExit, a, b, new ExitSignal(from, described(reason), label, thread)];
    }
    case op.down:
      return [op.down, a, b, c, described(d)];
    case op.exit:
      return [op.exit, a, b, c, described(d)];
    case op.started:
      return [op.started, a, { error: described((b as { error: ExitReason }).error) }];
    case op.event:
      return [op.event, a, withoutValues(b as Record<string, unknown>)];
    default:
      return undefined;
  }
}

/** The reason of a call whose reply could not cross. */
export function notTransferable(error: unknown): { readonly not_transferable: string } {
  return { not_transferable: error instanceof Error ? error.message : String(error) };
}

function described(reason: ExitReason): ExitReason {
  return { described: describeExit(reason) };
}

const valueMembers: readonly string[] = ['state', 'lastMessage', 'payload', 'reason', 'event'];

/** An event without what user code has put into it. */
function withoutValues(event: Record<string, unknown>): Record<string, unknown> {
  const members = Object.entries(event).map(([key, value]) => [
    key,
    valueMembers.includes(key) ? described(value) : value,
  ]);
  return Object.fromEntries(members);
}
