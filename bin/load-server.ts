import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fromModule, isMcpServer, isMountedServer, type McpServer, type MountedServer } from '../mcp/index.ts';

export type LoadResult = { readonly ok: McpServer | MountedServer } | { readonly error: string };

/**
 * Imports the module that a user named, a file or a package as seen from `cwd`, and checks what it exports by default.
 */
export async function loadServer(module: string, cwd: string): Promise<LoadResult> {
  const file = locate(module, cwd);
  if (file === undefined) return { error: `cannot find the module '${module}' (looked for ${resolve(cwd, module)})` };
  let exports: { readonly default?: unknown };
  try {
    exports = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { error: `the module '${module}' could not be loaded:\n${detail}` };
  }
  if (isMcpServer(exports.default)) return { ok: fromModule(exports.default, pathToFileURL(file).href) };
  if (isMountedServer(exports.default)) return { ok: exports.default };
  const found =
    exports.default === undefined ? 'it has no default export' : `its default export is ${kind(exports.default)}`;
  return { error: `the module '${module}' must export a server by default: export default mcpServer(…); ${found}` };
}

function locate(module: string, cwd: string): string | undefined {
  const path = resolve(cwd, module);
  if (existsSync(path)) return path;
  if (module.startsWith('.') || module.startsWith('/')) return undefined;
  try {
    return createRequire(join(cwd, 'package.json')).resolve(module);
  } catch {
    return undefined; // the caller says what was looked for
  }
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
