/** Where the code of a request runs. Pure. */

import type { StartOptions } from '../../runtime/index.ts';
import { DefinitionError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import type { Work } from './methods/outcome.ts';
import type { CodeSource } from './tool-module.ts';

/** Where a tool runs: see `ToolSpec.run`. */
export type RunPlace = 'process' | 'isolated' | 'main' | 'compute';

/** On another thread: in a process there, or as a job of the compute pool of the node. */
export type WorkPlace = Pick<StartOptions, 'thread' | 'isolated'> | 'compute';

/** What there is to run on. */
export interface Threads {
  /** The groups of the system. */
  readonly groups: readonly string[];
  /** The one that the node uses, if the system has it. */
  readonly group: string;
  /** The compute pool of the node, if it names one. */
  readonly pool?: string | undefined;
}

const UNKNOWN = 'the module of the server is not known, or the tool was changed';

/**
 * Undefined: in the process of the request, on its thread. Throws `DefinitionError` (`ERR_TOOL`) if a tool wants a
 * thread that it cannot have.
 */
export function workPlace(work: Work, catalog: Catalog, { groups, group, pool }: Threads): WorkPlace | undefined {
  const run = work.kind === 'tool' ? catalog.tools.get(work.name)?.runPlace : 'process';
  if (run === 'main') return undefined;
  const canMove = sourceOf(work, catalog) !== undefined;
  if (run === 'isolated') {
    if (canMove && groups.length > 0) return { isolated: true };
    throw new DefinitionError(
      'ERR_TOOL',
      `the tool cannot be isolated: ${canMove ? 'the system has no threads' : UNKNOWN}`,
    );
  }
  if (run === 'compute') {
    if (canMove && pool !== undefined) return 'compute';
    const what = canMove ? 'the node names no pool: mcpNode(id, { computePool: … })' : UNKNOWN;
    throw new DefinitionError('ERR_TOOL', `the tool cannot run on a compute pool: ${what}`);
  }
  return canMove && groups.includes(group) ? { thread: group } : undefined;
}

/** Where another thread finds the code; undefined: nowhere. */
export function sourceOf(work: Work, { tools, module, changed }: Catalog): CodeSource | undefined {
  const own = work.kind === 'tool' ? tools.get(work.name)?.source : undefined;
  if (own !== undefined) return own;
  return module === undefined || isChanged(work, changed) ? undefined : { module };
}

/** A thread that imports the module does not have what was changed since the server was started. */
function isChanged(work: Work, changed: ReadonlySet<string>): boolean {
  switch (work.kind) {
    case 'tool':
      return changed.has(`tools ${work.name}`);
    case 'prompt':
      return changed.has(`prompts ${work.name}`);
    case 'completion':
      return changed.has(`${work.of.kind}s ${work.of.name}`);
    case 'resource':
      return [...changed].some((key) => key.startsWith('resources ') || key.startsWith('templates '));
  }
}
