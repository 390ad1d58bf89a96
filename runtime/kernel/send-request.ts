import type { CallError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import { assertDest } from './names.ts';
import { PendingCall } from './pending-call.ts';
import type { Dest } from './pid.ts';
import type { Process } from './process.ts';
import { type Outcome, RESPONSE, RequestId, Response } from './request.ts';

/** A call whose outcome comes back as a message. */
export function sendRequest(kernel: Kernel, caller: Process, dest: Dest, tag: string, payload: unknown): RequestId {
  const answered = (outcome: Outcome): void =>
    kernel.deliver(caller, new Message('info', RESPONSE, new Response(id, outcome)));
  const replied = (reply: unknown): void => answered({ reply });
  const failed = ({ reason }: CallError): void => answered({ error: { reason, dest } });
  const call = new PendingCall(kernel, kernel.nextRef(), caller, dest, tag, replied, failed);
  const id = new RequestId(call.ref, () => {
    call.done = true;
    kernel.forgetDeferred(call.ref);
  });
  const server = kernel.addressee(dest);
  if (server === undefined) assertDest(dest);
  kernel.sendCall(call, server, payload);
  return id;
}
