import type { JsonObject } from '../../json-rpc.ts';
import type { Implementation } from '../../revision/contract.ts';
import { negotiate } from '../../revision/registry.ts';
import { viewOf } from '../catalog.ts';
import type { MethodHandler } from './outcome.ts';

/** `initialize` (2025-11-25, lifecycle): agrees on a revision and opens a session. */
export const initialize: MethodHandler = ({ params, catalog }) => {
  const revision = negotiate(params['protocolVersion'] as string);
  const { version } = revision;
  const { serverInfo, capabilities } = viewOf(catalog, revision);
  const { instructions } = catalog;
  const body = {
    protocolVersion: version,
    capabilities,
    serverInfo,
    ...(instructions === undefined ? {} : { instructions }),
  };
  return {
    kind: 'result',
    result: revision.result(body, serverInfo),
    negotiated: {
      version,
      clientInfo: params['clientInfo'] as Implementation,
      clientCapabilities: params['capabilities'] as JsonObject,
    },
  };
};
