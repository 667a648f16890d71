/** The bytes of a stream whose protocol has been switched, such as to WebSocket (RFC 8441). */
import { Duplex } from "node:stream";
import { ErrorCode } from "../http2/frames.ts";
import type { Client } from "./client.ts";

/** A stream of HTTP/2. */
interface ByteStream extends Pick<Client, "read" | "pause" | "resume" | "write" | "end" | "onDrain"> {
  reset(code: number): void;
}

export class TunnelStream extends Duplex {
  readonly #stream: ByteStream;

  constructor(stream: ByteStream) {
    super();
    this.#stream = stream;
    stream.onDrain = () => {};
    stream.read({
      data: (chunk) => {
        if (!this.push(chunk)) stream.pause();
      },
      end: () => this.push(null),
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#stream.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#stream.end([]);
    done();
  }

  /** Does nothing where both sides have ended. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.reset(ErrorCode.CANCEL);
    done(error);
  }
}
