import type { Frame } from './channel.ts';

/**
 * A process that sends many messages mostly sends them to one process, under one tag. Frames in a row that differ in
 * their last field only cross as one: `[-length, ...first frame, last field of the second, of the third, …]`. A frame
 * of its own begins with a number of at least 0.
 */
export function intoRuns(frames: readonly Frame[]): readonly (readonly unknown[])[] {
  const runs: (readonly unknown[])[] = [];
  let first: Frame | undefined;
  let run: unknown[] | undefined;
  for (const frame of frames) {
    if (first !== undefined && continues(first, frame)) {
      if (run === undefined) {
        run = [-first.length, ...first];
        runs[runs.length - 1] = run;
      }
      run.push(frame[frame.length - 1]);
    } else {
      runs.push(frame);
      first = frame;
      run = undefined;
    }
  }
  return runs;
}

/** The frames that went into these runs; the list of runs itself if there was none. */
export function fromRuns(runs: unknown[][]): unknown[][] {
  if (!runs.some(isRun)) return runs;
  const frames: unknown[][] = [];
  for (const run of runs) {
    if (!isRun(run)) {
      frames.push(run);
      continue;
    }
    const length = -(run[0] as number);
    const first = run.slice(1, length + 1);
    frames.push(first);
    for (let i = length + 1; i < run.length; i++) {
      const frame = first.slice();
      frame[length - 1] = run[i];
      frames.push(frame);
    }
  }
  return frames;
}

function isRun(frame: readonly unknown[]): boolean {
  return (frame[0] as number) < 0;
}

function continues(first: Frame, frame: Frame): boolean {
  const { length } = first;
  if (frame.length !== length) return false;
  // From behind: what differs first is who gets it, or the tag.
  for (let i = length - 2; i >= 0; i--) if (frame[i] !== first[i]) return false;
  return true;
}
