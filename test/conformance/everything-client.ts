/**
 * The client that the conformance suite starts, with the address of its server as the last argument: it does what the
 * scenario named in the environment expects a client to do. What it cannot do yet stands in `not-built-client.ts`.
 */

import {
  clientOf,
  type ElicitationResult,
  type McpClient,
  mcpClient,
  type Negotiation,
  type ToolInfo,
} from '../../mcp/client/index.ts';
import { startSystem } from '../../runtime/index.ts';
import { httpClient } from '../../transports/client/index.ts';

const url = process.argv.at(-1)!;
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'];
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  readonly toolCalls?: readonly ToolCall[];
};

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

const system = await startSystem({
  children: [
    mcpClient('suite', {
      transport: httpClient({ url }),
      info: { name: 'beamish-conformance', version: '1.0.0' },
      negotiation,
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
