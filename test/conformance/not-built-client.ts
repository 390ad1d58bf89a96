/**
 * Scenarios of the conformance suite that need a part of MCP this client does not have yet. Whoever builds the part
 * deletes its lines: `npm run conformance` fails while a listed scenario passes.
 */

import type { NotBuilt } from './not-built.ts';

type List = Readonly<Record<string, NotBuilt>>;

const extension: NotBuilt = { needs: 'an extension of authorization; the suite does not score it' };

const authorization: List = {
  'auth/enterprise-managed-authorization': extension,
  'auth/dpop': extension,
  'auth/dpop-nonce': extension,
  'auth/wif-jwt-bearer': extension,
};

/** Revision -> scenario -> what it needs. */
export const notBuiltClient: Readonly<Record<string, List>> = {
  '2025-11-25': authorization,
  '2026-07-28': authorization,
};
