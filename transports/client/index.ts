/** The client side of the transports: `beamish/transports/client`. */

export type { ClientTransport } from '../client-transport.ts';
export type {
  CarrierLimits,
  ChildProcessLimits,
  HttpClientLimits,
  SocketClientLimits,
  WebSocketClientLimits,
} from '../limits.ts';
export {
  CARRIER_LIMITS,
  CHILD_PROCESS_LIMITS,
  HTTP_CLIENT_LIMITS,
  SOCKET_CLIENT_LIMITS,
  WEB_SOCKET_CLIENT_LIMITS,
} from '../limits.ts';
export type { TlsClientOptions } from '../tls.ts';
export { type HttpClientOptions, httpClient } from './http-client.ts';
export { type Http2ClientOptions, http2Client } from './http2-client.ts';
export { type MemoryClientOptions, memoryClient } from './memory-client.ts';
export { type SseClientOptions, sseClient } from './sse-client.ts';
export { type ChildProcessOptions, childProcess } from './stdio-client.ts';
export { type TcpClientOptions, tcpClient } from './tcp-client.ts';
export { type WebSocketClientOptions, webSocketClient } from './web-socket-client.ts';
