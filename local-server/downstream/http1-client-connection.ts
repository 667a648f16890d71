/** One HTTP/1 connection of a client: its requests, one after the other. */
import type { Socket } from "node:net";
import { BodyParser } from "../http/body-parser.ts";
import { Fields } from "../http/fields.ts";
import { joined } from "../http/joined.ts";
import { MAX_HEADER_SIZE } from "../http/limits.ts";
import { MalformedMessage } from "../http/protocol-errors.ts";
import { parseTrailers, type RequestHeadLines, RequestHeadParser } from "../http/request-parser.ts";
import { writeLatin1 } from "../node-internals.ts";
import type { RequestBodyReader } from "./client.ts";
import { probeHalfClosed } from "./half-closed.ts";
import { type Http1Carrier, Http1Client } from "./http1-client.ts";

/** Bytes of later requests, or of a body that nobody reads yet, beyond which the client has to wait. */
const MAX_AHEAD = 65_536;
/** Smaller bodies are copied behind their heads: one write of two parts costs more. */
const COPIED = 8_192;
/** How long an idle connection stays open. */
const IDLE_MS = 65_000;

const DISCARD: RequestBodyReader = { data() {}, end() {} };

/** How a connection's requests are served and refused. */
export interface Http1Service {
  request(client: Http1Client, connection: Http1ClientConnection): void;
  /** The connection is closed, or not HTTP any more. */
  left(connection: Http1ClientConnection): void;
}

export class Http1ClientConnection implements Http1Carrier {
  readonly secure: boolean;
  keepAlive = true;
  readonly #socket: Socket;
  readonly #service: Http1Service;
  readonly #heads = new RequestHeadParser();
  readonly #body: BodyParser;
  #reader: RequestBodyReader | undefined;
  /** The request whose body or response is not complete. */
  #client: Http1Client | undefined;
  /** The last response that is complete, but not sent. */
  #unsent: Http1Client | undefined;
  /** Writes that are not done, or have failed. */
  #writing = 0;
  /** What is not parsed yet. */
  #bytes: Buffer | undefined;
  /** How many of these bytes are known not to be the end of a head. */
  #searched = 0;
  #advancing = false;
  /** The reader of the request's body wants no more for now. */
  #readerWaits = false;
  #paused = false;
  /** What still comes is dropped. */
  #ignoring = false;
  #halfClosed = false;
  /** No more requests are read: the client is to close the connection. */
  #closing = false;
  /** ms that it has waited for its client, as far as `tick` has seen. */
  #age = 0;

  readonly #written = (error?: Error | null) => {
    if (!error && --this.#writing === 0) this.#unsent = undefined;
  };

  readonly #listeners = {
    data: (chunk: Buffer) => this.#read(chunk),
    drain: () => {
      this.#client?.onDrain();
      this.#advance();
    },
    end: () => this.#clientEnded(),
    // 'close' follows.
    error: () => {},
    close: () => this.#closed(),
  };

  constructor(socket: Socket, service: Http1Service) {
    this.#socket = socket;
    this.#service = service;
    this.secure = "encrypted" in socket;
    const body = {
      data: (chunk: Buffer) => this.#reader!.data(chunk),
      end: (trailers: string[]) => this.#bodyEnded(trailers),
    };
    this.#body = new BodyParser(body, parseTrailers);
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
    socket.resume();
  }

  get requestComplete(): boolean {
    return this.#body.complete;
  }

  get isIdle(): boolean {
    return this.#client === undefined && this.#socket.writableLength === 0;
  }

  get persistence(): string {
    return this.keepAlive ? KEEP_ALIVE : "Connection: close\r\n";
  }

  send(text: string): void {
    if (this.#socket.destroyed) return;
    this.#writing++;
    this.#socket.write(text, "latin1", this.#written);
  }

  write(before: string, chunk: Buffer, behind: string, done: () => void): boolean {
    const socket = this.#socket;
    if (socket.destroyed) {
      done();
      return true;
    }
    this.#writing++;
    if (chunk.length <= COPIED) {
      const bytes = Buffer.allocUnsafe(before.length + chunk.length + behind.length);
      writeLatin1(bytes, before, 0);
      bytes.set(chunk, before.length);
      if (behind !== "") writeLatin1(bytes, behind, before.length + chunk.length);
      done();
      return socket.write(bytes, this.#written);
    }
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    let goesOn = socket.write(chunk, (error) => {
      done();
      this.#written(error);
    });
    if (behind !== "") goesOn = socket.write(behind, "latin1");
    socket.uncork();
    return goesOn;
  }

  /** Reads no more: where the next request would begin is doubtful. */
  stopReading(): void {
    this.keepAlive = false;
    this.#ignoring = true;
    this.#bytes = undefined;
    this.#body.cancel();
  }

  readBody(reader: RequestBodyReader): void {
    this.#reader = reader;
    this.#advance();
  }

  pause(): void {
    this.#readerWaits = true;
    this.#pauseOrResume();
  }

  resume(): void {
    this.#readerWaits = false;
    this.#pauseOrResume();
  }

  responseEnded(client: Http1Client): void {
    if (client !== this.#client) return;
    if (this.#writing > 0) this.#unsent = client;
    this.#age = 0;
    if (this.#body.complete) this.#next();
    else this.#reader ??= DISCARD;
    this.#advance();
  }

  handOver(): { socket: Socket; early: Buffer | undefined } {
    this.#client = undefined;
    this.#closing = true;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.off(event, listener);
    this.#service.left(this);
    const early = this.#bytes;
    this.#bytes = undefined;
    return { socket: this.#socket, early };
  }

  destroy(reset: boolean): void {
    if (reset && !this.secure) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Checks how long the client takes: for a body that is wanted, and to read responses, any time. To be called every `ms`. */
  tick(ms: number, headTimeout: number): void {
    if (this.#client?.ended === false || this.#socket.writableLength > 0) return;
    this.#age += ms;
    if (this.#closing) {
      if (this.#age > headTimeout) this.#socket.destroy();
    } else if (this.#client) {
      if (this.#age > IDLE_MS) this.#socket.destroy();
    } else if (this.#bytes) {
      if (this.#age > headTimeout) this.#refuse("408 Request Timeout", "its head took too long");
    } else if (this.#age > IDLE_MS) this.#close();
  }

  #read(chunk: Buffer): void {
    if (this.#closing || this.#ignoring) return;
    // Of the body of a request that has its response.
    if (this.#client) this.#age = 0;
    this.#bytes = this.#bytes ? joined(this.#bytes, chunk) : chunk;
    this.#advance();
  }

  /** Reads as far as it may. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#bytes && !this.#closing && this.#step());
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#refuse("400 Bad Request", error.message);
    } finally {
      this.#advancing = false;
    }
    if (this.#halfClosed && !this.#closing && !this.#isServing) this.#close();
    this.#pauseOrResume();
  }

  /** The next request waits: for the one before it, and until the client has read the responses so far. */
  get #isServing(): boolean {
    return this.#client !== undefined || this.#socket.writableNeedDrain;
  }

  #pauseOrResume(): void {
    if (this.#advancing) return;
    const ahead = this.#isServing && this.#bytes ? this.#bytes.length : 0;
    const pauses = !this.#closing && (this.#readerWaits || ahead > MAX_AHEAD);
    if (pauses === this.#paused) return;
    this.#paused = pauses;
    if (pauses) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Returns false when it has to wait. */
  #step(): boolean {
    if (!this.#body.complete) {
      if (!this.#reader) return false;
      const rest = this.#body.feed(this.#bytes!);
      this.#bytes = rest.length > 0 ? rest : undefined;
      return true;
    }
    return !this.#isServing && this.#readHead();
  }

  #readHead(): boolean {
    let bytes = this.#bytes!;
    // RFC 9112, 2.2: empty lines before a request are ignored.
    let start = 0;
    while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2;
    if (start > 0) bytes = bytes.subarray(start);
    const from = Math.max(0, this.#searched - 3);
    const end = bytes.indexOf("\r\n\r\n", from);
    if (end === -1 || end > MAX_HEADER_SIZE) {
      if (bytes.includes("\n\n", from)) throw new MalformedMessage("its lines end with LF alone");
      if (this.#searched === 0) this.#age = 0;
      this.#searched = bytes.length;
      this.#bytes = bytes.length > 0 ? bytes : undefined;
      if (bytes.length > MAX_HEADER_SIZE)
        this.#refuse("431 Request Header Fields Too Large", "its head has more than 128 KB");
      return false;
    }
    this.#searched = 0;
    this.#bytes = end + 4 < bytes.length ? bytes.subarray(end + 4) : undefined;
    this.#begin(this.#heads.parse(bytes.toString("latin1", 0, end)));
    return true;
  }

  #begin(head: RequestHeadLines): void {
    if (head.method === "CONNECT") {
      this.#refuse("405 Method Not Allowed", "CONNECT is not supported");
      return;
    }
    this.#reader = undefined;
    this.keepAlive = staysOpen(head);
    this.#startBody(head.fields);
    const upgrade = this.#body.complete ? upgradeOf(head) : undefined;
    if (upgrade === undefined && head.fields.has("upgrade")) head.fields = withoutUpgrade(head.fields);
    this.#client = new Http1Client(this, head, upgrade);
    if (this.#halfClosed) probeHalfClosed(this.#socket, this.#client);
    this.#service.request(this.#client, this);
  }

  /** RFC 9112, 6.3. */
  #startBody(fields: Fields): void {
    const length = fields.get("content-length");
    const chunked = fields.has("transfer-encoding");
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new MalformedMessage(`its Content-Length is ${JSON.stringify(length)}`);
    if (length !== undefined && chunked)
      throw new MalformedMessage("it has both Content-Length and Transfer-Encoding");
    if (chunked) this.#body.startChunked();
    else if (Number(length) > 0) this.#body.startCounted(Number(length));
  }

  #bodyEnded(trailers: string[]): void {
    this.#reader!.end(trailers);
    if (this.#client?.ended) this.#next();
  }

  #next(): void {
    this.#client = undefined;
    this.#age = 0;
    this.#readerWaits = false;
    if (!this.keepAlive) this.#close();
  }

  #clientEnded(): void {
    if (this.#client?.ended) {
      // What was to come of its body is not needed any more.
      this.#client = undefined;
      this.#close();
    } else if (!this.#body.complete || this.#client?.upgrade) this.#socket.destroy();
    // Otherwise it is closed when all is sent.
    else if (!this.#closing) {
      this.#halfClosed = true;
      if (this.#client) probeHalfClosed(this.#socket, this.#client);
      this.#advance();
    }
  }

  #closed(): void {
    this.#closing = true;
    this.#service.left(this);
    const client = this.#client?.ended === false ? this.#client : this.#unsent;
    this.#client = undefined;
    client?.onGone();
  }

  /** What is sent arrives before the connection is closed: a client that still sends would get a reset instead. */
  #close(): void {
    const reads = this.#ignoring || !this.#body.complete || this.#bytes !== undefined;
    this.#closing = true;
    this.#age = 0;
    this.#bytes = undefined;
    this.#pauseOrResume();
    if (reads) this.#socket.end();
    else this.#socket.destroySoon();
  }

  /** Responds to what is no request. */
  #refuse(status: string, reason: string): void {
    const client = this.#client;
    if (client?.responded) {
      this.#socket.destroy();
      return;
    }
    this.#client = undefined;
    client?.onGone();
    const text = `Linkup could not read this request: ${reason}.\n`;
    this.send(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
    this.#close();
  }
}

const KEEP_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${IDLE_MS / 1000}\r\n`;

/** RFC 9112, 9.3. */
function staysOpen({ protocol, fields }: RequestHeadLines): boolean {
  if (!fields.has("connection")) return protocol === "HTTP/1.1";
  const options = fields.list("connection");
  return !options.includes("close") && (protocol === "HTTP/1.1" || options.includes("keep-alive"));
}

/**
 * The protocol that the client may switch to. A server may ignore `Upgrade` (RFC 9110, 7.8): h2c would hide further requests
 * from this proxy.
 */
function upgradeOf({ protocol, fields }: RequestHeadLines): string | undefined {
  const upgrade = fields.get("upgrade");
  if (upgrade === undefined || protocol === "HTTP/1.0" || !fields.list("connection").includes("upgrade"))
    return undefined;
  return /(?:^|,)\s*(?:h2c|tls\/)/i.test(upgrade) ? undefined : upgrade;
}

function withoutUpgrade({ raw, names }: Fields): Fields {
  return new Fields(raw.filter((_, i) => !/^(?:upgrade|http2-settings)$/.test(names[i >> 1]!)));
}
