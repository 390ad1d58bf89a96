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

/** Revision -> scenario -> what it needs. */
export const notBuilt: Readonly<Record<string, List>> = {
  '2025-11-25': {},
  '2026-07-28': {
    'tasks-status-notifications': { needs: 'a check in the suite, which skips it whatever a server does' },
  },
};
