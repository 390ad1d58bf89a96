/** What a method is given, and what comes of it. */

import type { ErrorObject } from '../../errors.ts';
import type { Headers } from '../../headers.ts';
import type { JsonObject } from '../../json-rpc.ts';
import type { Implementation, Revision } from '../../revision/contract.ts';
import type { Catalog, CatalogTool } from '../catalog.ts';

/** A request whose parameters have the shape that its method asks for. */
export interface MethodCall {
  readonly params: JsonObject;
  readonly catalog: Catalog;
  readonly revision: Revision;
  /** Of a stateless request that came by HTTP: they must agree with the arguments of a tool. */
  readonly headers: Headers | undefined;
}

/** What `initialize` has agreed on: the beginning of a session. Plain data. */
export interface Negotiated {
  readonly version: string;
  readonly clientInfo: Implementation;
  readonly clientCapabilities: JsonObject;
}

/** A call of a tool that may begin. */
export interface ToolRun {
  readonly tool: CatalogTool;
  readonly args: JsonObject;
  readonly timeoutMs: number;
  /** What progress is to be reported to; undefined if the client does not want to know. */
  readonly progressToken: string | number | undefined;
}

export type Outcome =
  | { readonly kind: 'result'; readonly result: object; readonly negotiated?: Negotiated }
  | { readonly kind: 'error'; readonly error: ErrorObject; readonly status: number }
  | { readonly kind: 'run'; readonly run: ToolRun };

export type MethodHandler = (call: MethodCall) => Outcome;

export function failed(error: ErrorObject, revision: Revision): Outcome {
  return { kind: 'error', error, status: revision.httpStatus(error.code, 'protocol') };
}
