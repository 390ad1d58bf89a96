/** The tools of the servers: `echo`, and others like it that nobody calls. */
import { type McpServer, mcpServer, text, tool } from '../../../mcp/index.ts';

export const description = 'Says it back.';

export function toolNames(count: number): string[] {
  return ['echo', ...Array.from({ length: count - 1 }, (_, at) => `echo-${at + 2}`)];
}

/** A server of ours; `module` exports it. */
export function echoServer(count: number, module: string): McpServer {
  const echo = tool(
    {
      description,
      input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
    async (args) => text(args.text),
  );
  return mcpServer('echo', {
    info: { name: 'echo', version: '1.0.0' },
    module,
    tools: Object.fromEntries(toolNames(count).map((name) => [name, echo])),
  });
}

/** How many tools this program is to have: its first argument, or one. */
export const toolCount: number = Number(process.argv[2] ?? 1);
