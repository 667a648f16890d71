/** Takes a client's bytes apart into frames (RFC 9113, 4 and 6), and checks of each what can be told without the state of its stream. */
import { ConnectionError } from "./errors.ts";
import {
  ErrorCode,
  Flag,
  FRAME_HEADER,
  FRAME_SIZE,
  FrameType,
  MAX_WINDOW,
  PREFACE,
  Setting,
} from "./frames.ts";

/** Bytes of a header block. Twice the limit of a header list: what is beyond that limit by less gets an answer. */
const MAX_BLOCK = 262_144;
/** Frames behind the first one of a header block. */
const MAX_CONTINUATIONS = MAX_BLOCK / FRAME_SIZE;

export interface FrameHandler {
  /** `size` includes the padding. */
  data(stream: number, ends: boolean, bytes: Buffer, size: number): void;
  /** A whole header block, whose stream is of a client and not 0. */
  headers(stream: number, ends: boolean, block: Buffer): void;
  reset(stream: number): void;
  settings(settings: ClientSettings): void;
  ping(payload: Buffer): void;
  goAway(): void;
  /** Stream 0: of the connection. */
  windowUpdate(stream: number, increment: number): void;
  /** An error of this stream alone. */
  streamError(stream: number, code: number): void;
  /** A frame that asks for nothing, or for an answer of the same size: to be counted. */
  idleFrame(): void;
}

/** Of a client's settings, what matters here: we send no frames of more than the least that it must take. */
export interface ClientSettings {
  headerTableSize?: number;
  initialWindowSize?: number;
}

/** A header block whose end has not come yet. */
interface OpenBlock {
  stream: number;
  ends: boolean;
  parts: Buffer[];
  size: number;
}

export class FrameReader {
  readonly #handler: FrameHandler;
  /** The beginning of a frame whose end has not come yet. */
  #pending: Buffer | undefined;
  #sawPreface = false;
  #sawSettings = false;
  #block: OpenBlock | undefined;
  #stopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Reads no further. */
  stop(): void {
    this.#stopped = true;
    this.#pending = undefined;
    this.#block = undefined;
  }

  /** Throws ConnectionError, after which it must be stopped. */
  feed(chunk: Buffer): void {
    if (this.#stopped) return;
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    this.#pending = undefined;
    let at = 0;
    if (!this.#sawPreface) {
      const length = Math.min(bytes.length, PREFACE.length);
      if (PREFACE.compare(bytes, 0, length, 0, length) !== 0) throw protocolError("no preface of HTTP/2");
      if (length === PREFACE.length) {
        this.#sawPreface = true;
        at = length;
      }
    }
    while (this.#sawPreface && !this.#stopped && bytes.length - at >= FRAME_HEADER) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      if (length > FRAME_SIZE) throw sizeError("a frame beyond the limit");
      const start = at + FRAME_HEADER;
      const end = start + length;
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      this.#frame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(start, end));
      at = end;
    }
    if (at < bytes.length && !this.#stopped) this.#pending = bytes.subarray(at);
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#block && (type !== FrameType.CONTINUATION || stream !== this.#block.stream))
      throw protocolError("a frame within a header block");
    if (!this.#sawSettings) {
      if (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)
        throw protocolError("no settings at first");
      this.#sawSettings = true;
    }
    switch (type) {
      case FrameType.DATA:
        this.#data(flags, stream, payload);
        break;
      case FrameType.HEADERS:
        this.#headers(flags, stream, payload);
        break;
      case FrameType.PRIORITY:
        this.#priority(stream, payload);
        break;
      case FrameType.RST_STREAM:
        expectStream(stream);
        expectSize(payload, 4);
        this.#handler.reset(stream);
        break;
      case FrameType.SETTINGS:
        this.#settings(flags, stream, payload);
        break;
      case FrameType.PUSH_PROMISE:
        throw protocolError("a promise of a client");
      case FrameType.PING:
        expectConnection(stream);
        expectSize(payload, 8);
        this.#handler.idleFrame();
        if ((flags & Flag.ACK) === 0) this.#handler.ping(payload);
        break;
      case FrameType.GOAWAY:
        expectConnection(stream);
        if (payload.length < 8) throw sizeError("a GOAWAY without its error");
        this.#handler.idleFrame();
        this.#handler.goAway();
        break;
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(stream, payload);
        break;
      case FrameType.CONTINUATION:
        this.#continuation(flags, payload);
        break;
      default:
        // Of an extension: to be ignored.
        this.#handler.idleFrame();
    }
  }

  #data(flags: number, stream: number, payload: Buffer): void {
    expectStream(stream);
    const bytes = unpadded(flags, payload, 0);
    const ends = (flags & Flag.END_STREAM) !== 0;
    if (bytes.length === 0 && !ends) this.#handler.idleFrame();
    this.#handler.data(stream, ends, bytes, payload.length);
  }

  #headers(flags: number, stream: number, payload: Buffer): void {
    expectStream(stream);
    const hasPriority = (flags & Flag.PRIORITY) !== 0;
    let block = unpadded(flags, payload, hasPriority ? 5 : 0);
    if (hasPriority) {
      if ((block.readUInt32BE(0) & MAX_WINDOW) === stream)
        throw protocolError("a stream that depends on itself");
      block = block.subarray(5);
    }
    const ends = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) this.#handler.headers(stream, ends, block);
    else this.#block = { stream, ends, parts: [block], size: block.length };
  }

  #continuation(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (!block) throw protocolError("a continuation of nothing");
    block.parts.push(payload);
    block.size += payload.length;
    if (block.parts.length > 1 + MAX_CONTINUATIONS || block.size > MAX_BLOCK)
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "a header block beyond the limit");
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#handler.headers(block.stream, block.ends, Buffer.concat(block.parts));
  }

  /** Says nothing any more (RFC 9113, 5.3.2). */
  #priority(stream: number, payload: Buffer): void {
    expectStream(stream);
    this.#handler.idleFrame();
    if (payload.length !== 5) this.#handler.streamError(stream, ErrorCode.FRAME_SIZE_ERROR);
    else if ((payload.readUInt32BE(0) & MAX_WINDOW) === stream)
      this.#handler.streamError(stream, ErrorCode.PROTOCOL_ERROR);
  }

  #settings(flags: number, stream: number, payload: Buffer): void {
    expectConnection(stream);
    this.#handler.idleFrame();
    if ((flags & Flag.ACK) !== 0) {
      if (payload.length > 0) throw sizeError("an acknowledgement of settings with a payload");
      return;
    }
    if (payload.length % 6 !== 0) throw sizeError("settings of another size");
    const settings: ClientSettings = {};
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case Setting.HEADER_TABLE_SIZE:
          settings.headerTableSize = Math.min(value, settings.headerTableSize ?? value);
          break;
        case Setting.ENABLE_PUSH:
          if (value > 1) throw protocolError("a switch that is neither on nor off");
          break;
        case Setting.INITIAL_WINDOW_SIZE:
          if (value > MAX_WINDOW) throw windowError();
          settings.initialWindowSize = value;
          break;
        case Setting.MAX_FRAME_SIZE:
          if (value < FRAME_SIZE || value > 0xff_ffff) throw protocolError("a frame size beyond the limits");
      }
    }
    this.#handler.settings(settings);
  }

  #windowUpdate(stream: number, payload: Buffer): void {
    expectSize(payload, 4);
    const increment = payload.readUInt32BE(0) & MAX_WINDOW;
    if (increment > 0) this.#handler.windowUpdate(stream, increment);
    else if (stream === 0) throw protocolError("a window that does not grow");
    else this.#handler.streamError(stream, ErrorCode.PROTOCOL_ERROR);
  }
}

/** The payload without its padding. `least`: bytes that it must have. */
function unpadded(flags: number, payload: Buffer, least: number): Buffer {
  if ((flags & Flag.PADDED) === 0) {
    if (payload.length < least) throw sizeError("a frame that ends too soon");
    return payload;
  }
  if (payload.length === 0) throw sizeError("a frame that ends too soon");
  const end = payload.length - payload[0]!;
  if (end < 1 + least) throw protocolError("more padding than payload");
  return payload.subarray(1, end);
}

function expectStream(stream: number): void {
  if (stream === 0) throw protocolError("a frame without its stream");
}

function expectConnection(stream: number): void {
  if (stream !== 0) throw protocolError("a frame of the connection in a stream");
}

function expectSize(payload: Buffer, size: number): void {
  if (payload.length !== size) throw sizeError("a frame of another size");
}

export function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}

export function windowError(): ConnectionError {
  return new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond the limit");
}

function sizeError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, message);
}
