import { type Name, name } from '../../runtime/index.ts';
import type { RegistryProtocol } from './registry.ts';
import type { SessionProtocol } from './session.ts';
import type { SessionManagerProtocol } from './session-manager.ts';
import type { SubscriptionHubProtocol } from './subscription-hub.ts';
import type { TaskProtocol } from './task.ts';
import type { TaskManagerProtocol } from './task-manager.ts';
import type { VerificationProtocol } from './token-verification.ts';

/**
 * The names of a node's processes and tables. They begin with the node's id, so that one system may run several nodes.
 */
export interface NodeNames {
  readonly registry: Name<RegistryProtocol>;
  readonly sessionStore: Name;
  readonly subscriptionHub: Name<SubscriptionHubProtocol>;
  readonly sessionManager: Name<SessionManagerProtocol>;
  readonly taskManager: Name<TaskManagerProtocol>;
  readonly sessionSup: Name;
  readonly taskSup: Name;
  readonly requestSup: Name;
  readonly batchSup: Name;
  readonly verificationSup: Name;
  /** Server name -> `Catalog`; owned by the registry. */
  readonly catalogTable: string;
  /** Session id -> `SessionRecord`; owned by the session store. */
  readonly sessionTable: string;
  /** Session id -> `SessionLog`; owned by the session store. */
  readonly logTable: string;
  /** One row: the `LogBudget` of all of them; owned by the session store. */
  readonly budgetTable: string;
  /** Connection and exchange -> `Listen`; owned by the session store. */
  readonly listenTable: string;
  /** Task id -> `TaskRecord`; owned by the session store. */
  readonly taskTable: string;
  /** Server name -> digests of its lists that clients were told of; owned by the session store. */
  readonly announcedTable: string;
  /** Server name -> `McpServer` as it is now; kept by the first process of the system. */
  readonly definitionTable: string;
  /** Resumable stream -> `StreamRecord`; owned by the session store. */
  readonly streamTable: string;
  /** What is known of those who call; owned by the session store. */
  readonly callersTable: string;
}

/** One of them alone: every request asks for it, and all of them cost more than the rest of its start. */
export function catalogTableOf(node: string): string {
  return `${node}_catalogs`;
}

/** As above. */
export function callersTableOf(node: string): string {
  return `${node}_callers`;
}

export function nodeNames(node: string): NodeNames {
  return {
    registry: name(`${node}_registry`),
    subscriptionHub: name(`${node}_subscription_hub`),
    sessionStore: name(`${node}_session_store`),
    sessionManager: name(`${node}_session_manager`),
    taskManager: name(`${node}_task_manager`),
    sessionSup: name(`${node}_session_sup`),
    taskSup: name(`${node}_task_sup`),
    requestSup: name(`${node}_request_sup`),
    batchSup: name(`${node}_batch_sup`),
    verificationSup: name(`${node}_verification_sup`),
    callersTable: callersTableOf(node),
    catalogTable: catalogTableOf(node),
    sessionTable: `${node}_sessions`,
    streamTable: `${node}_streams`,
    logTable: `${node}_logs`,
    budgetTable: `${node}_log_budget`,
    listenTable: `${node}_listens`,
    taskTable: `${node}_tasks`,
    announcedTable: `${node}_announced`,
    definitionTable: `${node}_definitions`,
  };
}

export function sessionName(node: string, sessionId: string): Name<SessionProtocol> {
  return name(`${node}_session:${sessionId}`);
}

/** The verification of a token that goes on. */
export function verificationName(node: string, key: string): Name<VerificationProtocol> {
  return name(`${node}_verification:${key}`);
}

export function taskName(node: string, taskId: string): Name<TaskProtocol> {
  return name(`${node}_task:${taskId}`);
}
