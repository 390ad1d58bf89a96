/** What a tool answers, and the builders for it (2025-11-25 and 2026-07-28, server/tools, Tool Result). */

/** A hint for clients on how to use a content block. */
export interface ContentAnnotations {
  readonly audience?: readonly ('user' | 'assistant')[];
  /** 0 (least) to 1 (most important). */
  readonly priority?: number;
  /** ISO 8601. */
  readonly lastModified?: string;
}

/** An icon; `src` is a `https:` or `data:` URI. */
export interface Icon {
  readonly src: string;
  readonly mimeType?: string;
  /** `'48x48'`, `'any'` … */
  readonly sizes?: readonly string[];
  readonly theme?: 'light' | 'dark';
}

interface Described {
  readonly annotations?: ContentAnnotations;
  readonly _meta?: { readonly [key: string]: unknown };
}

/** A text for the model or the user. */
export interface TextContent extends Described {
  readonly type: 'text';
  readonly text: string;
}

/** `data` is base64. */
export interface ImageContent extends Described {
  readonly type: 'image';
  readonly data: string;
  readonly mimeType: string;
}

/** `data` is base64. */
export interface AudioContent extends Described {
  readonly type: 'audio';
  readonly data: string;
  readonly mimeType: string;
}

/** A resource's text, or its bytes in base64 (`blob`). */
export type ResourceContents = {
  readonly uri: string;
  readonly mimeType?: string;
  readonly _meta?: { readonly [key: string]: unknown };
} & ({ readonly text: string } | { readonly blob: string });

/** A resource within a message. */
export interface EmbeddedResource extends Described {
  readonly type: 'resource';
  readonly resource: ResourceContents;
}

/** A resource that the client may read. */
export interface ResourceLink extends Described {
  readonly type: 'resource_link';
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /** Bytes. */
  readonly size?: number;
  readonly icons?: readonly Icon[];
}

/** What messages of prompts and results of tools are made of. */
export type ContentBlock = TextContent | ImageContent | AudioContent | EmbeddedResource | ResourceLink;

/** What a tool returns. Build it with the functions below. */
export interface ToolResult {
  readonly content: readonly ContentBlock[];
  /** Any JSON value. It must satisfy the tool's `output` schema if there is one. */
  readonly structuredContent?: unknown;
  /** True: the call failed, and the content tells the model why. */
  readonly isError?: boolean;
  readonly _meta?: { readonly [key: string]: unknown };
}

/** A result of one text. */
export function text(value: string, described: Described = {}): ToolResult {
  return { content: [{ type: 'text', text: value, ...described }] };
}

/** A result of one image: bytes, or a text that is base64 already. */
export function image(data: Uint8Array | string, mimeType: string, described: Described = {}): ToolResult {
  return { content: [{ type: 'image', data: base64(data), mimeType, ...described }] };
}

/** A result of one sound: bytes, or a text that is base64 already. */
export function audio(data: Uint8Array | string, mimeType: string, described: Described = {}): ToolResult {
  return { content: [{ type: 'audio', data: base64(data), mimeType, ...described }] };
}

/** A result of one resource with its contents. */
export function embeddedResource(resource: ResourceContents, described: Described = {}): ToolResult {
  return { content: [{ type: 'resource', resource, ...described }] };
}

/** A result of one resource by its address; the client may read it. */
export function resourceLink(link: Omit<ResourceLink, 'type'>): ToolResult {
  return { content: [{ type: 'resource_link', ...link }] };
}

/** The contents of several results, in order, as one result: `content([text('a'), image(bytes, 'image/png')])`. */
export function content(parts: readonly ToolResult[]): ToolResult {
  return { content: parts.flatMap((part) => part.content) };
}

/**
 * A result of one JSON value, for tools with an `output` schema. `copy` is what older clients see; by default the
 * value as JSON text, as the specification advises (server/tools, Structured Content).
 */
export function structured(value: unknown, copy: ToolResult = text(JSON.stringify(value) ?? 'null')): ToolResult {
  return { content: copy.content, structuredContent: value };
}

/** A failure that the model is told of and may correct: no protocol error, no crash. */
export function toolError(message: string): ToolResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}

function base64(data: Uint8Array | string): string {
  if (typeof data === 'string') return data;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}
