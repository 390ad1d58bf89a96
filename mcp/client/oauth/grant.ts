/** The steps to a token: registration, authorization code with PKCE, client credentials, refresh. */

import type { webcrypto } from 'node:crypto';
import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  clientCredentialsGrantRequest,
  dynamicClientRegistrationRequest,
  generateRandomCodeVerifier,
  generateRandomState,
  None,
  PrivateKeyJwt,
  processAuthorizationCodeResponse,
  processClientCredentialsResponse,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import type { MaybePromise } from '../../../runtime/index.ts';
import { isJsonObject, type JsonObject } from '../../json-rpc.ts';
import { isSafeUrl } from './challenge.ts';

/** A client as an authorization server knows it. It is bound to that server. */
export interface Registration {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** How it proves who it is, if the registration says so. */
  readonly authMethod?: string;
}

/** The tokens of one resource, as one authorization server gave them. */
export interface Tokens {
  readonly issuer: string;
  readonly resource: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly scope?: string;
}

/** What an application decides. */
export interface Application {
  /** The address to which the browser comes back. */
  readonly redirectUri: string;
  /** Brings a person to that page, and brings the address at which the browser came back. */
  readonly authorize?: (url: URL, signal: AbortSignal) => MaybePromise<URL | string>;
  /** A registration made before, for the issuer it names; without one, for any. */
  readonly registration?: Omit<Registration, 'issuer'> & { readonly issuer?: string };
  /** Proves who the client is instead of a secret (`private_key_jwt`). */
  readonly privateKey?: webcrypto.CryptoKey;
  /** Where the metadata of this client is to be read (Client ID Metadata Documents). */
  readonly clientMetadataUrl?: string;
  /** More for a dynamic registration, such as `client_name`. */
  readonly clientMetadata?: JsonObject;
}

const insecure = { [allowInsecureRequests]: true } as const;

/** Metadata may name anything: no secret goes where others can read it. */
function options(server: AuthorizationServer, signal: AbortSignal): object {
  for (const key of ['token_endpoint', 'authorization_endpoint', 'registration_endpoint'] as const) {
    const endpoint = server[key];
    if (endpoint !== undefined && !isSafeUrl(endpoint)) throw new Error(`${key} ${endpoint} is not https`);
  }
  return { ...insecure, signal };
}

/** How this client is known at that server: as before, by its metadata, or as registered now. */
export async function register(
  server: AuthorizationServer,
  app: Application,
  known: Registration | undefined,
  signal: AbortSignal,
): Promise<Registration> {
  if (known?.issuer === server.issuer) return known;
  const { registration, clientMetadataUrl } = app;
  if (registration !== undefined && (registration.issuer ?? server.issuer) === server.issuer) {
    return { ...registration, issuer: server.issuer };
  }
  if (clientMetadataUrl !== undefined && server['client_id_metadata_document_supported'] === true) {
    return { issuer: server.issuer, clientId: clientMetadataUrl, authMethod: 'none' };
  }
  if (server.registration_endpoint === undefined) {
    throw new Error(`${server.issuer} does not register clients: give a registration of that issuer`);
  }
  const metadata = {
    client_name: 'beamish',
    redirect_uris: [app.redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: applicationType(app.redirectUri),
    token_endpoint_auth_method: preferredMethod(server),
    ...app.clientMetadata,
  };
  const response = await dynamicClientRegistrationRequest(server, metadata, options(server, signal));
  const {
    client_id: clientId,
    client_secret: clientSecret,
    token_endpoint_auth_method: authMethod,
  } = await registered(response);
  return {
    issuer: server.issuer,
    clientId,
    ...(typeof clientSecret === 'string' ? { clientSecret } : {}),
    ...(typeof authMethod === 'string' ? { authMethod } : {}),
  };
}

/** Not every server sends all that RFC 7591 wants; what is used here must be there. */
async function registered(response: Response): Promise<JsonObject & { readonly client_id: string }> {
  const client: unknown = response.ok ? await response.json() : undefined;
  if (isJsonObject(client) && typeof client['client_id'] === 'string') return client as never;
  throw new Error(`the registration of this client was refused (HTTP ${response.status})`);
}

/** A client whose browser comes back to this machine, or to a scheme of its own, is no web application. */
function applicationType(redirectUri: string): string {
  const { protocol, hostname } = new URL(redirectUri);
  return protocol === 'https:' && hostname !== 'localhost' ? 'web' : 'native';
}

const methods = ['client_secret_basic', 'client_secret_post', 'none'];

/** The first of ours that the server has; it may name none, which means basic (RFC 8414). */
function preferredMethod(server: AuthorizationServer): string {
  const supported = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.find((method) => supported.includes(method)) ?? methods[0]!;
}

function authOf(server: AuthorizationServer, registration: Registration, { privateKey }: Application): ClientAuth {
  const { clientSecret, authMethod } = registration;
  if (privateKey !== undefined) return PrivateKeyJwt(privateKey);
  if (clientSecret === undefined) return None();
  const supported = server.token_endpoint_auth_methods_supported;
  const agreed = authMethod !== undefined && (supported === undefined || supported.includes(authMethod));
  const method = agreed ? authMethod : preferredMethod(server);
  if (method === 'none') return None();
  return method === 'client_secret_post' ? ClientSecretPost(clientSecret) : secretBasic(clientSecret);
}

/**
 * RFC 6749, 2.3.1, with the encoding that forms have. The library encodes `-` and `.` too, which is no mistake, but
 * many servers do not decode at all.
 */
function secretBasic(clientSecret: string): ClientAuth {
  const encoded = (value: string): string => new URLSearchParams({ v: value }).toString().slice(2);
  return (_server, client, _body, headers) => {
    const credentials = `${encoded(client.client_id)}:${encoded(clientSecret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

/** A person grants access: authorization code with PKCE, for that resource. */
export async function authorizationCode(
  server: AuthorizationServer,
  registration: Registration,
  app: Application,
  resource: string,
  scope: string | undefined,
  signal: AbortSignal,
): Promise<Tokens> {
  const { authorize, redirectUri } = app;
  if (authorize === undefined) throw new Error('a person must grant access, and there is no function authorize');
  if (server.authorization_endpoint === undefined) throw new Error(`${server.issuer} has no authorization endpoint`);
  if (server.code_challenge_methods_supported?.includes('S256') !== true) {
    throw new Error(`${server.issuer} does not say that it supports PKCE (S256): its codes could be stolen`);
  }
  const verifier = generateRandomCodeVerifier();
  const state = generateRandomState();
  const wait = options(server, signal);
  const url = new URL(server.authorization_endpoint);
  const parameters = {
    response_type: 'code',
    client_id: registration.clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource,
    ...(scope === undefined ? {} : { scope }),
    // Without asking again a server would not give what works without the person (OpenID Connect Core, 11).
    ...(scope?.split(' ').includes('offline_access') === true ? { prompt: 'consent' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const back = new URL(await authorize(url, signal));
  const client: Client = { client_id: registration.clientId };
  // It checks the state, the issuer (RFC 9207) and errors.
  const checked = validateAuthResponse(server, client, back, state);
  const auth = authOf(server, registration, app);
  const more = { ...wait, additionalParameters: { resource } };
  const response = await authorizationCodeGrantRequest(server, client, auth, checked, redirectUri, verifier, more);
  const result = await processAuthorizationCodeResponse(server, client, response);
  return tokensOf(result, server.issuer, resource, undefined, scope);
}

/** The client itself has access: nobody is asked. */
export async function clientCredentials(
  server: AuthorizationServer,
  registration: Registration,
  app: Application,
  resource: string,
  scope: string | undefined,
  signal: AbortSignal,
): Promise<Tokens> {
  const client: Client = { client_id: registration.clientId };
  const parameters = { resource, ...(scope === undefined ? {} : { scope }) };
  const auth = authOf(server, registration, app);
  const response = await clientCredentialsGrantRequest(server, client, auth, parameters, options(server, signal));
  const result = await processClientCredentialsResponse(server, client, response);
  return tokensOf(result, server.issuer, resource, undefined, scope);
}

/** The token that replaces one that has run out. */
export async function refresh(
  server: AuthorizationServer,
  registration: Registration,
  app: Application,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<Tokens> {
  const client: Client = { client_id: registration.clientId };
  const auth = authOf(server, registration, app);
  const { resource, refreshToken, scope } = tokens;
  const more = { ...options(server, signal), additionalParameters: { resource } };
  const response = await refreshTokenGrantRequest(server, client, auth, refreshToken!, more);
  const result = await processRefreshTokenResponse(server, client, response);
  return tokensOf(result, server.issuer, resource, refreshToken, scope);
}

function tokensOf(
  result: TokenEndpointResponse,
  issuer: string,
  resource: string,
  earlierRefreshToken: string | undefined,
  asked: string | undefined,
): Tokens {
  // A server that does not rotate refresh tokens does not repeat them; scopes that are as asked need not be named.
  const refreshToken = result.refresh_token ?? earlierRefreshToken;
  const scope = result.scope ?? asked;
  return {
    issuer,
    resource,
    accessToken: result.access_token,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(scope === undefined ? {} : { scope }),
  };
}
