/**
 * Scenarios of the conformance suite that need a part of MCP this server does not have yet. Whoever builds the part
 * deletes its lines: `npm run conformance` fails while a listed scenario passes.
 */

export interface NotBuilt {
  /** What is missing. */
  readonly needs: string;
  /** The suite passes servers without the part too, so that a pass says nothing. */
  readonly passesWithoutIt?: true;
}

type List = Readonly<Record<string, NotBuilt>>;

const tasks: NotBuilt = { needs: 'the extension io.modelcontextprotocol/tasks' };

/** Revision -> scenario -> what it needs. */
export const notBuilt: Readonly<Record<string, List>> = {
  '2025-11-25': {},
  '2026-07-28': {
    'tasks-lifecycle': tasks,
    'tasks-capability-negotiation': tasks,
    'tasks-wire-fields': tasks,
    'tasks-request-state-removal': tasks,
    'tasks-mrtr-input': tasks,
    'tasks-request-headers': tasks,
    'tasks-dispatch-and-envelope': tasks,
    'tasks-status-notifications': { ...tasks, passesWithoutIt: true },
    'tasks-required-task-error': tasks,
    'tasks-mrtr-composition': tasks,
  },
};
