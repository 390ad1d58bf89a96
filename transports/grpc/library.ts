import { createRequire } from 'node:module';
import type * as Grpc from '@grpc/grpc-js';
import { decodeText, encodeText } from './message-codec.ts';

/** The package `@grpc/grpc-js`, an optional peer of this one, is not installed. The message says how to get it. */
export class GrpcMissingError extends Error {
  override readonly name = 'GrpcMissingError';
  readonly code = 'ERR_GRPC_MISSING';
}

/**
 * @throws {GrpcMissingError} if the package is not installed. What else goes wrong when it is loaded is thrown as it
 * is.
 */
export function loadGrpc(load: (name: string) => unknown = createRequire(import.meta.url)): typeof Grpc {
  try {
    return load('@grpc/grpc-js') as typeof Grpc;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    throw new GrpcMissingError('gRPC needs the package @grpc/grpc-js: npm install @grpc/grpc-js', { cause });
  }
}

/** The one method of `mcp.proto`. */
export const connectMethod: Grpc.MethodDefinition<any, any> = {
  path: '/beamish.mcp.v1.McpService/Connect',
  requestStream: true,
  responseStream: true,
  requestSerialize: encodeText,
  requestDeserialize: decodeText,
  responseSerialize: encodeText,
  responseDeserialize: decodeText,
};
