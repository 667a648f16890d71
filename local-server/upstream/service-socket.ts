/** A plain TCP connection to a service, read into buffers that are used again. */
import { Socket } from "node:net";

/** What one read may bring: more costs memory, less costs reads. */
const BUFFER_SIZE = 65_536;
/**
 * Buffers kept for later: as many as a page over HTTP/2 uses at once. To allocate one for each read keeps the garbage
 * collector busier than the proxy, and what it frees late the process never gives back. All are cut from pieces that malloc
 * takes from the system and not from its heap: scattered there, they would hold for good what a busy time needed.
 */
const MAX_KEPT = 256;
const KEPT_PIECE = 16 * BUFFER_SIZE;
/** Of more buffers than are kept; another size, to tell them apart. */
const PASSING_PIECE = 8 * BUFFER_SIZE;
/** So little is copied when none is spare: who is slow to take many small pieces would hold a buffer for each. */
const SMALL = BUFFER_SIZE / 8;
const spare: Buffer[] = [];
let kept = 0;
let passing: Buffer[] = [];

function take(): Buffer {
  if (spare.length === 0 && kept < MAX_KEPT) {
    spare.push(...cut(KEPT_PIECE));
    kept += spare.length;
  }
  const buffer = spare.pop();
  if (buffer) return buffer;
  if (passing.length === 0) passing = cut(PASSING_PIECE);
  return passing.pop()!;
}

function cut(size: number): Buffer[] {
  const piece = Buffer.allocUnsafeSlow(size);
  return Array.from({ length: size / BUFFER_SIZE }, (_, i) =>
    piece.subarray(i * BUFFER_SIZE, (i + 1) * BUFFER_SIZE),
  );
}

/** False when it is one too many. */
function keep(buffer: Buffer): boolean {
  if (buffer.buffer.byteLength !== KEPT_PIECE) return false;
  spare.push(buffer);
  return true;
}

/** Takes bytes; `release` is called once when nobody needs them any more, and nobody may touch them after that. */
export type TakeBytes = (bytes: Buffer, release: () => void) => void;

type Written = (error?: Error | null) => void;

export class ServiceSocket extends Socket {
  /** Gets what is read. Without it the socket emits `data` events, like any other. */
  takeBytes: TakeBytes | undefined;

  constructor() {
    const self: { socket?: ServiceSocket; waiting?: Buffer | undefined } = {};
    super({
      // How a half-closed connection goes on is decided by who reads it.
      allowHalfOpen: true,
      onread: {
        buffer: () => {
          self.waiting = take();
          return self.waiting;
        },
        callback: (length, buffer) => {
          // From here on it is whose bytes they are.
          self.waiting = undefined;
          return self.socket!.#received(buffer.subarray(0, length) as Buffer, buffer as Buffer);
        },
      },
    });
    self.socket = this;
    this.once("close", () => {
      if (self.waiting) keep(self.waiting);
      self.waiting = undefined;
    });
  }

  #received(bytes: Buffer, buffer: Buffer): boolean {
    if (this.takeBytes && !(bytes.length < SMALL && spare.length === 0)) {
      this.takeBytes(bytes, () => keep(buffer));
      return true;
    }
    const copy = Buffer.from(bytes);
    if (!keep(buffer)) passing.push(buffer);
    if (!this.takeBytes) return this.push(copy);
    this.takeBytes(copy, () => {});
    return true;
  }

  // A service that refuses a long body answers, and hangs up without reading on. When the next write finds the
  // connection reset the answer is here already, and Node would discard it: what has arrived is read first.

  override _write(chunk: unknown, encoding: BufferEncoding, done: Written): void {
    super._write(chunk, encoding, afterReading(done));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Written): void {
    super._writev!(chunks, afterReading(done));
  }
}

/** The event loop reads once between two of its turns. */
function afterReading(done: Written): Written {
  return (error) => {
    if (error) setImmediate(() => setImmediate(done, error));
    else done();
  };
}
