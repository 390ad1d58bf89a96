/** Text of an event stream to events (HTML Living Standard, 9.2.6): pure, of bounded memory. */

/** What a stream says: an event with data, or that one was too long to keep. */
export type StreamEvent = { readonly data: string; readonly type?: string } | { readonly fault: 'message_too_long' };

const lineEnd = /\r\n|\n|\r/g;

/**
 * Cuts text into events. Comments and fields that nobody knows are skipped; so are events of another type than
 * `message`, which MCP does not have, but for one type that the reader may name (HTTP+SSE has `endpoint`). Text comes
 * with `push`, which returns the events that it completes.
 */
export class EventStream {
  /** The id of the last event, where a stream may be resumed; undefined if there was none. */
  lastEventId: string | undefined;
  /** How long the server asks its clients to wait before they connect again. */
  retryMs: number | undefined;
  private readonly lengthMax: number;
  private readonly otherType: string | undefined;
  /** The line so far: pieces, since a line may come in many. */
  private parts: string[] = [];
  private partsLength = 0;
  private heldReturn = false;
  private data: string[] = [];
  private length = 0;
  private tooLong = false;
  private type = '';
  private id: string | undefined;
  private started = false;

  constructor(lengthMax: number, otherType?: string) {
    this.lengthMax = lengthMax;
    this.otherType = otherType;
  }

  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    let chunk = this.heldReturn ? `\r${text}` : text;
    this.heldReturn = false;
    if (!this.started && chunk.length > 0) {
      this.started = true;
      if (chunk.startsWith('\uFEFF')) chunk = chunk.slice(1);
    }
    let from = 0;
    for (const { 0: end, index } of chunk.matchAll(lineEnd)) {
      // A \r at the end may be half of a \r\n: the next text tells.
      if (end === '\r' && index === chunk.length - 1) {
        this.heldReturn = true;
        this.keep(chunk.slice(from, -1));
        return events;
      }
      this.line(this.taken() + chunk.slice(from, index), events);
      from = index + end.length;
    }
    this.keep(chunk.slice(from));
    return events;
  }

  private taken(): string {
    const line = this.parts.join('');
    this.parts = [];
    this.partsLength = 0;
    return line;
  }

  /** A piece of a line that has not ended, within the bound; of a longer one only that it was too long. */
  private keep(part: string): void {
    if (part === '') return;
    this.parts.push(part);
    this.partsLength += part.length;
    if (this.partsLength + this.length <= this.lengthMax) return;
    this.tooLong = true;
    this.data = [];
    this.taken();
    this.parts.push('x:'); // a field that nobody knows takes what is left of the line
  }

  private line(line: string, events: StreamEvent[]): void {
    if (line === '') {
      this.dispatch(events);
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    if (field === 'data') this.append(value);
    else if (field === 'event') this.type = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
  }

  private append(value: string): void {
    this.length += value.length + 1;
    if (this.length > this.lengthMax + 1) this.tooLong = true;
    if (this.tooLong) this.data = [];
    else this.data.push(value);
  }

  private dispatch(events: StreamEvent[]): void {
    const { data, tooLong, type } = this;
    if (this.id !== undefined) this.lastEventId = this.id === '' ? undefined : this.id;
    this.data = [];
    this.length = 0;
    this.tooLong = false;
    this.type = '';
    if (tooLong) events.push({ fault: 'message_too_long' });
    else if (type === '' || type === 'message') {
      const text = data.join('\n');
      if (text !== '') events.push({ data: text });
    } else if (type === this.otherType) {
      events.push({ data: data.join('\n'), type });
    }
  }
}
