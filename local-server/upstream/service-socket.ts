/** A plain TCP connection to a service that reads into pooled buffers. */
import { ReadFirstSocket } from "../node-internals.ts";

/** Buffers of one size, to be used again. */
class BufferPool {
  readonly size: number;
  readonly #most: number;
  readonly #perPiece: number;
  #spare: Buffer[] = [];
  #count = 0;

  constructor(size: number, { most, perPiece }: { most: number; perPiece: number }) {
    this.size = size;
    this.#most = most;
    this.#perPiece = perPiece;
  }

  get isEmpty(): boolean {
    return this.#spare.length === 0;
  }

  /** Undefined when all that there may be are in use. */
  take(): Buffer | undefined {
    if (this.#spare.length === 0 && this.#count < this.#most) {
      this.#spare.push(...cut(this.size, this.#perPiece));
      this.#count += this.#perPiece;
    }
    return this.#spare.pop();
  }

  putBack(buffer: Buffer): void {
    this.#spare.push(buffer);
  }

  /** Frees the pieces of which no buffer is in use. */
  freeSpare(): void {
    const spares = new Map<ArrayBufferLike, number>();
    for (const { buffer } of this.#spare) spares.set(buffer, (spares.get(buffer) ?? 0) + 1);
    const kept = this.#spare.filter(({ buffer }) => spares.get(buffer)! < this.#perPiece);
    this.#count -= this.#spare.length - kept.length;
    this.#spare = kept;
  }
}

/**
 * Cuts buffers from a piece so large that malloc maps it apart from its heap: scattered in the heap, they would pin its memory
 * after a busy time.
 */
function cut(size: number, count: number): Buffer[] {
  const piece = Buffer.allocUnsafeSlow(count * size);
  return Array.from({ length: count }, (_, i) => piece.subarray(i * size, (i + 1) * size));
}

/**
 * As many as a page over HTTP/2 uses at once. Allocating one for each read would keep the garbage collector busier than the
 * proxy, and memory freed late is never returned to the system.
 */
const usual = new BufferPool(65_536, { most: 256, perPiece: 16 });
/** For a connection that brings more than that at once: fewer reads take an eighth less CPU. */
const large = new BufferPool(4 * usual.size, { most: 32, perPiece: 4 });
/**
 * Those beyond the pool. Clients that read nothing hold one for each of their requests, thousands together: they are smaller, since
 * a service is read again only when what was read is sent.
 */
let temporary: Buffer[] = [];
const TEMPORARY = { size: usual.size / 4, perPiece: 32 };

/** A connection gets usual buffers again after as many short reads. The end of a long body is one. */
const SHORT_READS = 2;
/** Reads of less are copied where buffers are few: a slow reader of many small pieces would hold a buffer for each. */
const SMALL = usual.size / 8;

/** Frees what no connection uses, after a busy time. */
export function freeSpareBuffers(): void {
  usual.freeSpare();
  large.freeSpare();
  temporary = [];
}

/** Takes bytes. `release` is to be called once, and the bytes must not be touched after that. */
export type TakeBytes = (bytes: Buffer, release: () => void) => void;

export class ServiceSocket extends ReadFirstSocket {
  /** Gets the bytes read. Without it the socket emits `data` events, like any other. */
  takeBytes: TakeBytes | undefined;

  constructor() {
    const self: { socket?: ServiceSocket } = {};
    const reads = new ReadBuffers();
    super({
      // The reader decides what a half-closed connection means.
      allowHalfOpen: true,
      onread: {
        buffer: () => reads.next(),
        callback: (length, buffer) =>
          self.socket!.#received(buffer.subarray(0, length) as Buffer, reads.filled(length)),
      },
    });
    self.socket = this;
    this.once("close", () => reads.close());
  }

  #received(bytes: Buffer, { buffer, pool }: ReadBuffer): boolean {
    const isDear = pool === large || usual.isEmpty;
    if (this.takeBytes && !(bytes.length < SMALL && isDear)) {
      this.takeBytes(bytes, () => pool?.putBack(buffer));
      return true;
    }
    const copy = Buffer.from(bytes);
    if (pool) pool.putBack(buffer);
    else temporary.push(buffer);
    if (!this.takeBytes) return this.push(copy);
    this.takeBytes(copy, () => {});
    return true;
  }
}

interface ReadBuffer {
  buffer: Buffer;
  /** Undefined for one beyond the pool. */
  pool: BufferPool | undefined;
}

function from(pool: BufferPool): ReadBuffer | undefined {
  const buffer = pool.take();
  return buffer && { buffer, pool };
}

function temporaryBuffer(): ReadBuffer {
  if (temporary.length === 0) temporary = cut(TEMPORARY.size, TEMPORARY.perPiece);
  return { buffer: temporary.pop()!, pool: undefined };
}

/** The buffers of one connection. */
class ReadBuffers {
  #waiting: ReadBuffer | undefined;
  /** How many of the next reads have large buffers. */
  #large = 0;

  /** For the next read. */
  next(): Buffer {
    this.#waiting = (this.#large > 0 && from(large)) || from(usual) || temporaryBuffer();
    return this.#waiting.buffer;
  }

  /** The receiver of the bytes owns the buffer from here on. */
  filled(length: number): ReadBuffer {
    if (length >= usual.size) this.#large = SHORT_READS;
    else if (this.#large > 0) this.#large--;
    const filled = this.#waiting!;
    this.#waiting = undefined;
    return filled;
  }

  close(): void {
    if (this.#waiting) this.#waiting.pool?.putBack(this.#waiting.buffer);
    this.#waiting = undefined;
  }
}
