/** The frames on their way to a client's socket: those of one turn of the event loop go out in one write. */
import type { Socket } from "node:net";
import { FRAME_HEADER } from "./frames.ts";

/** Up to which DATA fills a write. With half of it a page takes more writes, and its reader wakes up more often. */
const DATA_LIMIT = 262_144;
/** A smaller rest is left empty. */
const LEAST = 1_024;
/** What a buffer has for the other frames. */
const SIZE = DATA_LIMIT + 32_768;
/** Bytes that wait, beyond which the client has to read before it is heard again: an answer to each of its frames would pile up. */
const CROWDED = 2 * DATA_LIMIT;

/** Buffers to be used again. */
let spare: Buffer[] = [];
const MAX_SPARE = 16;

/** Frees them, after a busy time. */
export function freeSpareOutput(): void {
  spare = [];
}

export class Output {
  readonly #socket: Socket;
  /** Is called when there is room for DATA again. */
  readonly #onRoom: () => void;
  #buffer: Buffer | undefined;
  #length = 0;
  #scheduled = false;
  #writing = false;
  #ended = false;

  constructor(socket: Socket, onRoom: () => void) {
    this.#socket = socket;
    this.#onRoom = onRoom;
  }

  /** Bytes of a DATA frame's payload that the next write may still take. */
  get room(): number {
    const room = DATA_LIMIT - this.#length - FRAME_HEADER;
    return room < LEAST ? 0 : room;
  }

  get isCrowded(): boolean {
    return this.#length > CROWDED;
  }

  /** Where the payload of the frame just begun is to be written. */
  get buffer(): Buffer {
    return this.#buffer!;
  }

  /** Writes a frame's header, and returns where in `buffer` its payload begins. */
  frame(length: number, type: number, flags: number, stream: number): number {
    // What comes behind the end is written to a buffer that nobody sends.
    if (this.#ended) this.#length = 0;
    const at = this.#length;
    const end = at + FRAME_HEADER + length;
    const buffer = this.#withSpace(end);
    this.#length = end;
    buffer[at] = length >> 16;
    buffer[at + 1] = length >> 8;
    buffer[at + 2] = length;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    buffer[at + 5] = stream >> 24;
    buffer[at + 6] = stream >> 16;
    buffer[at + 7] = stream >> 8;
    buffer[at + 8] = stream;
    if (!this.#scheduled && !this.#writing && !this.#ended) {
      this.#scheduled = true;
      setImmediate(this.#flush);
    }
    return at + FRAME_HEADER;
  }

  /** Sends what waits, and nothing behind it. */
  end(): void {
    if (this.#buffer && this.#length > 0 && !this.#socket.destroyed)
      this.#socket.write(this.#buffer.subarray(0, this.#length));
    this.discard();
  }

  /** Sends nothing any more. */
  discard(): void {
    this.#ended = true;
    this.#buffer = undefined;
    this.#length = 0;
  }

  #withSpace(end: number): Buffer {
    this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(SIZE);
    if (end <= this.#buffer.length) return this.#buffer;
    const larger = Buffer.allocUnsafeSlow(2 * end);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    return larger;
  }

  readonly #flush = () => {
    this.#scheduled = false;
    this.#write();
  };

  #write(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#writing || this.#ended) return;
    const bytes = buffer.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    this.#writing = true;
    this.#socket.write(bytes, () => {
      this.#writing = false;
      if (buffer.length === SIZE && spare.length < MAX_SPARE) spare.push(buffer);
      if (this.#ended) return;
      this.#onRoom();
      this.#write();
    });
    this.#onRoom();
  }
}
