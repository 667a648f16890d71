/** Headers that note how they are changed: reading all of them again costs more, since each access is a call out of JavaScript. */

/** What of `Headers` a request under way is changed by. */
export type ChangedHeaders = Pick<Headers, "get" | "has" | "set" | "delete">;

export class RecordedHeaders implements ChangedHeaders {
  readonly #headers: Headers;
  /** Lower-case names and what they were set to; null for those that were deleted. */
  readonly changes = new Map<string, string | null>();

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    return this.#headers.get(name);
  }

  has(name: string): boolean {
    return this.#headers.has(name);
  }

  set(name: string, value: string): void {
    this.changes.set(name.toLowerCase(), value);
    this.#headers.set(name, value);
  }

  delete(name: string): void {
    this.changes.set(name.toLowerCase(), null);
    this.#headers.delete(name);
  }
}
