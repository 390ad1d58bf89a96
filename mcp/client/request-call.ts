import type { Call, Dest, From, Pid, Ref, Response } from '../../runtime/index.ts';
import type { CarrierReports } from '../../transports/client-transport.ts';
import type { JsonObject } from '../json-rpc.ts';
import type { Answered } from './answerer.ts';
import type { Progress } from './callbacks.ts';
import type { Reply } from './failure.ts';
import type { ListenerProtocol } from './listener.ts';
import type { Agreed } from './negotiation.ts';
import type { TaskWish } from './tools.ts';

/** A request as a user of the client makes it. */
export interface RequestCall {
  /** Names it, so that it can be cancelled. */
  readonly token: string;
  readonly method: string;
  readonly params: JsonObject;
  readonly timeoutMs?: number;
  /** Who hears how far it is: a function, or a process that gets the info message `mcp_progress`. */
  readonly progress?: ((progress: Progress) => unknown) | Dest;
  /** Progress starts the time anew, up to `requestTimeoutMaxMs`. */
  readonly resetOnProgress?: boolean;
  /** Repeat a tools/call whose connection was lost, if the tool says that it is idempotent or changes nothing. */
  readonly retryIdempotent?: boolean;
  /** Of a tools/call: whether it is to be a task of its session. */
  readonly task?: TaskWish;
  /** Follow the pages of a list to its end. */
  readonly allPages?: boolean;
}

/** What a client is doing. */
export interface ClientStatus {
  /**
   * `'waiting'`: for the next attempt to connect. `'crash_loop'`: so too, but after so many failures that requests
   * fail at once. `'unauthorized'`: the authorization failed, and nobody is asked again before `reconnect()`.
   */
  readonly state: 'connecting' | 'ready' | 'waiting' | 'crash_loop' | 'unauthorized';
  readonly target: string;
  /** What was agreed on with the server, while it is ready. */
  readonly agreed: Agreed | undefined;
  readonly sessionId: string | undefined;
  /** Failures in a row. */
  readonly failures: number;
  /** Why the last connection, or the last attempt, ended. */
  readonly lastEnd: unknown;
  /** Requests under way, waiting ones included. */
  readonly requests: number;
}

export interface ConnectionProtocol {
  readonly call: {
    readonly request: Call<RequestCall, Reply<JsonObject>>;
    readonly status: Call<void, ClientStatus>;
    /** Resolves when the connection is ready, or in a crash loop. */
    readonly ready: Call<void, Reply<ClientStatus>>;
    readonly subscribe: Call<string, Reply<JsonObject>>;
    readonly unsubscribe: Call<string, Reply<JsonObject>>;
    readonly setLevel: Call<string, Reply<JsonObject>>;
  };
  readonly cast: {
    readonly cancel: { readonly token: string; readonly reason: string };
    readonly notify: { readonly method: string; readonly params: JsonObject };
    /** Do not wait any longer for the next attempt. */
    readonly reconnect: void;
    readonly answered: Answered;
  };
  readonly info: CarrierReports & {
    /** The requests are named by their tokens: a message must not hold what changes. */
    readonly deadline: { readonly token: string; readonly hard: boolean };
    readonly resend: string;
    readonly connect: number;
    readonly connect_deadline: number;
    readonly fall_back: number;
    readonly resume: Resumption;
    readonly relisten: number;
    readonly answer_deadline: Pid;
    /** A task is to be asked for; its questions are to be answered. */
    readonly poll: string;
    readonly task_asks: string;
    /** An exchange that nobody waits for is to be closed. */
    readonly abandon: number;
    readonly RESPONSE: Response;
  };
  readonly continue: { readonly connect: void };
}

/** A request on its way; it changes in place. */
export interface Pending {
  readonly call: RequestCall;
  /** Who is told how it ended; called once. */
  readonly settle: (reply: Reply<JsonObject>) => void;
  /** Belongs to the making of the connection: it is not kept for the next one. */
  readonly handshake: boolean;
  /** The revision of a handshake; the others are of what was agreed on. */
  readonly version: string | undefined;
  /** Its id on the wire, while an answer is awaited. */
  id: number | undefined;
  exchange: number | undefined;
  /** How often it was sent again because its connection was lost. */
  retries: number;
  rounds: number;
  /** What a retry after a question carries: the answers, and the state of the server. */
  input: JsonObject;
  /** Answers that are still to come, by the process that looks for them. */
  readonly questions: Map<Pid, string>;
  pages: Pages | undefined;
  /** It waits for a token; and how often it has. */
  held: boolean;
  authorizations: number;
  /** A list of tools was fetched for its sake, because the server would not have it called so. */
  toolsRenewed: boolean;
  /** Its `params.task`, once it was sent with one. */
  taskParameter: JsonObject | undefined;
  /** What the server has made of it. */
  task: FollowedTask | undefined;
  timer: Ref | undefined;
  hardTimer: Ref;
  readonly callerRef: Ref | undefined;
  readonly from: From<Reply<JsonObject>> | undefined;
  listener: Pid<ListenerProtocol> | undefined;
  over: boolean;
}

/** A task that is followed to its end. */
export interface FollowedTask {
  readonly id: string;
  /** Of a session (2025-11-25), or of the extension. */
  readonly form: 'core' | 'extension';
  /** Of the call that has become it: progress goes on under it. */
  readonly progressToken: number | undefined;
  /** The keys of questions that were answered, and the last questions (extension). */
  readonly answered: Set<string>;
  asks: JsonObject;
  /** `tasks/result` is under way (core); the error that it brought, until the task says what it means. */
  awaitsResult: boolean;
  error: Reply<JsonObject> | undefined;
  /** When it is asked for next. */
  timer: Ref | undefined;
}

interface Pages {
  readonly items: unknown[];
  readonly cursors: Set<string>;
}

/** An event stream to go on with, and how often that has failed. */
export interface Resumption {
  readonly sessionId: string | undefined;
  readonly lastEventId: string | undefined;
  /** The token of the request whose answer comes on it; without one it is the listening stream. */
  readonly token: string | undefined;
  readonly failures: number;
  readonly retryMs: number | undefined;
}
