/** A closed loop of HTTP requests over keep-alive connections; every answer is checked. */
import { Agent, request } from 'node:http';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the answer must contain. */
  readonly expected: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export function post(url: string, headers: Load['headers'], body: string, agent?: Agent): Promise<Answer> {
  return send('POST', url, { ...headers, 'content-length': String(Buffer.byteLength(body)) }, body, agent);
}

/** DELETE. */
export function remove(url: string, headers: Load['headers'], agent: Agent): Promise<Answer> {
  return send('DELETE', url, headers, '', agent);
}

function send(
  method: string,
  url: string,
  headers: Load['headers'],
  body: string,
  agent: Agent | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ...(agent && { agent }) });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    outgoing.end(body);
  });
}

/** Sends `count` requests; throws at the first wrong answer. */
export async function run(load: Load, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left--;
      const { status, body } = await post(load.url, load.headers, load.body, agent);
      if (status !== 200 || !body.includes(load.expected))
        throw new Error(`wrong answer ${status}: ${body.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: load.connections }, client));
  agent.destroy();
}
