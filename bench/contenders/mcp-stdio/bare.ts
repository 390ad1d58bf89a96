/** The floor: lines cut off a stream, JSON.parse, an answer of the same form. No checks, no routing, no processes. */

let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() as string;
  for (const line of lines) {
    const { id, params } = JSON.parse(line) as { id?: number; params?: { arguments?: { text: string } } };
    if (id === undefined) continue;
    const content = [{ type: 'text', text: params?.arguments?.text ?? '' }];
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: { content } })}\n`);
  }
});
