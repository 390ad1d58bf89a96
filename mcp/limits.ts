import { DefinitionError } from './errors.ts';

/**
 * Every bound of a node of the MCP layer, each an option of `mcpNode`. Times are milliseconds, lengths are characters,
 * the rest are counts.
 */
export interface McpLimits {
  /** How long a request may take when its tool names no `timeoutMs`; past it the request is ended and answered. */
  readonly requestTimeoutMs: number;
  /** The longest `timeoutMs` that a tool may ask for, and the end of every request whatever its progress. */
  readonly requestTimeoutMaxMs: number;
  /** How long a session may stay without a request before it is ended. */
  readonly sessionIdleMs: number;
  /** Sessions at one time; more are refused. */
  readonly sessionsMax: number;
  /** Characters of a session id that a client may send. Longer ones cannot be ours. */
  readonly sessionIdLengthMax: number;
  /** Messages in one JSON-RPC batch. */
  readonly batchMax: number;
  /** Arrays and objects inside each other in one message. */
  readonly messageDepthMax: number;
  /** Characters of a request id. An id is echoed, and is kept as long as its request. */
  readonly requestIdLengthMax: number;
  /** Arrays and objects inside each other in arguments, and in structured content. */
  readonly valueDepthMax: number;
  /** Values in arguments, and in structured content. */
  readonly valueNodesMax: number;
  /** Characters of a string that a `pattern` is matched against; longer strings do not match. */
  readonly patternInputMax: number;
  /** How often one validation may follow a `$ref`: what recursive schemas can cost. */
  readonly refStepsMax: number;
  /** Problems named in one answer about invalid arguments. */
  readonly problemsMax: number;
  /** Values in the result of a tool, its content included. */
  readonly resultNodesMax: number;
  /** The least time between two progress notifications of one request; those in between are dropped. */
  readonly progressPauseMs: number;
  /** Items in one page of a list. */
  readonly listPageMax: number;
  /** How long a client may keep a list (2026-07-28, `ttlMs`). */
  readonly listFreshMs: number;
  /** Event streams of its own that a session over HTTP may have at one time; more are refused. */
  readonly sessionStreamsMax: number;
  /** Events that a session keeps for clients that come back; past it the oldest are forgotten. */
  readonly sessionEventsMax: number;
  /** Characters of JSON in these events. */
  readonly sessionEventCharsMax: number;
  /** The same of all sessions together; past it those that were told nothing for the longest time lose theirs. */
  readonly sessionLogsCharsMax: number;
  /** How soon a client should come back to an event stream that was ended before its answer. */
  readonly retryMs: number;
  /** How long work may wait for a thread that does not yield before it is put on another one. */
  readonly workBeginMs: number;
  /** Resources that one session, or one `subscriptions/listen`, may subscribe to. */
  readonly subscriptionsMax: number;
  /** Questions in one `ctx.input`. */
  readonly inputRequestsMax: number;
  /** How often one request may ask its client. */
  readonly inputRoundsMax: number;
  /** How long the time of a request stands still while its client is asked (sessions). */
  readonly inputTimeoutMs: number;
  /** How long a client may carry what a request has found out before it asked (2026-07-28, `requestState`). */
  readonly requestStateMs: number;
  /** Characters of a `requestState` that a client may send. Longer ones cannot be ours. */
  readonly requestStateLengthMax: number;
  /** Tasks that are known at one time, those that have ended too; more are refused. */
  readonly tasksMax: number;
  /** Tasks of one session; more are refused. */
  readonly sessionTasksMax: number;
  /** How long a task is known from its beginning; past it its work is ended, and it is forgotten. */
  readonly taskTtlMs: number;
  /** How often a client should ask for a task (`pollIntervalMs`). */
  readonly taskPollMs: number;
  /** How long a mounted server may take to be made and to answer `initialize`. */
  readonly mountStartMs: number;
  /** How long a mounted server that is not needed any more may take to close. */
  readonly mountCloseMs: number;
  /** `subscriptions/listen` at one time; more are refused. */
  readonly listensMax: number;
  /** How long `verify` may take with one token (`authorization`); past it the request is answered 503. */
  readonly verifyTimeoutMs: number;
  /** Tokens that are verified at one time; requests with more are answered 503. */
  readonly verificationsMax: number;
  /** Tokens whose verification is remembered; past it those that were used longest ago are forgotten. */
  readonly tokensKeptMax: number;
  /** How long a verification is good, if the token does not end before: how late a revocation may be noticed. */
  readonly tokenFreshMs: number;
  /** Requests that one principal may have at work at one time, in sessions or without; more are answered 429. */
  readonly principalRequestsMax: number;
  /** Sessions of one principal at one time. */
  readonly principalSessionsMax: number;
  /** Tasks of one principal that are known at one time. */
  readonly principalTasksMax: number;
  /** `subscriptions/listen` of one principal at one time. */
  readonly principalListensMax: number;
}

/** The defaults. */
export const MCP_LIMITS: McpLimits = Object.freeze({
  requestTimeoutMs: 60_000,
  requestTimeoutMaxMs: 600_000,
  sessionIdleMs: 1_800_000,
  sessionsMax: 10_000,
  sessionIdLengthMax: 256,
  batchMax: 100,
  messageDepthMax: 128,
  requestIdLengthMax: 256,
  valueDepthMax: 64,
  valueNodesMax: 100_000,
  patternInputMax: 65_536,
  refStepsMax: 100_000,
  problemsMax: 10,
  resultNodesMax: 1_000_000,
  progressPauseMs: 50,
  listPageMax: 1_000,
  listFreshMs: 60_000,
  sessionStreamsMax: 4,
  sessionEventsMax: 256,
  sessionEventCharsMax: 262_144,
  sessionLogsCharsMax: 67_108_864,
  retryMs: 1_000,
  workBeginMs: 60,
  subscriptionsMax: 1_000,
  listensMax: 10_000,
  tasksMax: 10_000,
  sessionTasksMax: 1_000,
  taskTtlMs: 3_600_000,
  taskPollMs: 1_000,
  mountStartMs: 10_000,
  mountCloseMs: 5_000,
  inputRequestsMax: 16,
  inputRoundsMax: 16,
  inputTimeoutMs: 300_000,
  requestStateMs: 600_000,
  requestStateLengthMax: 262_144,
  verifyTimeoutMs: 10_000,
  verificationsMax: 1_000,
  tokensKeptMax: 10_000,
  tokenFreshMs: 300_000,
  principalRequestsMax: 256,
  principalSessionsMax: 100,
  principalTasksMax: 1_000,
  principalListensMax: 100,
});

/** The bounds of the schemas of tools; they hold where a tool is defined, which no node has options for. */
export const SCHEMA_LIMITS: {
  /** Arrays and objects inside each other. */
  readonly depthMax: number;
  /** Values. */
  readonly nodesMax: number;
  /** Characters of its JSON text. */
  readonly lengthMax: number;
} = Object.freeze({ depthMax: 64, nodesMax: 10_000, lengthMax: 262_144 });

/**
 * The defaults with some of them replaced. Throws `DefinitionError` (`ERR_LIMIT`) for a name that is no limit and for a
 * value that is not a positive whole number.
 */
export function mcpLimits(overrides: Partial<McpLimits> = {}): McpLimits {
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(MCP_LIMITS, name)) {
      throw new DefinitionError('ERR_LIMIT', `no such limit: ${name}; there are ${Object.keys(MCP_LIMITS).join(', ')}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new DefinitionError('ERR_LIMIT', `limit ${name} must be a positive whole number, not ${String(value)}`);
    }
  }
  return Object.freeze({ ...MCP_LIMITS, ...overrides });
}
