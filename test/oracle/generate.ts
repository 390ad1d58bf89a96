/**
 * Scenarios of our own making, determined by a seed: what `recorded.jsonl` holds was generated here and then recorded
 * from Erlang/OTP. They keep to what has one outcome whatever the timing: see README.md.
 */

import { Draw, type Plot } from './draw.ts';
import { plots } from './plots.ts';
import type { Scenario } from './scenario.ts';
import { widePlots } from './wide-plots.ts';

const classes = Object.entries({ ...plots, ...widePlots });

/** That many scenarios, of each class in turn. */
export function generate(seed: number, count: number): Scenario[] {
  return Array.from({ length: count }, (_, index) => generateOne(seed, index + 1));
}

/** The scenario with that number, from 1. */
export function generateOne(seed: number, number: number): Scenario {
  const [name, plot] = classes[(number - 1) % classes.length] as [string, Plot];
  const id = `g${seed}-${String(number).padStart(4, '0')}`;
  return { id, class: name, ...plot(new Draw(id)) };
}
