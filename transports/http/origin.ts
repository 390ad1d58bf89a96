/** The names under which a machine reaches itself. `[::1]` is how a URL and a Host header write `::1`. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a local address of a socket is that of the machine itself: only programs on it, or its browser, can be there.
 */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return true; // a Unix socket
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** The name in a Host header, without its port; undefined if it is malformed. */
export function hostName(host: string): string | undefined {
  return /^(\[[0-9a-fA-F:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase();
}

export function isLoopbackHost(host: string | undefined): boolean {
  const name = host === undefined ? undefined : hostName(host);
  return name !== undefined && LOOPBACK_NAMES.has(name);
}

export function isLoopbackOrigin(origin: string): boolean {
  const host = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  return isLoopbackHost(host);
}

/**
 * Whether an entry of `allowedHosts` covers a Host header: with a port it must be equal, without one any port will do.
 */
export function matchesHost(allowed: ReadonlySet<string>, host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = hostName(host);
  return name !== undefined && (allowed.has(host.toLowerCase()) || allowed.has(name));
}
