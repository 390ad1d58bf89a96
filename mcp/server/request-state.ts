/**
 * What a request has found out before it asked its client again, sealed for the client to carry (2026-07-28,
 * `requestState`): it can be neither read nor changed there, nor used for another request. AES-256-GCM.
 */

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { DefinitionError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';

/** What a state is bound to: it opens for nothing else. */
export interface StateBinding {
  /** The key of who asks (`principalKey`); undefined without authorization. */
  readonly principal: string | undefined;
  readonly server: string;
  readonly method: string;
  /** What was asked for: the name or the URI, and the arguments. */
  readonly params: unknown;
}

/** What is sealed. */
export interface RequestState {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** The answers of the rounds that are complete, in order. */
  readonly rounds: readonly JsonObject[];
  /** Those answers of the round that is not which there are. */
  readonly partial: JsonObject;
}

const algorithm = 'aes-256-gcm';
const keyLength = 32;
const keyIdLength = 4;
const ivLength = 12;
const tagLength = 16;
const headLength = keyIdLength + ivLength + tagLength;

/** Keys as texts to keys: base64 of 32 bytes each. Throws `DefinitionError` (`ERR_SERVER`) for others. */
export function checkedStateKeys(keys: readonly string[], where: string): readonly string[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => keyOf(key) === undefined)) {
    throw new DefinitionError(
      'ERR_SERVER',
      `${where}: stateKeys must be at least one text of base64, of 32 bytes each`,
    );
  }
  return Object.freeze([...keys]);
}

export function newStateKey(): string {
  return randomBytes(keyLength).toString('base64');
}

/** Sealed with the first of the keys. */
export function sealState(state: RequestState, binding: StateBinding, [first]: readonly string[]): string {
  const key = keyOf(first!)!;
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv).setAAD(bound(binding));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(state), 'utf8'), cipher.final()]);
  return Buffer.concat([keyId(key), iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Opened with whichever of the keys it was sealed with. `'invalid'`: it is none, or of another request. */
export function openState(
  text: string,
  binding: StateBinding,
  keys: readonly string[],
  now: number,
): RequestState | 'invalid' | 'expired' {
  const bytes = Buffer.from(text, 'base64url');
  // Buffer skips what is not base64url; what it writes back then differs.
  if (bytes.length < headLength || bytes.toString('base64url') !== text) return 'invalid';
  const id = bytes.subarray(0, keyIdLength);
  const key = keys.map((each) => keyOf(each)!).find((each) => keyId(each).equals(id));
  if (key === undefined) return 'invalid';
  const iv = bytes.subarray(keyIdLength, keyIdLength + ivLength);
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength }).setAAD(bound(binding));
  decipher.setAuthTag(bytes.subarray(keyIdLength + ivLength, headLength));
  try {
    const opened = Buffer.concat([decipher.update(bytes.subarray(headLength)), decipher.final()]).toString('utf8');
    const state = JSON.parse(opened) as RequestState;
    return state.expiresAt < now ? 'expired' : state;
  } catch {
    return 'invalid'; // changed, or of another request
  }
}

function keyOf(text: unknown): Buffer | undefined {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
  return bytes?.length === keyLength ? bytes : undefined;
}

function keyId(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, keyIdLength);
}

function bound({ principal, server, method, params }: StateBinding): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([principal ?? null, server, method, sorted(params)]))
    .digest();
}

/** The same whatever the order of members: clients may write them in another. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each)]);
}
