/** The work of one request on another thread, as the request has it. */

import type { Context, ExitReason, Pid, StartOptions } from '../../runtime/index.ts';
import type { McpLimits } from '../limits.ts';
import { Claims } from './claims.ts';
import type { WorkBounds } from './imported-catalog.ts';
import type { RequestProtocol } from './request.ts';
import type { CodeSource } from './tool-module.ts';
import type { WorkRequest } from './work-request.ts';
import { WorkRunner } from './work-runner.ts';

type Ctx = Context<RequestProtocol>;

/** Threads may end one after the other; code that ends before it begins on that many is not the threads' fault. */
const ENDS_MAX = 5;

/** How many times `workBeginMs` a thread may take to import the module of the server. */
const WAITS_MAX = 8;

export class FarWork {
  private readonly place: Pick<StartOptions, 'thread' | 'isolated'>;
  private readonly node: string;
  private readonly source: CodeSource;
  private readonly claims: Claims;
  private readonly limits: McpLimits;
  private running: { readonly pid: Pid; readonly ticket: number } | undefined;
  /** How often it was there and had not begun. */
  private waits = 0;
  /** How often it has ended before it began. */
  private ended = 0;

  constructor(
    place: Pick<StartOptions, 'thread' | 'isolated'>,
    node: string,
    source: CodeSource,
    claims: SharedArrayBuffer,
    limits: McpLimits,
  ) {
    this.place = place;
    this.node = node;
    this.source = source;
    this.claims = new Claims(claims);
    this.limits = limits;
  }

  get bounds(): WorkBounds {
    return { limits: this.limits, claims: this.claims.memory };
  }

  /** Linked: each ends with the other's failure, and whoever watches the request answers for both. */
  start({ server, version, id, work, session, clientCapabilities, principal }: WorkRequest, ctx: Ctx): void {
    ctx.trapExit(true);
    this.waits = 0;
    const ticket = this.claims.newTicket();
    const request = { server, version, id, work, session, clientCapabilities, principal };
    const start = { node: this.node, source: this.source, ticket, asking: ctx.self, request };
    this.running = { ticket, pid: ctx.spawnLink(WorkRunner, start, { ...this.place, attribute: true }) };
    if (this.place.isolated !== true) ctx.sendAfter(this.limits.workBeginMs, 'begin');
  }

  /** It should have begun: if its thread does not yield, another one will. */
  hurry(request: WorkRequest, ctx: Ctx): void {
    if (this.running === undefined) return;
    const { pid, ticket } = this.running;
    if (this.claims.isTaken(ticket)) return;
    // It is there, but its thread may still have to import the module: it has more time.
    if (!ctx.withdraw(pid) && ++this.waits < WAITS_MAX) {
      ctx.sendAfter(this.limits.workBeginMs, 'begin');
      return;
    }
    if (!this.claims.take(ticket)) return;
    ctx.unlink(pid); // it finds its ticket taken
    this.start(request, ctx);
  }

  /** A linked process has exited: true if that is a failure of the work. */
  hasFailed(from: Pid, reason: ExitReason, request: WorkRequest, ctx: Ctx): boolean {
    if (from !== this.running?.pid || reason === 'normal') return false;
    // Before the code began, with its thread perhaps: nothing was done yet.
    if (!this.claims.take(this.running.ticket) || ++this.ended === ENDS_MAX) return true;
    this.start(request, ctx);
    return false;
  }
}
