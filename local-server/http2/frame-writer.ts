/** Writes frames. */
import type { Socket } from "node:net";
import { ErrorCode, Flag, FRAME_SIZE, FrameType } from "./frames.ts";
import { Output } from "./output.ts";

/** A dynamic table of HPACK of the size 0 (RFC 7541, 6.3). */
const NO_TABLE = Buffer.from([0x20]);

export class FrameWriter {
  readonly output: Output;
  /** Frames of DATA that the client has not asked anything about. */
  unasked = 0;
  /** The next header block has to begin with the size of our table. */
  #tellsTableSize = false;

  /** `onRoom` is called when there is room for DATA again. */
  constructor(socket: Socket, onRoom: () => void) {
    this.output = new Output(socket, onRoom);
  }

  /** These bytes of a chunk: at most FRAME_SIZE, and at most what the output has room for. */
  data(stream: number, chunk: Buffer, from: number, to: number, ends: boolean): void {
    const { output } = this;
    this.unasked++;
    const at = output.frame(to - from, FrameType.DATA, ends ? Flag.END_STREAM : 0, stream);
    chunk.copy(output.buffer, at, from, to);
  }

  /** The end of a stream, without anything else. */
  end(stream: number): void {
    this.output.frame(0, FrameType.DATA, Flag.END_STREAM, stream);
  }

  /** The client keeps less for our table: it is owed an answer (RFC 9113, 4.3.1), though we use none. */
  tableShrinks(): void {
    this.#tellsTableSize = true;
  }

  headers(stream: number, fields: Buffer, ends: boolean): void {
    const { output } = this;
    const block = this.#tellsTableSize ? Buffer.concat([NO_TABLE, fields]) : fields;
    this.#tellsTableSize = false;
    let type: number = FrameType.HEADERS;
    let flags: number = ends ? Flag.END_STREAM : 0;
    let from = 0;
    do {
      const to = Math.min(from + FRAME_SIZE, block.length);
      if (to === block.length) flags |= Flag.END_HEADERS;
      const at = output.frame(to - from, type, flags, stream);
      block.copy(output.buffer, at, from, to);
      type = FrameType.CONTINUATION;
      flags = 0;
      from = to;
    } while (from < block.length);
  }

  reset(stream: number, code: number): void {
    const at = this.output.frame(4, FrameType.RST_STREAM, 0, stream);
    this.output.buffer.writeUInt32BE(code, at);
  }

  /** Stream 0: of the connection. */
  windowUpdate(stream: number, increment: number): void {
    const at = this.output.frame(4, FrameType.WINDOW_UPDATE, 0, stream);
    this.output.buffer.writeUInt32BE(increment, at);
  }

  settings(settings: readonly (readonly [setting: number, value: number])[]): void {
    let at = this.output.frame(6 * settings.length, FrameType.SETTINGS, 0, 0);
    for (const [setting, value] of settings) {
      at = this.output.buffer.writeUInt16BE(setting, at);
      at = this.output.buffer.writeUInt32BE(value, at);
    }
  }

  settingsAck(): void {
    this.output.frame(0, FrameType.SETTINGS, Flag.ACK, 0);
  }

  ping(): void {
    const at = this.output.frame(8, FrameType.PING, 0, 0);
    this.output.buffer.fill(0, at, at + 8);
  }

  pingAck(payload: Buffer): void {
    const at = this.output.frame(8, FrameType.PING, Flag.ACK, 0);
    payload.copy(this.output.buffer, at);
  }

  /** With a text for the client's developers, where it is an error. */
  goAway(lastStream: number, code: number, reason: string): void {
    const text = code === ErrorCode.NO_ERROR ? "" : reason;
    const at = this.output.frame(8 + text.length, FrameType.GOAWAY, 0, 0);
    const { buffer } = this.output;
    buffer.writeUInt32BE(lastStream, at);
    buffer.writeUInt32BE(code, at + 4);
    buffer.write(text, at + 8, "latin1");
  }
}
