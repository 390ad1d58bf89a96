import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels } from '../telemetry.ts';

/** Events so frequent that they are relayed only while somebody listens. */
const frequent: readonly string[] = [channels.processStart, channels.processExit, channels.progressReport];

const always: readonly string[] = Object.values(channels).filter((name) => !frequent.includes(name));

/** Of the frequent ones, those that somebody on this thread listens to. */
export function wantedEvents(): string[] {
  return frequent.filter((name) => hasSubscribers(name));
}

/** What the processes of a worker thread publish is published on the thread that started the system. */
export class EventRelay {
  private readonly listening = new Map<string, (event: unknown) => void>();
  private readonly system: string;
  private readonly send: (name: string, event: object) => void;

  constructor(system: string, send: (name: string, event: object) => void) {
    this.system = system;
    this.send = send;
    for (const name of always) this.listen(name);
  }

  /** Which of the frequent ones somebody listens to. */
  wanted(names: readonly string[]): void {
    for (const name of frequent) {
      if (names.includes(name)) this.listen(name);
      else this.stop(name);
    }
  }

  private listen(name: string): void {
    if (this.listening.has(name)) return;
    const listener = (event: unknown): void => {
      if ((event as { system?: unknown }).system === this.system) this.send(name, event as object);
    };
    this.listening.set(name, listener);
    subscribe(name, listener);
  }

  private stop(name: string): void {
    const listener = this.listening.get(name);
    if (listener === undefined) return;
    this.listening.delete(name);
    unsubscribe(name, listener);
  }
}
