/** Which revision a client speaks, from what it wants and what the server answers: pure. */

import { type ErrorObject, UNSUPPORTED_PROTOCOL_VERSION } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { Era, Implementation } from '../revision/contract.ts';

/** The revisions a client speaks, the newest of each era first. */
const spoken: Readonly<Record<Era, readonly string[]>> = {
  stateless: ['2026-07-28'],
  sessions: ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
};

/** All of them. */
export const SPOKEN_VERSIONS: readonly string[] = [...spoken.stateless, ...spoken.sessions];

/**
 * `'auto'`: asks with server/discover whether the server is stateless, else opens a session. `'legacy'`: opens a
 * session. `{ pin }`: that revision or none.
 */
export type Negotiation = 'auto' | 'legacy' | { readonly pin: string };

/** What was agreed on. */
export interface Agreed {
  readonly version: string;
  readonly era: Era;
  readonly server: Implementation | undefined;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

/** The next thing to do. */
export type Step =
  | { readonly do: 'discover'; readonly version: string }
  | { readonly do: 'initialize'; readonly version: string }
  | { readonly do: 'agree'; readonly agreed: Agreed }
  | { readonly do: 'give_up'; readonly problem: string };

export function eraOf(version: string): Era | undefined {
  if (spoken.stateless.includes(version)) return 'stateless';
  return spoken.sessions.includes(version) ? 'sessions' : undefined;
}

/** How to begin. `legacyBefore`: this server has turned out to open sessions only. */
export function firstStep(wanted: Negotiation, legacyBefore: boolean): Step {
  if (wanted === 'legacy' || (wanted === 'auto' && legacyBefore)) return initialize(spoken.sessions[0]!);
  if (wanted === 'auto') return { do: 'discover', version: spoken.stateless[0]! };
  return eraOf(wanted.pin) === 'stateless' ? { do: 'discover', version: wanted.pin } : initialize(wanted.pin);
}

/** What a server's answer to server/discover means. `asked`: how often it was asked. */
export function afterDiscover(wanted: Negotiation, version: string, result: unknown): Step {
  if (!isJsonObject(result) || !Array.isArray(result['supportedVersions'])) {
    return fallBack(wanted, 'the answer to server/discover has no supportedVersions');
  }
  const supported = result['supportedVersions'] as unknown[];
  const common = supported.includes(version) ? version : chosen(wanted, supported);
  if (common === undefined) return fallBack(wanted, `it serves ${names(supported)}`, supported);
  return {
    do: 'agree',
    agreed: {
      version: common,
      era: 'stateless',
      server: serverOf(result),
      capabilities: isJsonObject(result['capabilities']) ? result['capabilities'] : {},
      instructions: textOf(result['instructions']),
    },
  };
}

/**
 * What an error, or silence, after server/discover means. Only a server of the stateless era knows -32022: it names
 * what it serves, and is asked once more.
 */
export function afterDiscoverFailed(
  wanted: Negotiation,
  error: ErrorObject | undefined,
  asked: number,
  problem: string,
): Step {
  const data = error?.code === UNSUPPORTED_PROTOCOL_VERSION ? error.data : undefined;
  const supported = isJsonObject(data) && Array.isArray(data['supported']) ? (data['supported'] as unknown[]) : [];
  const common = chosen(wanted, supported);
  if (common !== undefined && asked < 2) return { do: 'discover', version: common };
  return fallBack(wanted, error === undefined ? problem : `it answered ${error.code}: ${error.message}`, supported);
}

/** What a server's answer to initialize means. */
export function afterInitialize(wanted: Negotiation, result: unknown): Step {
  const version = isJsonObject(result) ? result['protocolVersion'] : undefined;
  if (!isJsonObject(result) || typeof version !== 'string') {
    return { do: 'give_up', problem: 'the answer to initialize has no protocolVersion' };
  }
  if (typeof wanted === 'object' && version !== wanted.pin) {
    return { do: 'give_up', problem: `the server speaks ${version}, this client is pinned to ${wanted.pin}` };
  }
  if (!spoken.sessions.includes(version)) {
    return { do: 'give_up', problem: `the server speaks ${version}, this client ${SPOKEN_VERSIONS.join(', ')}` };
  }
  return {
    do: 'agree',
    agreed: {
      version,
      era: 'sessions',
      server: implementationOf(result['serverInfo']),
      capabilities: isJsonObject(result['capabilities']) ? result['capabilities'] : {},
      instructions: textOf(result['instructions']),
    },
  };
}

function fallBack(wanted: Negotiation, problem: string, supported: readonly unknown[] = []): Step {
  if (wanted !== 'auto') {
    return { do: 'give_up', problem: `the server does not speak ${pinOf(wanted)}: ${problem}` };
  }
  const named = spoken.sessions.find((version) => supported.includes(version));
  return initialize(named ?? spoken.sessions[0]!);
}

function pinOf(wanted: Negotiation): string {
  return typeof wanted === 'object' ? wanted.pin : wanted;
}

/** The newest stateless revision that both have. */
function chosen(wanted: Negotiation, supported: readonly unknown[]): string | undefined {
  const mine = typeof wanted === 'object' ? [wanted.pin] : spoken.stateless;
  return mine.find((version) => eraOf(version) === 'stateless' && supported.includes(version));
}

function initialize(version: string): Step {
  return { do: 'initialize', version };
}

/** A server of the stateless era says in `_meta` who it is. */
function serverOf(result: JsonObject): Implementation | undefined {
  const meta = result['_meta'];
  const signed = isJsonObject(meta) ? meta['io.modelcontextprotocol/serverInfo'] : undefined;
  return implementationOf(signed) ?? implementationOf(result['serverInfo']);
}

function implementationOf(value: unknown): Implementation | undefined {
  if (!isJsonObject(value) || typeof value['name'] !== 'string') return undefined;
  return value as unknown as Implementation;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function names(versions: readonly unknown[]): string {
  return versions.filter((each) => typeof each === 'string').join(', ') || 'nothing';
}
