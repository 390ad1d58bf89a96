import {
  type ChildSpec,
  type Context,
  child,
  describeExit,
  type From,
  type GenServer,
  genServer,
  isErrorExit,
  type MaybePromise,
  noreply,
  type Pid,
  type Ref,
  reply,
} from '../../../runtime/index.ts';
import { DefinitionError, quoted } from '../../errors.ts';
import type { AuthorizationProtocol, Authorized, Challenge } from '../authorization.ts';
import { isSafeUrl, readChallenge, scopeToAsk } from './challenge.ts';
import { discover } from './discovery.ts';
import {
  type Application,
  authorizationCode,
  clientCredentials,
  type Registration,
  refresh,
  register,
  type Tokens,
} from './grant.ts';

/** What should outlive the process: secrets, to be kept as such. */
export interface OAuthState {
  readonly registration?: Registration;
  readonly tokens?: Tokens;
}

/** Options of `oauthTokens`. */
export interface OAuthSpec extends Application {
  /** The address of the MCP server. */
  readonly server: string | URL;
  /** `'authorization_code'` (default): a person grants access. `'client_credentials'`: the client has it itself. */
  readonly grant?: 'authorization_code' | 'client_credentials';
  /** What was kept of an earlier run. Default: nothing. */
  readonly load?: () => MaybePromise<OAuthState | undefined>;
  /** Keeps what changed, for the next run; its failure fails the authorization. */
  readonly save?: (state: OAuthState) => MaybePromise<void>;
  /** How long an authorization may take, a person included. Default 600,000. */
  readonly authorizationTimeoutMs?: number;
}

const AUTHORIZATION_TIMEOUT_MS = 600_000;

interface Start extends Omit<OAuthSpec, 'server'> {
  readonly server: string;
  readonly name: string;
}

interface Protocol extends AuthorizationProtocol {
  readonly cast: {
    readonly authorized: { readonly by: Pid; readonly state: OAuthState };
    /** A person is being asked: if it fails from here on, nobody should be asked again by itself. */
    readonly asking: Pid;
  };
  readonly info: { readonly flight_timeout: Pid };
}

/** What an authorization begins with. */
interface Flight {
  readonly start: Start;
  readonly state: OAuthState;
  readonly challenge: Challenge;
  readonly keeper: Pid<Protocol>;
}

interface State {
  readonly start: Start;
  kept: OAuthState;
  flight: { readonly pid: Pid; readonly ref: Ref; readonly timer: Ref; asking: boolean } | undefined;
  /** What came of asking a person, if that was nothing. */
  refusal: string | undefined;
  waiting: From<Authorized>[];
}

type Ctx = Context<Protocol>;

/**
 * Keeps the tokens of one server. However many requests and clients are challenged at one time, there is one
 * authorization under way, and its outcome is everybody's: a refresh token that may be used once is used once. The
 * steps run in a process of their own, which may fail, hang or be killed.
 */
export const TokenKeeper: GenServer<Protocol, Start> = genServer(import.meta, 'TokenKeeper', {
  async init(start, ctx) {
    ctx.trapExit(true); // an authorization that fails is an answer
    ctx.setLabel(`tokens ${start.name}`);
    const state: State = {
      start,
      kept: (await start.load?.()) ?? {},
      flight: undefined,
      refusal: undefined,
      waiting: [],
    };
    return state;
  },
  handleCall: {
    current: (state: State) => reply(state.kept.tokens?.accessToken, state),
    challenged: (state: State, challenge, ctx) => {
      const token = state.kept.tokens?.accessToken;
      // Somebody else was challenged before, and there is another token already.
      if (state.flight === undefined && token !== undefined && token !== challenge.token) {
        return reply({ ok: token } as Authorized, state);
      }
      if (state.flight === undefined && state.refusal !== undefined && !challenge.insists) {
        return reply({ error: { message: state.refusal } } as Authorized, state);
      }
      state.waiting.push(ctx.from);
      if (state.flight === undefined) takeOff(state, challenge, ctx);
      return noreply(state);
    },
  },
  handleCast: {
    authorized: (state: State, { by, state: kept }, ctx) => {
      if (by !== state.flight?.pid) return noreply(state);
      state.kept = kept;
      state.refusal = undefined;
      land(state, { ok: kept.tokens!.accessToken }, ctx);
      return noreply(state);
    },
    asking: (state: State, by) => {
      if (by === state.flight?.pid) state.flight.asking = true;
      return noreply(state);
    },
  },
  handleInfo: {
    DOWN: (state: State, { ref, reason }, ctx) => {
      if (ref !== state.flight?.ref) return noreply(state);
      const problem = isErrorExit(reason) ? messageOf(reason.error) : describeExit(reason);
      if (state.flight.asking) state.refusal = problem;
      land(state, { error: { message: problem } }, ctx);
      return noreply(state);
    },
    EXIT: (state: State) => noreply(state),
    flight_timeout: (state: State, pid, ctx) => {
      if (pid === state.flight?.pid) ctx.exitProcess(pid, 'kill');
      return noreply(state);
    },
  },
  formatStatus: ({ start, kept, flight }: State) => ({
    server: start.server,
    authorized: kept.tokens !== undefined,
    authorizing: flight !== undefined,
  }),
});

function takeOff(state: State, challenge: Challenge, ctx: Ctx): void {
  const flight: Flight = { start: state.start, state: state.kept, challenge, keeper: ctx.self };
  const { pid, ref } = ctx.spawnMonitor(authorize, flight, { attribute: true });
  ctx.link(pid); // it ends with its keeper
  const timeoutMs = state.start.authorizationTimeoutMs ?? AUTHORIZATION_TIMEOUT_MS;
  state.flight = { pid, ref, timer: ctx.sendAfter(timeoutMs, 'flight_timeout', pid), asking: false };
}

function land(state: State, outcome: Authorized, ctx: Ctx): void {
  if (state.flight !== undefined) {
    ctx.demonitor(state.flight.ref, { flush: true });
    ctx.cancelTimer(state.flight.timer);
  }
  state.flight = undefined;
  for (const from of state.waiting.splice(0)) ctx.replyTo(from, outcome);
}

function messageOf(error: unknown): string {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown };
  const why =
    typeof cause === 'object' && cause !== null ? (cause as { readonly message?: unknown }).message : undefined;
  return typeof why === 'string' ? `${String(message)}: ${why}` : String(message ?? error);
}

/** The process of one authorization. */
async function authorize({ start, state, challenge, keeper }: Flight, ctx: Context): Promise<void> {
  ctx.setLabel(`authorization for ${start.server}`);
  const { signal } = ctx;
  const bearer = readChallenge(challenge.header);
  const { server, resource, resourceScopes } = await discover(start.server, bearer.resourceMetadata, signal);
  // Whoever protected the server before has no say any more, and must not see what is the next one's.
  const known = state.registration?.issuer === server.issuer ? state.registration : undefined;
  const earlier = state.tokens?.issuer === server.issuer ? state.tokens : undefined;
  const registration = await register(server, start, known, signal);
  const stepUp = challenge.status === 403;
  let tokens: Tokens | undefined;
  if (!stepUp && earlier?.refreshToken !== undefined && known !== undefined) {
    // A refresh token that is not good any more is no failure: a person can be asked.
    tokens = await refresh(server, registration, start, earlier, signal).catch((error: unknown) => {
      if ((error as { readonly error?: unknown }).error === 'invalid_grant') return undefined;
      throw error;
    });
  }
  const scope = scopeToAsk({
    challenged: bearer.scope,
    resource: resourceScopes,
    server: server.scopes_supported,
    granted: stepUp ? earlier?.scope : undefined,
  });
  tokens ??=
    start.grant === 'client_credentials'
      ? await clientCredentials(server, registration, start, resource, scope, signal)
      : await authorizationCode(server, registration, asking(start, keeper, ctx), resource, scope, signal);
  const next: OAuthState = { registration, tokens };
  await start.save?.(next);
  ctx.cast(keeper, 'authorized', { by: ctx.self, state: next });
}

/** Tells the keeper when a person is asked. */
function asking(start: Start, keeper: Pid<Protocol>, ctx: Context): Application {
  const { authorize: ask } = start;
  if (ask === undefined) return start;
  const authorize: Application['authorize'] = (url, signal) => {
    ctx.cast(keeper, 'asking', ctx.self);
    return ask(url, signal);
  };
  return { ...start, authorize };
}

/**
 * The tokens for one MCP server, as a child of a system: OAuth 2.1 as the specification wants it of clients. Found from
 * the server's 401: its resource metadata, the authorization server and its metadata, a registration, an authorization
 * code with PKCE for that resource, refresh, and further scopes on 403. Clients name it as their `authorization`;
 * several may share it.
 *
 * Throws `DefinitionError` (`ERR_CLIENT`) if the name, the server, the redirect address or a function is not what it
 * must be: plain `http:` is for this machine only.
 */
export function oauthTokens(name: string, spec: OAuthSpec): ChildSpec {
  const where = `tokens ${quoted(String(name))}`;
  const server = String(spec?.server);
  if (typeof name !== 'string' || name === '') throw wrong('the name of tokens must be a text that is not empty');
  if (!isSafeUrl(server)) throw wrong(`${where}: server must be an https address, or http on this machine`);
  for (const key of ['authorize', 'load', 'save'] as const) {
    if (spec[key] !== undefined && typeof spec[key] !== 'function') throw wrong(`${where}: ${key} must be a function`);
  }
  if (spec.grant !== 'client_credentials' && spec.authorize === undefined) {
    throw wrong(`${where}: authorize must be a function that brings a person to a page and back`);
  }
  if (typeof spec.redirectUri !== 'string' || !URL.canParse(spec.redirectUri)) {
    throw wrong(`${where}: redirectUri must be the address to which the browser comes back`);
  }
  return child(TokenKeeper, { ...spec, server, name }, { id: name, name });
}

function wrong(message: string): DefinitionError {
  return new DefinitionError('ERR_CLIENT', message);
}
