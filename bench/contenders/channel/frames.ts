import type { Frame } from './line.ts';

/** What a frame says in its first field: to be counted, the last to be counted, to be sent back. */
export const COUNT = 1;
export const LAST = 2;
export const ECHO = 3;

const kibibyte = 'x'.repeat(1_000);
const large = Buffer.alloc(64 * 1_024, 7);

/** Frames as a kernel would send them: what, to whom, from whom, its tag, its payload. */
export const payloads = {
  small: (i: number): Frame => [COUNT, 1_000 + (i & 255), 77, 'add', { ref: i, n: i & 1_023 }],
  call: (i: number): Frame => [
    COUNT,
    1_000 + (i & 255),
    { thread: 1, slot: 77, serial: 4_711 },
    i,
    'tools/call',
    { type: 'tools/call', name: 'search', n: i },
  ],
  kibibyte: (i: number): Frame => [COUNT, 1_000, 77, 'text', { ref: i, text: kibibyte }],
  large: (i: number): Frame => [COUNT, 1_000, 77, 'bytes', { ref: i, data: large }],
} as const;
