/** A two-way line between two threads, of each kind that is measured. */
import type { MessagePort } from 'node:worker_threads';
import { type ChannelEnd, openChannel } from '../../../runtime/thread/channel.ts';
import { ChannelReader } from '../../../runtime/thread/channel-reader.ts';
import { ChannelWriter } from '../../../runtime/thread/channel-writer.ts';

export type Frame = readonly unknown[];

/** `asleep` is `ours` without spinning. */
export type LineKind = 'ours' | 'asleep' | 'post';

export interface Line {
  /** False: wait for `onDrain`. */
  send(frame: Frame): boolean;
}

export interface LineEnd {
  readonly kind: LineKind;
  readonly port: MessagePort;
  readonly writer: ChannelEnd;
  readonly reader: ChannelEnd;
}

export function openLineEnds(kind: LineKind): readonly [LineEnd, LineEnd] {
  const { port1, port2 } = new MessageChannel() as unknown as { port1: MessagePort; port2: MessagePort };
  const [forth, back] = [openChannel(), openChannel()];
  return [
    { kind, port: port1, writer: forth.writer, reader: back.reader },
    { kind, port: port2, writer: back.writer, reader: forth.reader },
  ];
}

export function openLine(end: LineEnd, onFrame: (frame: Frame) => void, onDrain: () => void = () => {}): Line {
  const { kind, port, writer, reader } = end;
  if (kind === 'post') {
    port.on('message', onFrame);
    return {
      send(frame) {
        port.postMessage(frame);
        return true;
      },
    };
  }
  const fail = (error: unknown): never => {
    throw error;
  };
  new ChannelReader(reader, {}, onFrame, { onLost: fail, ...(kind === 'asleep' && { spinUs: 0 }) });
  return new ChannelWriter(writer, {}, { onRefused: (_frame, error) => fail(error), onDrain });
}
