/** The beginning of a body, for a log that captures bodies. */
export interface RecordedBody {
  bytes: Buffer;
  /** The body was longer. */
  truncated: boolean;
}

export class BodyCapture {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Copies the bytes: their memory is used again by its owner. */
  take(chunk: Buffer): void {
    const room = this.#maxBytes - this.#size;
    if (chunk.length > room) this.#truncated = true;
    if (room === 0) return;
    const copy = Buffer.from(chunk.subarray(0, room));
    this.#chunks.push(copy);
    this.#size += copy.length;
  }

  /** Undefined when there was no body. */
  read(): RecordedBody | undefined {
    return this.#size === 0 ? undefined : { bytes: Buffer.concat(this.#chunks), truncated: this.#truncated };
  }
}
