/** A plain TCP connection to a service that reads into pooled buffers. */
import { ReadFirstSocket } from "../node-internals.ts";

/** Bytes of one read: more costs memory, less costs reads. */
const BUFFER_SIZE = 65_536;
/**
 * Pooled buffers: as many as a page over HTTP/2 uses at once. Allocating one for each read would keep the garbage collector
 * busier than the proxy, and memory freed late is never returned to the system. Buffers are cut from pieces so large that malloc
 * maps them apart from its heap: scattered in the heap, they would pin its memory after a busy time.
 */
const MAX_POOLED = 256;
const POOLED_PIECE = 16 * BUFFER_SIZE;
/** For buffers beyond the pool. Of another size, to tell them apart. */
const TEMPORARY_PIECE = 8 * BUFFER_SIZE;
/** Reads of less are copied when no buffer is spare: a slow reader of many small pieces would hold a buffer for each. */
const SMALL = BUFFER_SIZE / 8;
const spare: Buffer[] = [];
let pooled = 0;
let temporary: Buffer[] = [];

function take(): Buffer {
  if (spare.length === 0 && pooled < MAX_POOLED) {
    spare.push(...cut(POOLED_PIECE));
    pooled += spare.length;
  }
  const buffer = spare.pop();
  if (buffer) return buffer;
  if (temporary.length === 0) temporary = cut(TEMPORARY_PIECE);
  return temporary.pop()!;
}

function cut(size: number): Buffer[] {
  const piece = Buffer.allocUnsafeSlow(size);
  return Array.from({ length: size / BUFFER_SIZE }, (_, i) =>
    piece.subarray(i * BUFFER_SIZE, (i + 1) * BUFFER_SIZE),
  );
}

/** Returns a buffer to the pool; false when it is not of the pool. */
function putBack(buffer: Buffer): boolean {
  if (buffer.buffer.byteLength !== POOLED_PIECE) return false;
  spare.push(buffer);
  return true;
}

/** Frees what no connection uses, after a busy time. */
export function freeSpareBuffers(): void {
  const spares = new Map<ArrayBufferLike, number>();
  for (const { buffer } of spare) spares.set(buffer, (spares.get(buffer) ?? 0) + 1);
  const kept = spare.filter(({ buffer }) => spares.get(buffer)! < POOLED_PIECE / BUFFER_SIZE);
  pooled -= spare.length - kept.length;
  spare.splice(0, spare.length, ...kept);
  temporary = [];
}

/** Takes bytes. `release` is to be called once, and the bytes must not be touched after that. */
export type TakeBytes = (bytes: Buffer, release: () => void) => void;

export class ServiceSocket extends ReadFirstSocket {
  /** Gets the bytes read. Without it the socket emits `data` events, like any other. */
  takeBytes: TakeBytes | undefined;

  constructor() {
    const self: { socket?: ServiceSocket; waiting?: Buffer | undefined } = {};
    super({
      // The reader decides what a half-closed connection means.
      allowHalfOpen: true,
      onread: {
        buffer: () => {
          self.waiting = take();
          return self.waiting;
        },
        callback: (length, buffer) => {
          // The receiver of the bytes owns the buffer from here on.
          self.waiting = undefined;
          return self.socket!.#received(buffer.subarray(0, length) as Buffer, buffer as Buffer);
        },
      },
    });
    self.socket = this;
    this.once("close", () => {
      if (self.waiting) putBack(self.waiting);
      self.waiting = undefined;
    });
  }

  #received(bytes: Buffer, buffer: Buffer): boolean {
    if (this.takeBytes && !(bytes.length < SMALL && spare.length === 0)) {
      this.takeBytes(bytes, () => putBack(buffer));
      return true;
    }
    const copy = Buffer.from(bytes);
    if (!putBack(buffer)) temporary.push(buffer);
    if (!this.takeBytes) return this.push(copy);
    this.takeBytes(copy, () => {});
    return true;
  }
}
