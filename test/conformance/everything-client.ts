/**
 * The client that the conformance suite starts, with the address of its server as the last argument: it does what the
 * scenario named in the environment expects a client to do. What it cannot do yet stands in `not-built-client.ts`.
 */

import type { webcrypto } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import {
  clientOf,
  type ElicitationResult,
  MCP_CLIENT_CHANNEL,
  type McpClient,
  mcpClient,
  type Negotiation,
  type ToolInfo,
} from '../../mcp/client/index.ts';
import { oauthTokens } from '../../mcp/client/oauth/index.ts';
import { startSystem } from '../../runtime/index.ts';
import { httpClient } from '../../transports/client/index.ts';

const url = process.argv.at(-1)!;
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'];
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context;

/** What the suite says of a scenario. */
interface Context {
  readonly toolCalls?: readonly ToolCall[];
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
}

interface ToolCall {
  readonly name: string;
  readonly arguments?: { readonly [name: string]: unknown };
}

const negotiation: Negotiation = version === '2026-07-28' ? { pin: version } : 'legacy';

/** Longer than the pause that the suite asks for between two streams. */
const reconnectMs = 4_000;

const elicitation = (): ElicitationResult => ({
  action: 'accept',
  content: scenario === 'sep-2322-client-request-state' ? { confirmed: true } : {},
});

/** The person, who grants everything: the suite's authorization server sends the browser straight back. */
async function authorize(page: URL): Promise<string> {
  const response = await fetch(page, { redirect: 'manual' });
  return response.headers.get('location') ?? '';
}

/** The key that the suite gives the client, if it gives one: P-256. */
async function ownKey(): Promise<{ privateKey?: webcrypto.CryptoKey }> {
  const { private_key_pem: pem } = context;
  if (pem === undefined) return {};
  const bytes = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  return { privateKey: await crypto.subtle.importKey('pkcs8', bytes, algorithm, false, ['sign']) };
}

const registration =
  context.client_id === undefined
    ? {}
    : {
        registration: {
          clientId: context.client_id,
          ...(context.client_secret === undefined ? {} : { clientSecret: context.client_secret }),
        },
      };

// The suite keeps what the client prints beside its verdict.
subscribe(MCP_CLIENT_CHANNEL, (event) => console.log(JSON.stringify(event)));

const system = await startSystem({
  children: [
    oauthTokens('tokens', {
      server: url,
      redirectUri: 'http://localhost:3000/callback',
      authorize,
      clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
      grant: scenario.startsWith('auth/client-credentials-') ? 'client_credentials' : 'authorization_code',
      ...(await ownKey()),
      ...registration,
    }),
    mcpClient('suite', {
      transport: httpClient({ url }),
      info: { name: 'beamish-conformance', version: '1.0.0' },
      negotiation,
      authorization: 'tokens',
      handlers: {
        elicitation,
        roots: () => [],
        sampling: () => ({ role: 'assistant', content: { type: 'text', text: 'sampled' }, model: 'none' }),
      },
    }),
  ],
});
const client = clientOf(system, 'suite');
try {
  await converse(client);
} finally {
  await system.stop();
}

async function converse(suite: McpClient): Promise<void> {
  const ready = must(await suite.ready());
  console.log(`agreed on ${ready.agreed?.version} with ${ready.agreed?.server?.name}`);
  const tools = must(await suite.listTools());
  console.log(`tools: ${tools.map(({ name }) => name).join(', ')}`);
  for (const { name, arguments: args } of callsOf(tools)) {
    console.log(name, JSON.stringify(await suite.callTool(name, args)));
  }
  if (scenario === 'http-standard-headers') await everyKind(suite);
  if (scenario === 'sse-retry') await pause();
}

/** What to call: what the suite says, or every tool that it offers. */
function callsOf(tools: readonly ToolInfo[]): readonly ToolCall[] {
  if (context.toolCalls !== undefined) return context.toolCalls;
  const focal = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
  // The suite compares the schema that it gets back with the one that it has listed.
  if (focal !== undefined) return [{ name: 'json_schema_echo', arguments: { schema: focal.inputSchema } }];
  return tools.map(({ name }) => ({ name, arguments: name === 'add_numbers' ? { a: 5, b: 3 } : {} }));
}

/** A request of every kind whose headers the suite looks at. */
async function everyKind(suite: McpClient): Promise<void> {
  for (const { uri } of must(await suite.listResources())) console.log(JSON.stringify(await suite.readResource(uri)));
  for (const { name } of must(await suite.listPrompts())) console.log(JSON.stringify(await suite.getPrompt(name)));
}

/** The time of the program, as its processes have it. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    system.spawn((_arg: undefined, ctx) => void ctx.clock.setTimer(resolve, reconnectMs), undefined);
  });
}

function must<T>(reply: { readonly ok: T } | { readonly error: { readonly message: string } }): T {
  if ('ok' in reply) return reply.ok;
  throw new Error(reply.error.message);
}
