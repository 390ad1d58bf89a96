/** Who waits for a task of a session (`tasks/result`, 2025-11-25), and what its client is asked through them. */

import { randomUUID } from 'node:crypto';
import type { Context, Pid } from '../../runtime/index.ts';
import type { ConnectionProtocol } from '../../transports/transport.ts';
import type { JsonObject, RequestId } from '../json-rpc.ts';
import { coreOutcome, relatedTo } from './core-task.ts';
import { sessionName } from './node-names.ts';
import type { TaskProtocol } from './task.ts';
import type { TaskRecord } from './task-record.ts';

/** An exchange that ends with the result of a task. */
export interface TaskWait {
  readonly connection: Pid<ConnectionProtocol>;
  readonly exchange: number;
  readonly id: RequestId;
  /** Whether anything can be sent before that. */
  readonly acceptsStream: boolean;
}

export class TaskAudience {
  readonly #node: string;
  readonly #sessionId: string | undefined;
  readonly #ctx: Context<TaskProtocol>;
  #waits: TaskWait[] = [];
  /** Through whom the client was asked what is open now. */
  #asking: TaskWait | undefined;
  /** The keys of open questions, by the ids of the requests that ask them. */
  readonly #asked = new Map<string, string>();

  constructor(node: string, sessionId: string | undefined, ctx: Context<TaskProtocol>) {
    this.#node = node;
    this.#sessionId = sessionId;
    this.#ctx = ctx;
  }

  join(wait: TaskWait, record: TaskRecord): void {
    this.#waits.push(wait);
    this.ask(record);
  }

  leave(connection: Pid, exchange: number, record: TaskRecord): void {
    this.#waits = this.#waits.filter((each) => each.connection !== connection || each.exchange !== exchange);
    this.ask(record);
  }

  /** Asks what is open, unless it is being asked already: through one who waits, and can be told before the end. */
  ask({ id: taskId, questions }: TaskRecord): void {
    if (questions === undefined || this.#sessionId === undefined) return;
    const asking = this.#asking;
    if (asking !== undefined && this.#waits.includes(asking) && this.#ctx.isAlive(asking.connection)) return;
    const wait = this.#waits.findLast((each) => each.acceptsStream && this.#ctx.isAlive(each.connection));
    this.#asking = wait;
    if (wait === undefined) return;
    for (const [key, question] of Object.entries(questions.open) as [string, JsonObject][]) {
      const id = randomUUID();
      this.#asked.set(id, key);
      this.#expect(id);
      const { method, params } = question;
      // As in a session: a link has an id.
      const linked =
        (params as JsonObject)['mode'] === 'url' ? { ...(params as JsonObject), elicitationId: id } : params;
      this.#send(wait, relatedTo(taskId, { jsonrpc: '2.0', id, method, params: linked }));
    }
  }

  /** The session was made again: it does not know any more who waits for what. */
  expectAgain(): void {
    for (const id of this.#asked.keys()) this.#expect(id);
  }

  /** The key of the question that this id asks. */
  keyOf(id: string): string | undefined {
    return this.#asked.get(id);
  }

  /** All that was asked is answered, or need not be: what is asked next is asked anew. */
  settled(): void {
    this.#asked.clear();
    this.#asking = undefined;
  }

  /** A message about the task, for whoever listens at all. */
  tell(record: TaskRecord, message: JsonObject): void {
    if (this.#sessionId === undefined) return;
    const related = relatedTo(record.id, message);
    const wait = this.#waits.findLast((each) => each.acceptsStream && this.#ctx.isAlive(each.connection));
    if (wait !== undefined) this.#send(wait, related);
    else this.#ctx.cast(sessionName(this.#node, this.#sessionId), 'tell', related);
  }

  /** The task is over. */
  end(record: TaskRecord): void {
    for (const { connection, exchange, id } of this.#waits.splice(0)) {
      this.#ctx.cast(connection, 'send', { exchange, message: coreOutcome(record, id), end: true });
    }
  }

  #expect(id: string): void {
    this.#ctx.cast(sessionName(this.#node, this.#sessionId as string), 'expect', { id, pid: this.#ctx.self });
  }

  #send({ connection, exchange }: TaskWait, message: object): void {
    this.#ctx.cast(connection, 'send', { exchange, message, end: false });
  }
}
