/**
 * Bounds on JSON values, checked level by level: no depth can overflow the stack here, nor where the value goes next.
 */

/** Why a value is too much: nested too deeply, too many values, or a value that JSON does not have. */
export type Excess = 'depth' | 'nodes' | 'bigint';

/**
 * Undefined if the value has at most `depthMax` arrays and objects inside each other and at most `nodesMax` values.
 * A value that contains itself has an excess of depth.
 */
export function excessOf(value: unknown, depthMax: number, nodesMax: number): Excess | undefined {
  if (typeof value === 'bigint') return 'bigint';
  if (typeof value !== 'object' || value === null) return undefined;
  let level: object[] = [value];
  let nodes = 1;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) return 'depth';
    const below: object[] = [];
    for (const container of level) {
      const values: unknown[] = Array.isArray(container) ? container : Object.values(container);
      nodes += values.length;
      if (nodes > nodesMax) return 'nodes';
      for (const each of values) {
        if (typeof each === 'object') {
          if (each !== null) below.push(each);
        } else if (typeof each === 'bigint') return 'bigint';
      }
    }
    level = below;
  }
  return undefined;
}

/** The excess in words, to follow the name of the value. */
export function describeExcess(excess: Excess, depthMax: number, nodesMax: number): string {
  if (excess === 'depth') return `has more than ${depthMax} arrays and objects inside each other`;
  if (excess === 'nodes') return `has more than ${nodesMax} values`;
  return 'contains a bigint, which JSON does not have';
}

/** Whether a JSON text could nest more than `depthMax` deep: a quick upper bound, it counts what opens. */
export function mayNestDeeper(text: string, depthMax: number): boolean {
  let openings = 0;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, at + 1)) {
      openings += 1;
      if (openings > depthMax) return true;
    }
  }
  return false;
}
