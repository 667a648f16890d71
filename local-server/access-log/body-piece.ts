/** The beginning of a body, kept because somebody asked for bodies. */
import type { KeptBody } from "./facts.ts";

export class BodyPiece {
  readonly #most: number;
  readonly #pieces: Buffer[] = [];
  #size = 0;
  #cut = false;

  /** `most`: bytes that are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Copies: the bytes are used again by whoever read them. */
  take(chunk: Buffer): void {
    const room = this.#most - this.#size;
    if (chunk.length > room) this.#cut = true;
    if (room === 0) return;
    const piece = Buffer.from(chunk.subarray(0, room));
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  /** Undefined when there was no body. */
  read(): KeptBody | undefined {
    return this.#size === 0 ? undefined : { bytes: Buffer.concat(this.#pieces), cut: this.#cut };
  }
}
