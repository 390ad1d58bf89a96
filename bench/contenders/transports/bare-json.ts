/** The floor of JSON-RPC: what arrives is parsed, an answer is made and serialised. No checks, no routing. */
import { serveLines } from './bare-lines.ts';

await serveLines((line) => {
  const { id, params } = JSON.parse(line) as { readonly id?: number; readonly params?: object };
  return id === undefined ? '' : `${JSON.stringify({ jsonrpc: '2.0', id, result: params })}\n`;
});
