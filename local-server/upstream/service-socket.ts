/** A plain TCP connection to a service, read into buffers that are used again. */
import { Socket } from "node:net";

/** What one read may bring: more costs memory, less costs reads. */
const BUFFER_SIZE = 65_536;
/**
 * Buffers kept for later: as many as a page over HTTP/2 uses at once. To allocate one for each read keeps the garbage
 * collector busier than the proxy, and what it frees late the process never gives back.
 */
const MAX_SPARE = 256;
const spare: Buffer[] = [];

function keep(buffer: Buffer): void {
  if (spare.length < MAX_SPARE) spare.push(buffer);
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
          self.waiting = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
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
    const release = () => keep(buffer);
    if (this.takeBytes) {
      this.takeBytes(bytes, release);
      return true;
    }
    const copy = Buffer.from(bytes);
    release();
    return this.push(copy);
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
