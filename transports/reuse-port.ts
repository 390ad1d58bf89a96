/** Whether several listeners may share one port (`SO_REUSEPORT`). Pure. */

/** The systems whose kernel spreads the connections of a port over its listeners (Node.js, `server.listen`). */
const PLATFORMS: ReadonlySet<string> = new Set(['linux', 'freebsd', 'sunos', 'aix']);

/**
 * Undefined: it can. A Node.js that does not know the option ignores it: the second listener would fail with an error
 * that names another cause, or, worse, the first would not share.
 */
export function reusePortProblem(version: string, platform: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const known = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  if (!known) return `reusePort needs Node.js 22.12, 23.1 or later, and this is ${version}`;
  return PLATFORMS.has(platform)
    ? undefined
    : `reusePort is not there on ${platform}: its kernel does not spread clients`;
}
