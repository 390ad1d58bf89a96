import type { Pid } from '../../runtime/index.ts';
import type { ConnectionProtocol } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import type { JsonObject, RequestId } from '../json-rpc.ts';
import type { LogLevel } from '../request-context.ts';
import type { Revision } from '../revision/contract.ts';
import type { Run, Work } from './methods/outcome.ts';
import type { SessionProtocol } from './session.ts';

/** A request that runs code of the server: plain data, so that it can run on any thread that has its module. */
export interface WorkRequest {
  readonly server: string;
  readonly version: string;
  readonly id: RequestId;
  readonly work: Work;
  readonly timeoutMs: number;
  readonly progressToken: string | number | undefined;
  readonly input: Run['input'];
  readonly clientCapabilities: JsonObject;
  /** How `ctx.input` asks: on the stream of this request, or by ending it with what it asks for. */
  readonly asks: 'on_stream' | 'in_rounds';
  /** From which level on the client wants log messages; undefined: it wants none. */
  readonly logLevel: LogLevel | undefined;
  /** Where the answer goes. */
  readonly connection: Pid<ConnectionProtocol>;
  readonly exchange: number;
  /** Whether nobody wants the answer any more when the connection is gone. Not so in a session over HTTP. */
  readonly endsWithConnection: boolean;
  /** What its client may do that has lost the event stream of this request. */
  readonly resumption: Revision['resumption'];
  /** Of the catalog that it was decided with. */
  readonly catalogVersion: number;
  readonly session: { readonly id: string; readonly pid: Pid<SessionProtocol> } | undefined;
  /** Who asks; undefined without authorization. */
  readonly principal: Principal | undefined;
  /** The scopes that it may need; undefined: whoever is here may do everything. */
  readonly granted: readonly string[] | undefined;
  /** Whether it counts among the requests of its principal. The work of a task does not. */
  readonly counted: boolean;
}
