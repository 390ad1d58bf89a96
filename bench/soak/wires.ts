/** Plain clients of each transport, which do nothing by themselves: a cut is a cut. */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { EventStream } from '../../transports/client/event-stream.ts';
import { decodeText, encodeText } from '../../transports/grpc/message-codec.ts';
import { post, remove } from '../load.ts';
import type { Kind } from './faults.ts';

/** Where the server listens: a port for TCP, `host:port` for gRPC, else a URL. */
export type Addresses = Readonly<Record<Kind, string>>;

/** The connection was closed, or none could be made. */
export class Cut extends Error {}

/** The server has answered something else than JSON-RPC: the status of HTTP, and what came with it. */
export class Refused extends Error {}

/** One client of one transport; a request after the other. */
export interface Wire {
  /** The answer, as text. Rejects with `Cut` or `Refused`. */
  request(text: string): Promise<string>;
  notify(text: string): Promise<void>;
  /** In order, or all at once. */
  leave(abruptly: boolean): void;
  readonly isClosed: boolean;
}

type Open = (address: string) => Promise<Wire>;

interface Stream {
  send(text: string): void;
  leave(abruptly: boolean): void;
}

/** A connection over which messages go both ways. */
class StreamWire implements Wire {
  isClosed = false;
  private readonly stream: Stream;
  private waiting: { resolve(text: string): void; reject(error: Error): void } | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  take(text: string): void {
    this.waiting?.resolve(text);
    this.waiting = undefined;
  }

  closed(why: string): void {
    this.isClosed = true;
    this.waiting?.reject(new Cut(why));
    this.waiting = undefined;
  }

  request(text: string): Promise<string> {
    if (this.isClosed) return Promise.reject(new Cut('it was closed before'));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.stream.send(text);
    });
  }

  async notify(text: string): Promise<void> {
    if (!this.isClosed) this.stream.send(text);
  }

  leave(abruptly: boolean): void {
    this.stream.leave(abruptly);
  }
}

const cut = (error: unknown): never => {
  throw new Cut(String(error));
};

const openTcp: Open = async (port) => {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect').catch(cut);
  const wire = new StreamWire({
    send: (text) => void socket.write(`${text}\n`),
    leave: (abruptly) => void (abruptly ? socket.resetAndDestroy() : socket.end()),
  });
  socket.on('error', () => socket.destroy()).on('close', () => wire.closed('the socket was closed'));
  let rest = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) wire.take(line);
  });
  return wire;
};

const openWebSocket: Open = async (url) => {
  const socket = new WebSocket(url, 'mcp', { perMessageDeflate: false });
  await once(socket, 'open').catch(cut);
  const wire = new StreamWire({
    send: (text) => socket.send(text),
    leave: (abruptly) => (abruptly ? socket.terminate() : socket.close()),
  });
  socket.on('message', (data) => wire.take(String(data)));
  socket.on('error', () => socket.terminate()).on('close', (code) => wire.closed(`closed with ${code}`));
  return wire;
};

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

const openSse: Open = async (url) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const request = get(url, { headers: { accept: 'text/event-stream' }, agent: false });
  const [response] = (await once(request, 'response').catch(cut)) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Cut(`status ${response.statusCode}`);
  response.setEncoding('utf8');
  const events = new EventStream(1e6, 'endpoint');
  let postTo = '';
  const told = new Promise<void>((resolve) => {
    response.on('data', (chunk: string) => {
      for (const event of events.push(chunk)) {
        if (!('data' in event)) continue;
        if (event.type === 'endpoint') postTo = new URL(event.data, url).href;
        else wire.take(event.data);
      }
      if (postTo !== '') resolve();
    });
  });
  const leave = (): void => {
    agent.destroy();
    response.destroy();
  };
  const send = (text: string): void => {
    // One that is refused gets no answer: the connection is of no further use.
    post(postTo, json, text, agent).then(
      ({ status }) => status !== 202 && wire.closed(`a post was answered ${status}`),
      (error: unknown) => wire.closed(`a post failed: ${error}`),
    );
  };
  const wire = new StreamWire({ send, leave });
  response.on('error', () => {}); // it closes
  response.on('close', () => {
    agent.destroy();
    wire.closed('the event stream was closed');
  });
  await Promise.race([told, once(response, 'close').then(() => cut('closed before its first event'))]);
  return wire;
};

const openGrpc: Open = async (target) => {
  const channel = new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const path = '/beamish.mcp.v1.McpService/Connect';
  const call = channel.makeBidiStreamRequest(path, encodeText, decodeText, new Metadata(), {});
  const wire = new StreamWire({
    send: (text) => void call.write(text),
    leave: (abruptly) => (abruptly ? call.cancel() : call.end()),
  });
  call.on('error', () => {}); // the status tells
  call.on('data', ({ text }) => wire.take(text));
  const ended = new Promise<never>((_, reject) => {
    call.on('status', ({ code, details }) => {
      channel.close();
      wire.closed(`status ${code}: ${details}`);
      reject(new Cut(`status ${code}: ${details}`));
    });
  });
  ended.catch(() => {
    // Where it is waited for, it is seen.
  });
  await Promise.race([new Promise((resolve) => call.once('metadata', resolve)), ended]);
  return wire;
};

/** The message of an answer over HTTP, whatever its form. */
function messageOf(status: number, body: string): string {
  if (body.startsWith('{')) return body;
  const data = body.split('\n').filter((line) => line.startsWith('data: {'));
  const last = data.at(-1);
  if (last === undefined) throw new Refused(`status ${status}: ${body.slice(0, 200)}`);
  return last.slice('data: '.length);
}

/** Sessions of 2025-11-25: the header that the first answer brings goes with all that follows. */
class SessionHeaders {
  private id: string | undefined;

  get headers(): Readonly<Record<string, string>> {
    return this.id === undefined ? json : { ...json, 'mcp-session-id': this.id };
  }

  get isOpen(): boolean {
    return this.id !== undefined;
  }

  read(headers: Readonly<Record<string, unknown>>): void {
    const id = headers['mcp-session-id'];
    if (typeof id === 'string') this.id = id;
  }
}

const openHttp: Open = async (url) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const session = new SessionHeaders();
  const send = async (text: string): Promise<string> => {
    const { status, headers, body } = await post(url, session.headers, text, agent).catch(cut);
    session.read(headers);
    return status === 202 ? '' : messageOf(status, body);
  };
  return {
    isClosed: false,
    request: send,
    notify: async (text) => void (await send(text)),
    leave: (abruptly) => {
      const done = (): void => agent.destroy();
      if (abruptly || !session.isOpen) done();
      else remove(url, session.headers, agent).then(done, done);
    },
  };
};

const openHttp2: Open = async (url) => {
  const { origin, pathname } = new URL(url);
  const http2 = connectHttp2(origin);
  let isClosed = false;
  http2.on('error', () => {}); // it closes
  http2.on('close', () => {
    isClosed = true;
  });
  http2.on('goaway', () => {
    isClosed = true;
  });
  await once(http2, 'connect').catch(cut);
  const session = new SessionHeaders();
  const send = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      if (http2.destroyed || http2.closed) return reject(new Cut('the session is closed'));
      const stream = http2.request({ ':method': 'POST', ':path': pathname, ...session.headers });
      let body = '';
      let status = 0;
      stream.setEncoding('utf8').on('error', () => {}); // it closes
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
        isClosed ||= status >= 500; // a process that fails answers so, and ends with its session
        session.read(headers);
      });
      stream.on('data', (chunk: string) => {
        body += chunk;
      });
      stream.on('close', () => {
        try {
          if (stream.rstCode !== 0 || status === 0) reject(new Cut(`reset ${stream.rstCode}`));
          else resolve(status === 202 ? '' : messageOf(status, body));
        } catch (error) {
          reject(error as Error);
        }
      });
      stream.end(text);
    });
  return {
    get isClosed() {
      return isClosed;
    },
    request: send,
    notify: async (text) => void (await send(text)),
    leave: (abruptly) => (abruptly ? http2.destroy() : http2.close()),
  };
};

export const openWire: Readonly<Record<Kind, Open>> = {
  tcp: openTcp,
  websocket: openWebSocket,
  http: openHttp,
  sse: openSse,
  http2: openHttp2,
  grpc: openGrpc,
};
