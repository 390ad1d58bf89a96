/** The revisions of MCP that are served. */

import { type ErrorObject, errorObject, quoted, UNSUPPORTED_PROTOCOL_VERSION } from '../errors.ts';
import { revision20241105 } from './2024-11-05.ts';
import { revision20250326 } from './2025-03-26.ts';
import { revision20250618 } from './2025-06-18.ts';
import { revision20251125 } from './2025-11-25.ts';
import { revision20260728 } from './2026-07-28.ts';
import type { Era, Revision } from './contract.ts';

/** The newest first: that is the order in which clients are told of them. */
export const REVISIONS: readonly Revision[] = [
  revision20260728,
  revision20251125,
  revision20250618,
  revision20250326,
  revision20241105,
];

export const SUPPORTED_VERSIONS: readonly string[] = REVISIONS.map(({ version }) => version);

const byVersion: ReadonlyMap<string, Revision> = new Map(REVISIONS.map((revision) => [revision.version, revision]));

export function revisionOf(version: string): Revision | undefined {
  return byVersion.get(version);
}

/** The newest revision of an era. */
export function newestOf(era: Era): Revision {
  return REVISIONS.find((revision) => revision.era === era)!;
}

/** The revision of a session: the one that was asked for, or the newest that we have (2025-11-25, lifecycle). */
export function negotiate(requested: string): Revision {
  const revision = byVersion.get(requested);
  return revision?.era === 'sessions' ? revision : newestOf('sessions');
}

/** Characters of a version that are echoed: more than any version has. */
const versionLength = 64;

/** -32022, naming what is served instead. */
export function unsupportedVersion(requested: string): ErrorObject {
  const message = `protocol version ${quoted(requested)} is not supported; use ${SUPPORTED_VERSIONS.join(', ')}`;
  const data = { supported: SUPPORTED_VERSIONS, requested: requested.slice(0, versionLength) };
  return errorObject(UNSUPPORTED_PROTOCOL_VERSION, message, data);
}
