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

const sampling: NotBuilt = { needs: 'requests to the client: sampling/createMessage' };
const elicitation: NotBuilt = { needs: 'requests to the client: elicitation/create' };
const inputRequired: NotBuilt = { needs: 'results that ask for input (resultType input_required)' };
const tasks: NotBuilt = { needs: 'the extension io.modelcontextprotocol/tasks' };

/** Revision -> scenario -> what it needs. */
export const notBuilt: Readonly<Record<string, List>> = {
  '2025-11-25': {
    'tools-call-sampling': sampling,
    'tools-call-elicitation': elicitation,
    'elicitation-sep1034-defaults': elicitation,
    'elicitation-sep1330-enums': elicitation,
  },
  '2026-07-28': {
    'input-required-result-basic-elicitation': inputRequired,
    'input-required-result-basic-sampling': inputRequired,
    'input-required-result-basic-list-roots': inputRequired,
    'input-required-result-request-state': inputRequired,
    'input-required-result-multiple-input-requests': inputRequired,
    'input-required-result-multi-round': inputRequired,
    'input-required-result-missing-input-response': { ...inputRequired, passesWithoutIt: true },
    'input-required-result-non-tool-request': inputRequired,
    'input-required-result-result-type': inputRequired,
    'input-required-result-unsupported-methods': { ...inputRequired, passesWithoutIt: true },
    'input-required-result-tampered-state': inputRequired,
    'input-required-result-capability-check': inputRequired,
    'input-required-result-ignore-extra-params': { ...inputRequired, passesWithoutIt: true },
    'input-required-result-validate-input': { ...inputRequired, passesWithoutIt: true },
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
