/** What is used of comlink. */
export interface Comlink {
  wrap<T>(endpoint: unknown): T;
  expose(object: unknown, endpoint: unknown): void;
}

export interface NodeAdapter {
  readonly default: (port: unknown) => unknown;
}

export const packages = { comlink: 'comlink', adapter: 'comlink/dist/esm/node-adapter.mjs' } as const;
