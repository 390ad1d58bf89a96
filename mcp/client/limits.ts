import { DefinitionError } from '../errors.ts';

/** Every bound of a client, each an option of `mcpClient`. Times are milliseconds, the rest are counts. */
export interface ClientLimits {
  /** How long a request may take when it names no `timeoutMs`. */
  readonly requestTimeoutMs: number;
  /** The longest `timeoutMs` of a request, and its end whatever its progress, its retries and its rounds of input. */
  readonly requestTimeoutMaxMs: number;
  /** How long it may take from a started carrier to an agreed revision. */
  readonly connectTimeoutMs: number;
  /** How long a server may take to answer the question whether it is of the stateless era; then it is not. */
  readonly probeTimeoutMs: number;
  /** The first wait before a lost connection is made again; it doubles with each failure. */
  readonly backoffMinMs: number;
  /** The longest such wait. */
  readonly backoffMaxMs: number;
  /** How long a connection must last for the failures before it to be forgotten. */
  readonly stableAfterMs: number;
  /** Failures in a row after which requests fail at once instead of waiting for the connection. */
  readonly crashLoopAfter: number;
  /** Requests at one time, waiting ones included; more are refused. */
  readonly requestsMax: number;
  /** How often a request that is safe to repeat is sent again when its connection was lost. */
  readonly retriesMax: number;
  /** Pages of one list. */
  readonly pagesMax: number;
  /** How long a call may take that the server has made a task of, if it names no `timeoutMs`. */
  readonly taskTimeoutMaxMs: number;
  /** How often a task is asked for, if the server does not say. */
  readonly taskPollMs: number;
  /** Not more often, whatever the server says. */
  readonly taskPollMinMs: number;
  /** Not less often, whatever the server says. */
  readonly taskPollMaxMs: number;
  /** How often one request may lead to an authorization. */
  readonly authorizationsMax: number;
  /** How often one request may be answered with questions. */
  readonly inputRoundsMax: number;
  /** Requests of the server that run at one time; more are answered with an error. */
  readonly handlersMax: number;
  /** How long a handler may take for a request of the server. A person may have to answer it. */
  readonly handlerTimeoutMs: number;
  /** Answered requests whose ids are remembered, so that a second or late answer is known as such. */
  readonly answeredMax: number;
  /** How long the end of a session may take when the client is stopped. */
  readonly endSessionMs: number;
  /** Characters of a text of the server in a report. */
  readonly reportedTextMax: number;
  /** Arrays and objects inside each other in one message of the server. */
  readonly messageDepthMax: number;
  /** Messages in one JSON-RPC batch. */
  readonly batchMax: number;
  /** Characters of an id that the server gives to a request of its own. */
  readonly requestIdLengthMax: number;
}

/** The defaults. */
export const CLIENT_LIMITS: ClientLimits = Object.freeze({
  requestTimeoutMs: 60_000,
  requestTimeoutMaxMs: 600_000,
  connectTimeoutMs: 30_000,
  probeTimeoutMs: 5_000,
  backoffMinMs: 1_000,
  backoffMaxMs: 30_000,
  stableAfterMs: 60_000,
  crashLoopAfter: 5,
  requestsMax: 1_024,
  retriesMax: 3,
  pagesMax: 1_000,
  taskTimeoutMaxMs: 86_400_000,
  taskPollMs: 1_000,
  taskPollMinMs: 100,
  taskPollMaxMs: 60_000,
  authorizationsMax: 3,
  inputRoundsMax: 10,
  handlersMax: 64,
  handlerTimeoutMs: 600_000,
  answeredMax: 1_024,
  endSessionMs: 1_000,
  reportedTextMax: 200,
  messageDepthMax: 128,
  batchMax: 1_000,
  requestIdLengthMax: 256,
});

/**
 * The defaults with some of them replaced. Throws `DefinitionError` (`ERR_LIMIT`) for a name that is no limit and for a
 * value that is not a positive whole number.
 */
export function clientLimits(overrides: Partial<ClientLimits> = {}): ClientLimits {
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(CLIENT_LIMITS, name)) {
      const known = Object.keys(CLIENT_LIMITS).join(', ');
      throw new DefinitionError('ERR_LIMIT', `no such limit of a client: ${name}; there are ${known}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new DefinitionError('ERR_LIMIT', `limit ${name} must be a positive whole number, not ${String(value)}`);
    }
  }
  return Object.freeze({ ...CLIENT_LIMITS, ...overrides });
}
