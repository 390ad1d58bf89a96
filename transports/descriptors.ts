import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { DESCRIPTORS_RESERVED } from './limits.ts';

/** How much of the file descriptors of the program is in use when this one was given out. */
export type Descriptors = 'enough' | 'scarce' | 'exhausted';

/**
 * Watches the descriptors of accepted sockets. POSIX gives out the lowest number that is free, so the number of the
 * newest tells how many are in use, by whomever, without counting them. Where no limit can be read (macOS, Windows) all
 * are enough.
 *
 * Node.js cannot leave clients in the backlog: it accepts as long as it listens, and at the limit itself libuv closes
 * what it accepts. So clients are turned away, with an answer, while there are descriptors to do it with.
 */
export class DescriptorGauge {
  private readonly scarceFrom: number;
  private readonly exhaustedFrom: number;

  constructor(descriptorsMax: number = descriptorLimit()) {
    const reserved = Math.min(DESCRIPTORS_RESERVED, Math.floor(descriptorsMax / 4));
    this.scarceFrom = descriptorsMax - reserved;
    this.exhaustedFrom = descriptorsMax - Math.floor(reserved / 2);
  }

  read(descriptor: number | undefined): Descriptors {
    if (descriptor === undefined || descriptor < this.scarceFrom) return 'enough';
    return descriptor < this.exhaustedFrom ? 'scarce' : 'exhausted';
  }
}

/** The number of a socket's descriptor: not documented by Node.js, and there on POSIX since it has sockets. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

function descriptorLimit(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return Number.POSITIVE_INFINITY; // not Linux
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
