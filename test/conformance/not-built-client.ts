/**
 * Scenarios of the conformance suite that need a part of MCP this client does not have yet. Whoever builds the part
 * deletes its lines: `npm run conformance` fails while a listed scenario passes.
 */

import type { NotBuilt } from './not-built.ts';

type List = Readonly<Record<string, NotBuilt>>;

const oauth: NotBuilt = { needs: 'OAuth as a client' };
const extension: NotBuilt = { needs: 'an extension of authorization; the suite does not score it' };

const authorization: List = {
  'auth/metadata-default': oauth,
  'auth/metadata-var1': oauth,
  'auth/metadata-var2': oauth,
  'auth/metadata-var3': oauth,
  'auth/basic-cimd': oauth,
  'auth/scope-from-www-authenticate': oauth,
  'auth/scope-from-scopes-supported': oauth,
  'auth/scope-omitted-when-undefined': oauth,
  'auth/scope-step-up': oauth,
  'auth/scope-retry-limit': oauth,
  'auth/token-endpoint-auth-basic': oauth,
  'auth/token-endpoint-auth-post': oauth,
  'auth/token-endpoint-auth-none': oauth,
  'auth/pre-registration': oauth,
  'auth/client-credentials-jwt': extension,
  'auth/client-credentials-basic': extension,
  'auth/enterprise-managed-authorization': extension,
  'auth/dpop': extension,
  'auth/dpop-nonce': extension,
  'auth/wif-jwt-bearer': extension,
};

/** Revision -> scenario -> what it needs. */
export const notBuiltClient: Readonly<Record<string, List>> = {
  '2025-11-25': authorization,
  '2026-07-28': {
    ...authorization,
    'auth/resource-mismatch': oauth,
    'auth/offline-access-scope': oauth,
    'auth/offline-access-not-supported': oauth,
    'auth/authorization-server-migration': oauth,
    'auth/iss-supported': oauth,
    'auth/iss-not-advertised': oauth,
    'auth/iss-supported-missing': oauth,
    'auth/iss-wrong-issuer': oauth,
    'auth/iss-unexpected': oauth,
    'auth/iss-normalized': oauth,
    'auth/metadata-issuer-mismatch': oauth,
  },
};
