/** Counts the frames that one side of a WebSocket sends (RFC 6455, 5.2), and notes its close code. */

const CLOSE = 0x8;
/** Two bytes, an extended length of 8, a masking key of 4. */
const LONGEST_HEADER = 14;

export class FrameCounter {
  /** Frames that have begun, control frames included. */
  frames = 0;
  /** This side has sent a close frame. */
  closed = false;
  /** The code of the close frame; 0 without one. */
  closeCode = 0;
  readonly #header = Buffer.alloc(LONGEST_HEADER + 2);
  /** Bytes of the header read so far; of a close frame also the two of its code. */
  #have = 0;
  #need = 2;
  /** Bytes of the payload still to come. */
  #payload = 0;

  /** True between two frames. */
  get atBoundary(): boolean {
    return this.#payload === 0 && this.#have === 0;
  }

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload > 0) {
        const part = Math.min(this.#payload, chunk.length - at);
        this.#payload -= part;
        at += part;
        continue;
      }
      this.#header[this.#have++] = chunk[at++]!;
      if (this.#have === this.#need) this.#headerGrew();
    }
  }

  /** The header bytes needed so far are here: they show that more are needed, or the payload follows. */
  #headerGrew(): void {
    const header = this.#header;
    const length = header[1]! & 0x7f;
    const mask = (header[1]! & 0x80) === 0 ? 0 : 4;
    const size = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + mask;
    const closes = (header[0]! & 0x0f) === CLOSE;
    const hasCode = closes && length >= 2 && length < 126;
    this.#need = hasCode ? size + 2 : size;
    if (this.#have < this.#need) return;
    this.frames++;
    if (closes) this.closed = true;
    if (hasCode) this.closeCode = unmasked(header, size, mask);
    const payload =
      length === 126 ? header.readUInt16BE(2) : length === 127 ? Number(header.readBigUInt64BE(2)) : length;
    this.#payload = hasCode ? payload - 2 : payload;
    this.#have = 0;
    this.#need = 2;
  }
}

function unmasked(header: Buffer, at: number, mask: number): number {
  const code = header.readUInt16BE(at);
  return mask === 0 ? code : code ^ header.readUInt16BE(at - mask);
}
