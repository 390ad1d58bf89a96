/**
 * What a request says of who sends it: the header `Authorization`. Its text is found by who asks for it, and by nobody
 * who prints, logs, copies or sends the object it is in: crash reports hold the last message of a process.
 */
export class Credentials {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value of the header. */
  reveal(): string {
    return this.#text;
  }

  /** Whether both are the same. Only for what the same peer has sent: the time that it takes tells of the secret. */
  equals(other: Credentials): boolean {
    return this.#text === other.#text;
  }
}
