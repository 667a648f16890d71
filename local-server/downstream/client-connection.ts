/** One connection of a client that speaks HTTP/2 (RFC 9113): its streams, and what they share. */
import type { Socket } from "node:net";
import { FieldsCache } from "../http/fields.ts";
import { HTTP2_SETTINGS, MAX_STREAMS } from "../http/limits.ts";
import { Allowance } from "../http2/allowance.ts";
import { ConnectionError } from "../http2/errors.ts";
import {
  type ClientSettings,
  type FrameHandler,
  FrameReader,
  protocolError,
  windowError,
} from "../http2/frame-reader.ts";
import { FrameWriter } from "../http2/frame-writer.ts";
import { DEFAULT_TABLE_SIZE, DEFAULT_WINDOW, ErrorCode, MAX_WINDOW, Setting } from "../http2/frames.ts";
import { HpackDecoder } from "../http2/hpack-decoder.ts";
import { HeadEncoder } from "../http2/hpack-encoder.ts";
import { RequestSection, TrailerSection } from "../http2/request-head.ts";
import { StreamTable } from "../http2/stream-table.ts";
import { Http2Client, type StreamConnection } from "./http2-client.ts";

/** A connection without streams for this long is closed. */
const IDLE_TIMEOUT_MS = 120_000;
/** How long a client may take to read why its connection ends; without an error, how long it may pause in the last responses. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How often a client that has ended its side is asked whether it is still there. */
const PROBE_MS = 5_000;
/** Bytes in flight from a client in all its streams together. */
const CONNECTION_WINDOW = 1_048_576;
/** Streams that a client gives up, or makes us give up, as nghttp2 bounds them: each of them may be a connection to a service. */
const RESETS = { most: 1_000, perSecond: 33 };
/** Frames that ask for nothing, or for an answer of the same size. */
const IDLE_FRAMES = { most: 10_000, perSecond: 1_000 };
/** Streams that we have reset a moment ago: what is under way to them is no error. */
const MAX_RESET = 256;

const SETTINGS = [
  [Setting.MAX_CONCURRENT_STREAMS, MAX_STREAMS],
  [Setting.INITIAL_WINDOW_SIZE, HTTP2_SETTINGS.initialWindowSize],
  [Setting.MAX_HEADER_LIST_SIZE, HTTP2_SETTINGS.maxHeaderListSize],
  [Setting.ENABLE_CONNECT_PROTOCOL, 1],
] as const;

export class ClientConnection implements StreamConnection, FrameHandler {
  readonly secure: boolean;
  readonly cache = new FieldsCache();
  readonly encoder = new HeadEncoder();
  readonly frames: FrameWriter;
  window = DEFAULT_WINDOW;
  readonly #socket: Socket;
  readonly #serve: (client: Http2Client, isTooLarge: boolean) => void;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HpackDecoder();
  readonly #streams = new StreamTable<Http2Client>();
  /** The streams with bytes to send, in the order of their turns. */
  readonly #queue: Http2Client[] = [];
  readonly #reset: number[] = [];
  readonly #resets = new Allowance(RESETS.most, RESETS.perSecond);
  readonly #idleFrames = new Allowance(IDLE_FRAMES.most, IDLE_FRAMES.perSecond);
  /** What the client takes of a new stream. */
  #initialWindow = DEFAULT_WINDOW;
  /** The highest number of a stream so far. */
  #lastStream = 0;
  /** Bytes of DATA that the client may still send, and those that it gets back with the next update. */
  #receiveWindow = CONNECTION_WINDOW;
  #consumed = 0;
  /** The client begins no more streams. */
  #isLeaving = false;
  #closed = false;

  /** `serve` gets each request; `isTooLarge`: with a part of its header lines. */
  constructor(socket: Socket, serve: (client: Http2Client, isTooLarge: boolean) => void) {
    this.#socket = socket;
    this.#serve = serve;
    this.secure = "encrypted" in socket;
    this.frames = new FrameWriter(socket, () => this.#takeTurns());
    this.frames.settings(SETTINGS);
    this.frames.windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // 'close' follows.
    socket.on("error", () => {});
    socket.on("end", () => this.#halfClose());
    socket.once("close", () => this.#end());
    socket.setTimeout(IDLE_TIMEOUT_MS);
    socket.on("timeout", () => this.closeIfIdle());
  }

  closeIfIdle(): void {
    if (this.#streams.size === 0) this.#close(ErrorCode.NO_ERROR, "");
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.feed(chunk);
    } catch (error) {
      const known = error instanceof ConnectionError;
      this.#close(
        known ? error.code : ErrorCode.INTERNAL_ERROR,
        known ? error.message : "a fault of the server",
      );
      if (!known) throw error;
    }
    // Output calls back when it has sent something.
    if (this.frames.output.isCrowded) this.#socket.pause();
  }

  // Frames of the client.

  data(id: number, ends: boolean, bytes: Buffer, size: number): void {
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) throw windowError();
    const stream = this.#streams.get(id);
    if (!stream || stream.remoteEnded) {
      this.#expectBegun(id);
      this.consumed(size);
      if (!this.#reset.includes(id)) this.streamError(id, ErrorCode.STREAM_CLOSED);
      return;
    }
    let error = stream.receive(bytes, size);
    if (error === undefined && ends) error = stream.receiveEnd([]);
    if (error !== undefined) this.streamError(id, error);
  }

  headers(id: number, ends: boolean, block: Buffer): void {
    if (id % 2 === 0) throw protocolError("a stream with an even number");
    if (id > this.#lastStream) this.#begin(id, ends, block);
    else this.#trailers(id, ends, block);
  }

  #begin(id: number, ends: boolean, block: Buffer): void {
    this.#lastStream = id;
    const section = new RequestSection();
    this.#decoder.decode(block, section);
    const error =
      section.isMalformed || (ends && section.length)
        ? ErrorCode.PROTOCOL_ERROR
        : this.#streams.size >= MAX_STREAMS
          ? ErrorCode.REFUSED_STREAM
          : undefined;
    if (error !== undefined) {
      this.streamError(id, error);
      return;
    }
    const stream = new Http2Client(id, this, section, ends, this.#initialWindow);
    this.#streams.add(stream);
    try {
      this.#serve(stream, section.isTooLarge);
    } catch (error) {
      // A fault of ours in one stream: the others go on.
      setImmediate(() => {
        throw error;
      });
    }
  }

  #trailers(id: number, ends: boolean, block: Buffer): void {
    const section = new TrailerSection();
    this.#decoder.decode(block, section);
    const stream = this.#streams.get(id);
    if (!stream) {
      if (this.#reset.includes(id)) return;
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, "headers of a closed stream");
    }
    const error = stream.remoteEnded
      ? ErrorCode.STREAM_CLOSED
      : ends && !section.isMalformed
        ? stream.receiveEnd(section.lines)
        : ErrorCode.PROTOCOL_ERROR;
    if (error !== undefined) this.streamError(id, error);
  }

  reset(id: number): void {
    this.#expectBegun(id);
    const stream = this.#streams.get(id);
    if (!stream) {
      this.idleFrame();
      return;
    }
    this.#countReset();
    stream.gone();
  }

  settings({ headerTableSize, initialWindowSize }: ClientSettings): void {
    this.frames.settingsAck();
    if (headerTableSize !== undefined && headerTableSize < DEFAULT_TABLE_SIZE) this.frames.tableShrinks();
    if (initialWindowSize === undefined) return;
    const change = initialWindowSize - this.#initialWindow;
    this.#initialWindow = initialWindowSize;
    for (const stream of this.#streams.all()) {
      stream.window += change;
      if (stream.window > MAX_WINDOW) throw windowError();
      this.waits(stream);
    }
    this.#takeTurns();
  }

  ping(payload: Buffer): void {
    this.frames.pingAck(payload);
  }

  goAway(): void {
    this.#leave();
  }

  windowUpdate(id: number, increment: number): void {
    if (id === 0) {
      this.window += increment;
      if (this.window > MAX_WINDOW) throw windowError();
    } else {
      this.#expectBegun(id);
      const stream = this.#streams.get(id);
      if (!stream) return;
      stream.window += increment;
      if (stream.window > MAX_WINDOW) this.streamError(id, ErrorCode.FLOW_CONTROL_ERROR);
      else this.waits(stream);
    }
    this.#takeTurns();
  }

  streamError(id: number, code: number): void {
    this.#expectBegun(id);
    this.#countReset();
    const stream = this.#streams.get(id);
    if (stream) {
      stream.reset(code);
      return;
    }
    this.sendReset(id, code);
  }

  idleFrame(): void {
    // Clients of gRPC measure the connection: they send a PING for the DATA that they get, thousands in a second.
    if (this.frames.unasked > 0) this.frames.unasked--;
    else if (!this.#idleFrames.take())
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that ask for nothing");
  }

  /** A frame of a stream that the client has not begun. */
  #expectBegun(id: number): void {
    if (id > this.#lastStream || id % 2 === 0) throw protocolError("a frame of a stream that has not begun");
  }

  #countReset(): void {
    if (!this.#resets.take())
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many streams that are given up");
  }

  // For the streams.

  get isBusy(): boolean {
    return this.#queue.length > 0;
  }

  waits(stream: Http2Client): void {
    if (stream.isQueued || !stream.canSend) return;
    stream.isQueued = true;
    this.#queue.push(stream);
  }

  /** One frame of each stream in turn: a large response holds up no other. */
  #takeTurns(): void {
    const { output } = this.frames;
    if (!output.isCrowded && !this.#closed && this.#socket.isPaused()) this.#socket.resume();
    while (this.#queue.length > 0 && this.window > 0 && output.room > 0) {
      const stream = this.#queue.shift()!;
      stream.isQueued = false;
      stream.takeTurn();
      this.waits(stream);
    }
  }

  sendReset(id: number, code: number): void {
    this.frames.reset(id, code);
    this.#reset.push(id);
    if (this.#reset.length > MAX_RESET) this.#reset.shift();
  }

  consumed(size: number): void {
    this.#consumed += size;
    if (this.#consumed < CONNECTION_WINDOW / 2 || this.#closed) return;
    this.frames.windowUpdate(0, this.#consumed);
    this.#receiveWindow += this.#consumed;
    this.#consumed = 0;
  }

  closed(stream: Http2Client): void {
    this.#streams.delete(stream);
    if (this.#isLeaving) this.closeIfIdle();
  }

  // The end.

  /** The client begins no more streams, but may wait for what it has asked for. */
  #leave(): void {
    this.#isLeaving = true;
    this.closeIfIdle();
  }

  /** One that is gone looks the same, until something is sent to it. */
  #halfClose(): void {
    this.#leave();
    if (this.#closed) return;
    this.frames.ping();
    const timer = setInterval(() => this.frames.ping(), PROBE_MS);
    this.#socket.once("close", () => clearInterval(timer));
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.frames.goAway(this.#lastStream, code, reason);
    this.#end();
    const socket = this.#socket;
    const isError = code !== ErrorCode.NO_ERROR;
    if (isError || this.#isLeaving) {
      // What the client still sends is read and dropped: unread, the system would answer it with a reset, which overtakes what we have sent.
      socket.end();
      socket.resume();
    } else socket.destroySoon();
    if (isError) {
      const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
      socket.once("close", () => clearTimeout(timer));
    } else socket.setTimeout(CLOSE_TIMEOUT_MS, () => socket.destroy());
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    this.frames.output.end();
    for (const stream of this.#streams.all()) stream.gone();
  }
}
