/** `ctx.input` of one request: what is asked, what was answered, in both eras. */

import { randomUUID } from 'node:crypto';
import { type ErrorObject, errorObject, INTERNAL_ERROR, INVALID_PARAMS, McpError, quoted } from '../errors.ts';
import type { InputAnswers, InputQuestion } from '../input.ts';
import { describeExcess, excessOf } from '../json-bounds.ts';
import { isJsonObject, type JsonObject, notificationMessage, type ResponseMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { capabilityProblem, readAnswer } from './input-answer.ts';
import type { RequestState } from './request-state.ts';
import type { WorkRequest } from './work-request.ts';

type Questions = { readonly [name: string]: InputQuestion };

/** What the process of the request does for it. */
export interface InputPort {
  /** Sends a message on the stream of the request. */
  send(message: object): void;
  /** The session is to pass the answer to this id on to the request. */
  expect(id: string): void;
  /** The time of the request stands still until its client has answered, or goes on. */
  waits(waiting: boolean): void;
  /** Ends the request with what it asks for. */
  require(inputRequests: object, state: Omit<RequestState, 'expiresAt'>): void;
}

export interface InputGiven {
  readonly asks: WorkRequest['asks'];
  /** Whose client may refuse to answer; what it answers wrongly is not asked again. */
  readonly inSession: boolean;
  readonly clientCapabilities: JsonObject;
  /** Whether this kind of request may ask at all. */
  readonly allowed: boolean;
  /** What the client has carried here, opened (stateless). */
  readonly state: Pick<RequestState, 'rounds' | 'partial'>;
  /** The answers that came with the request (stateless). */
  readonly responses: JsonObject;
}

interface Pending {
  readonly name: string;
  readonly question: InputQuestion;
  resolve(answer: JsonObject): void;
  reject(error: Error): void;
}

export class RequestInput {
  readonly #given: InputGiven;
  readonly #port: InputPort;
  readonly #limits: McpLimits;
  /** Questions of a session that are not answered, by the id of their request. */
  readonly #pending = new Map<string, Pending>();
  #asked = 0;
  #rounds: readonly JsonObject[];
  #partial: JsonObject;
  #responses: JsonObject;
  #ended = false;

  constructor(given: InputGiven, port: InputPort, limits: McpLimits) {
    this.#given = given;
    this.#port = port;
    this.#limits = limits;
    this.#rounds = given.state.rounds;
    this.#partial = given.state.partial;
    this.#responses = given.responses;
  }

  /** Whether an answer went into the result. */
  get used(): boolean {
    return this.#asked > 0;
  }

  /** The ids whose answers are waited for: a session that was made again must learn of them. */
  get expected(): readonly string[] {
    return [...this.#pending.keys()];
  }

  ask<Q extends Questions>(questions: Q): Promise<InputAnswers<Q>> {
    try {
      const asked = this.#checked(questions);
      const answers = this.#given.asks === 'on_stream' ? this.#inSession(asked) : this.#inRounds(asked);
      return answers as Promise<InputAnswers<Q>>;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** A response of the client; of a question that nobody has asked, or that is answered, it means nothing. */
  answered(id: string, outcome: ResponseMessage['outcome']): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#port.waits(false);
    if ('error' in outcome) {
      const { code, message, data } = outcome.error;
      pending.reject(new McpError(code, message, data));
      return;
    }
    const read = readAnswer(pending.question, outcome.result);
    if ('answer' in read) pending.resolve(read.answer);
    else pending.reject(new McpError(INVALID_PARAMS, `the client's answer to ${quoted(pending.name)} ${read.problem}`));
  }

  /** The request ends: whoever was asked need not answer any more. */
  end(): void {
    this.#ended = true;
    for (const requestId of this.#pending.keys()) {
      this.#port.send(notificationMessage('notifications/cancelled', { requestId, reason: 'the request has ended' }));
    }
    this.#pending.clear();
  }

  #checked(questions: Questions): Questions {
    if (!this.#given.allowed) throw new McpError(INTERNAL_ERROR, 'this kind of request cannot ask its client anything');
    if (this.#ended) throw new McpError(INTERNAL_ERROR, 'the request has ended: nobody can be asked any more');
    const { inputRequestsMax, valueDepthMax, valueNodesMax } = this.#limits;
    const names = isJsonObject(questions) ? Object.keys(questions) : [];
    if (names.length === 0 || names.length > inputRequestsMax) {
      throw new TypeError(
        `ctx.input({ name: question, … }) takes 1 to ${inputRequestsMax} questions, not ${names.length}`,
      );
    }
    const excess = excessOf(questions, valueDepthMax, valueNodesMax);
    if (excess !== undefined)
      throw new TypeError(`ctx.input: it ${describeExcess(excess, valueDepthMax, valueNodesMax)}`);
    for (const [name, question] of Object.entries(questions)) {
      if (!isJsonObject(question) || typeof question.method !== 'string' || !isJsonObject(question.params)) {
        throw new TypeError(`ctx.input: ${quoted(name)} is no question: build it with elicit(), sample() …`);
      }
      const problem = capabilityProblem(question, this.#given.clientCapabilities);
      if (problem !== undefined) throw errorOf(problem);
    }
    return JSON.parse(JSON.stringify(questions)) as Questions;
  }

  async #inSession(questions: Questions): Promise<JsonObject> {
    this.#asked += 1;
    if (this.#asked > this.#limits.inputRoundsMax) throw tooOften(this.#limits);
    if (this.#pending.size === 0) this.#port.waits(true);
    const answers = Object.entries(questions).map(async ([name, question]) => [name, await this.#send(name, question)]);
    return Object.fromEntries(await Promise.all(answers)) as JsonObject;
  }

  #send(name: string, question: InputQuestion): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      const { method, params } = question;
      this.#pending.set(id, { name, question, resolve, reject });
      this.#port.expect(id);
      // Revisions with sessions want a link to have an id.
      const linked = params['mode'] === 'url' ? { ...params, elicitationId: id } : params;
      this.#port.send({ jsonrpc: '2.0', id, method, params: linked });
    });
  }

  /** The answer of a round that is complete, or the end of this run: it begins again with more answers. */
  async #inRounds(questions: Questions): Promise<JsonObject> {
    const round = this.#asked;
    this.#asked += 1;
    const known = this.#rounds[round];
    if (known !== undefined && sameNames(known, questions)) return settled(known);
    const read = Object.entries(questions).map(([name, each]) => [name, each, this.#answerGiven(name, each)] as const);
    const answers = Object.fromEntries(
      read.flatMap(([name, , answer]) => (answer === undefined ? [] : [[name, answer]])),
    );
    const open = Object.fromEntries(
      read.flatMap(([name, each, answer]) => (answer === undefined ? [[name, each]] : [])),
    );
    this.#responses = {};
    this.#partial = {};
    const rounds = this.#rounds.slice(0, round);
    if (Object.keys(open).length === 0) {
      this.#rounds = [...rounds, answers];
      return settled(answers);
    }
    if (rounds.length >= this.#limits.inputRoundsMax) {
      throw tooOften(this.#limits);
    }
    this.#ended = true;
    this.#port.require(open, { rounds, partial: answers });
    throw new McpError(INTERNAL_ERROR, 'the request has been answered with what it asks for');
  }

  /** What the client has given now, or in the round before, if it is an answer. */
  #answerGiven(name: string, question: InputQuestion): JsonObject | undefined {
    for (const source of [this.#responses, this.#partial]) {
      if (!Object.hasOwn(source, name)) continue;
      const given = source[name];
      const read = readAnswer(question, given);
      if ('answer' in read) return read.answer;
      if (!this.#given.inSession) continue;
      if (isRefusal(given)) return given;
      return refusal(errorObject(INVALID_PARAMS, `the client's answer to ${quoted(name)} ${read.problem}`));
    }
    return undefined;
  }
}

const refusalKey = 'refused';

/** What stands for an answer that the client of a session has refused, in what is carried to the next round. */
export function refusal(error: ErrorObject): JsonObject {
  return { [refusalKey]: error };
}

function isRefusal(value: unknown): value is { readonly [refusalKey]: ErrorObject } {
  return isJsonObject(value) && Object.keys(value).length === 1 && isJsonObject(value[refusalKey]);
}

/** A question that was refused is an error where it was asked. */
function settled(answers: JsonObject): JsonObject {
  const refused = Object.values(answers).find(isRefusal);
  if (refused !== undefined) throw errorOf(refused[refusalKey]);
  return answers;
}

function tooOften({ inputRoundsMax }: McpLimits): McpError {
  return new McpError(INTERNAL_ERROR, `the request has asked its client ${inputRoundsMax} times, as often as it may`);
}

function sameNames(answers: JsonObject, questions: Questions): boolean {
  const names = Object.keys(questions);
  return names.length === Object.keys(answers).length && names.every((name) => Object.hasOwn(answers, name));
}

function errorOf({ code, message, data }: ErrorObject): McpError {
  return new McpError(code, message, data);
}
