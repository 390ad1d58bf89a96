/** The official clients, each in the ways it can be set up, behind one face. */

import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** How the server is reached: by its address, or started with that command. */
export type Reach = { readonly url: string } | { readonly command: string; readonly args: readonly string[] };

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { readonly progress: number; readonly total?: number | undefined }) => void;
}

export interface SdkClient {
  /** What was agreed on. */
  readonly version: string | undefined;
  readonly server: { readonly name: string; readonly version: string } | undefined;
  readonly instructions: string | undefined;
  readonly sessionId: string | undefined;
  /** The client itself, for what both kinds call the same. */
  readonly official: any;
  listTools(): Promise<any[]>;
  /** Rejects with an error that has the `code` of the JSON-RPC error. */
  call(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<any>;
  /** DELETE, over HTTP. */
  endSession(): Promise<void>;
  close(): Promise<void>;
}

export interface SdkPeer {
  readonly name: string;
  /** The revision that it and a server of ours agree on. */
  readonly version: string;
  readonly era: 'sessions' | 'stateless';
  connect(reach: Reach): Promise<SdkClient>;
}

const me = { name: 'interop', version: '1.0.0' };

async function connect1(reach: Reach): Promise<SdkClient> {
  const client = new Client1(me);
  const transport =
    'url' in reach ? new Http1(new URL(reach.url)) : new Stdio1({ ...reach, args: [...reach.args], stderr: 'ignore' });
  // Its own types do not agree on what an absent session id is.
  await client.connect(transport as never);
  const http = transport instanceof Http1 ? transport : undefined;
  return {
    get version() {
      return http?.protocolVersion ?? '2025-11-25';
    },
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    official: client,
    get sessionId() {
      return http?.sessionId;
    },
    listTools: async () => (await client.listTools()).tools,
    call: (tool, args = {}, options = {}) => client.callTool({ name: tool, arguments: args }, undefined, options),
    endSession: async () => http?.terminateSession(),
    close: () => client.close(),
  };
}

type Mode = NonNullable<NonNullable<ConstructorParameters<typeof Client2>[1]>['versionNegotiation']>['mode'];

async function connect2(reach: Reach, mode: Mode): Promise<SdkClient> {
  const client = new Client2(me, mode === undefined ? {} : { versionNegotiation: { mode } });
  const transport =
    'url' in reach ? new Http2(new URL(reach.url)) : new Stdio2({ ...reach, args: [...reach.args], stderr: 'ignore' });
  await client.connect(transport);
  const http = transport instanceof Http2 ? transport : undefined;
  return {
    version: client.getNegotiatedProtocolVersion(),
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    official: client,
    get sessionId() {
      return http?.sessionId;
    },
    listTools: async () => (await client.listTools()).tools,
    call: (tool, args = {}, options = {}) => client.callTool({ name: tool, arguments: args }, options),
    endSession: async () => http?.terminateSession(),
    close: () => client.close(),
  };
}

export const peers: readonly SdkPeer[] = [
  { name: 'sdk 1', version: '2025-11-25', era: 'sessions', connect: connect1 },
  {
    name: 'client 2 as it comes',
    version: '2025-11-25',
    era: 'sessions',
    connect: (reach) => connect2(reach, undefined),
  },
  {
    name: 'client 2 pinned to 2026-07-28',
    version: '2026-07-28',
    era: 'stateless',
    connect: (reach) => connect2(reach, { pin: '2026-07-28' }),
  },
  {
    name: 'client 2 that probes',
    version: '2026-07-28',
    era: 'stateless',
    connect: (reach) => connect2(reach, 'auto'),
  },
];
