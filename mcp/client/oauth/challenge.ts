/** What a server says with `WWW-Authenticate` (RFC 6750, RFC 9728), and which scopes follow from it: pure. */

export interface BearerChallenge {
  readonly resourceMetadata?: string;
  readonly scope?: string;
  readonly error?: string;
}

const parameter = /([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** The Bearer challenge of a header; an empty one if there is none, or no header. */
export function readChallenge(header: string | undefined): BearerChallenge {
  const bearer = /(?:^|,)\s*Bearer\s+(.*)$/is.exec(header ?? '')?.[1] ?? '';
  const values = new Map<string, string>();
  for (const [, name, quoted, token] of bearer.matchAll(parameter)) {
    const key = name!.toLowerCase();
    if (!values.has(key)) values.set(key, quoted === undefined ? token! : quoted.replaceAll(/\\(.)/g, '$1'));
  }
  const value = <K extends string>(as: K, key: string): { readonly [P in K]?: string } =>
    (values.has(key) ? { [as]: values.get(key) } : {}) as { readonly [P in K]?: string };
  return {
    ...value('resourceMetadata', 'resource_metadata'),
    ...value('scope', 'scope'),
    ...value('error', 'error'),
  };
}

interface ScopeSources {
  /** Of the challenge. */
  readonly challenged: string | undefined;
  /** Of the protected resource. */
  readonly resource: readonly string[] | undefined;
  /** Of the authorization server. */
  readonly server: readonly string[] | undefined;
  /** What the token had that was not enough. */
  readonly granted: string | undefined;
}

/**
 * The scopes to ask for: those of the challenge, else those of the resource, else none; with what was granted before,
 * so that one operation does not take from another; and `offline_access` where the authorization server has it.
 */
export function scopeToAsk({ challenged, resource, server, granted }: ScopeSources): string | undefined {
  const wanted = challenged === undefined ? (resource ?? []) : words(challenged);
  const scopes = new Set([...words(granted), ...wanted]);
  if (scopes.size > 0 && server?.includes('offline_access') === true) scopes.add('offline_access');
  return scopes.size === 0 ? undefined : [...scopes].join(' ');
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

/** Whether the resource of some metadata is the server that was asked, or the part of its site that it is in. */
export function coversResource(resource: unknown, server: string): boolean {
  if (typeof resource !== 'string' || !URL.canParse(resource)) return false;
  const covered = new URL(resource);
  const asked = new URL(server);
  if (covered.origin !== asked.origin) return false;
  const path = covered.pathname.endsWith('/') ? covered.pathname : `${covered.pathname}/`;
  return `${asked.pathname}/`.startsWith(path);
}

/** Where the metadata of a resource may be, the likeliest first. */
export function resourceMetadataUrls(server: string, named: string | undefined): readonly string[] {
  if (named !== undefined) return [named];
  const { origin, pathname } = new URL(server);
  const base = `${origin}/.well-known/oauth-protected-resource`;
  return pathname === '/' ? [base] : [`${base}${pathname.replace(/\/$/, '')}`, base];
}

/** Where the metadata of an authorization server may be (2025-11-25, Authorization Server Metadata Discovery). */
export function serverMetadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const oauth = `${origin}/.well-known/oauth-authorization-server${path}`;
  const oidc = `${origin}/.well-known/openid-configuration${path}`;
  return path === '' ? [oauth, oidc] : [oauth, oidc, `${origin}${path}/.well-known/openid-configuration`];
}

/** Whether an address may be spoken to: encrypted, or on this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
