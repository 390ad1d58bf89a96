/** A server whose resources, prompts and completions behave in every way that a test needs. */

import {
  embeddedResource,
  McpError,
  type McpServer,
  mcpServer,
  prompt,
  type ResourceContents,
  resource,
  resourceTemplate,
  text,
  tool,
  userMessage,
} from '../../mcp/index.ts';
import type { Gate } from './mcp-tools.ts';

export const LIBRARY_HANG_MS = 200;

const never = (): Promise<never> => new Promise(() => {});

function throwLater(): Promise<never> {
  setImmediate(() => {
    throw new Error('thrown in a callback');
  });
  return never();
}

function float(): Promise<never> {
  void Promise.reject(new Error('floating'));
  return never();
}

/** A server of resources and prompts, with the gate of one test behind what is called `hold`. */
export function libraryServer(gate: Gate): McpServer {
  const faults = {
    throws: () => {
      throw new Error('thrown at once');
    },
    refuses: () => {
      throw new McpError(-31_000, 'refused', { why: 'always' });
    },
    rejects: () => Promise.reject(new Error('rejected')),
    hangs: never,
    throwsLater: throwLater,
    floats: float,
    returnsNonsense: () => 5 as never,
  };
  const each = <T>(make: (fault: () => never | Promise<never>) => T): [string, T][] =>
    Object.entries(faults).map(([name, fault]) => [name, make(fault)]);
  return mcpServer('library', {
    info: { name: 'library', version: '1.0.0' },
    resources: {
      'lib://text': resource(
        { title: 'A text', mimeType: 'text/plain', size: 5, annotations: { audience: ['user'], priority: 0.5 } },
        () => 'hello',
      ),
      'lib://bytes': resource({ name: 'bytes', ttlMs: 500, cacheScope: 'public' }, () => new Uint8Array([0, 255])),
      'lib://several': resource({ mimeType: 'text/plain' }, (uri): ResourceContents[] => [
        { uri: `${uri}/a`, text: 'a' },
        { uri: `${uri}/b`, mimeType: 'application/octet-stream', blob: 'AP8=' },
      ]),
      'lib://gone': resource({}, () => undefined),
      'lib://hold': resource({}, (_uri, ctx) => gate.enter('resource', ctx)),
      ...Object.fromEntries(
        each((fault) => resource({ timeoutMs: LIBRARY_HANG_MS }, fault)).map(([name, it]) => [`lib://${name}`, it]),
      ),
    },
    templates: {
      book: resourceTemplate(
        'lib://books/{id}{?page}',
        {
          title: 'Books',
          mimeType: 'text/markdown',
          complete: {
            id: (value) => ['dune', 'dracula', 'emma'].filter((id) => id.startsWith(value)),
            page: (value, _ctx, others) => (others['id'] === 'dune' ? [`${value}1`] : []),
          },
        },
        ({ id, page = 'all' }) => (id === 'none' ? undefined : `${id}, page ${page}`),
      ),
      file: resourceTemplate('lib://files/{+path}', {}, ({ path }, _ctx, uri) => `${path} of ${uri}`),
    },
    prompts: {
      greet: prompt(
        {
          title: 'Greeting',
          description: 'Greets somebody.',
          arguments: {
            who: { title: 'Who', required: true, complete: () => Array.from({ length: 101 }, (_, n) => `n${n}`) },
            how: { description: 'How.' },
          },
        },
        ({ who, how = 'Hello' }) => [
          userMessage(`${how} ${who}`),
          userMessage(embeddedResource({ uri: 'lib://text', text: 'hello' })),
        ],
      ),
      hold: prompt({ description: 'Waits for the test.' }, async (_args, ctx) => [
        userMessage(await gate.enter('prompt', ctx)),
      ]),
      ...Object.fromEntries(
        each((fault) =>
          prompt({ description: 'Fails.', arguments: { x: { complete: fault } }, timeoutMs: LIBRARY_HANG_MS }, fault),
        ),
      ),
    },
    tools: {
      logs: tool({ description: 'Logs what it is told.', input: { type: 'object' } }, async (_args, ctx) => {
        ctx.log('debug', 'fine');
        ctx.log('info', { a: [1] }, 'part');
        ctx.log('error', 'bad');
        return text('logged');
      }),
      logsNonsense: tool({ description: 'Logs what is no JSON.', input: { type: 'object' } }, (_args, ctx) => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        for (const data of [cycle, 5n, undefined, () => 1, { toJSON: throws }, Object.defineProperty({}, 'x', trap)]) {
          ctx.log('error', data);
        }
        ctx.log('nonsense' as never, 'dropped');
        return text('logged');
      }),
    },
  });
}

function throws(): never {
  throw new Error('no JSON');
}
const trap = { enumerable: true, get: throws };
