/** A client of HTTP/2 that sends what a test says, frame by frame, and notes what it gets. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Flag, FrameType, PREFACE } from "../../../local-server/http2/frames.ts";
import { HpackDecoder } from "../../../local-server/http2/hpack-decoder.ts";
import { block, frame, type ReceivedFrame, readFrames, settings } from "../../support/http2-frames.ts";

/** Only what hangs takes so long, on a busy machine too. */
const LIMIT_MS = 60_000;

export class FrameClient {
  readonly socket: Socket;
  readonly frames: ReceivedFrame[] = [];
  closed = false;
  readonly #decoder = new HpackDecoder();
  readonly #authority: string;
  #pending: Buffer = Buffer.alloc(0);

  static async connect(
    port: number,
    { authority = "example.com", first = settings() }: { authority?: string; first?: Buffer } = {},
  ): Promise<FrameClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    const client = new FrameClient(socket, authority);
    client.send(PREFACE, first);
    return client;
  }

  private constructor(socket: Socket, authority: string) {
    this.socket = socket;
    this.#authority = authority;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
    socket.on("end", () => {
      this.closed = true;
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** A request's head, of `name: value` beside the pseudo-headers. */
  head(stream: number, { lines = [], method = "GET" }: { lines?: string[]; method?: string } = {}): Buffer {
    const ends = method === "GET";
    const pseudo = [`:method: ${method}`, ":scheme: http", `:authority: ${this.#authority}`, ":path: /"];
    const flags = Flag.END_HEADERS | (ends ? Flag.END_STREAM : 0);
    return frame(FrameType.HEADERS, flags, stream, block([...pseudo, ...lines]));
  }

  /** The first frame of this kind that has come or comes. */
  async next(type: number, stream = 0): Promise<ReceivedFrame> {
    const find = () => this.frames.find((each) => each.type === type && each.stream === stream);
    await this.until(() => find() !== undefined || this.closed, `a frame ${type} of stream ${stream}`);
    const found = find();
    if (!found) throw new Error(`The connection was closed before a frame ${type} of stream ${stream} came.`);
    return found;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    while (!condition()) {
      if (performance.now() > deadline)
        throw new Error(`${what} did not come: ${this.summary().slice(-50).join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** When all that was sent before has been read. */
  async settled(): Promise<void> {
    const before = this.#pings();
    this.send(frame(FrameType.PING, 0, 0, "settled?"));
    await this.until(() => this.#pings() > before || this.closed, "an answer to PING");
  }

  /** The code of the GOAWAY that ends the connection. */
  async goAway(): Promise<number> {
    const { payload } = await this.next(FrameType.GOAWAY);
    await this.until(() => this.closed, "the end of the connection");
    return payload.readUInt32BE(4);
  }

  async reset(stream: number): Promise<number> {
    return (await this.next(FrameType.RST_STREAM, stream)).payload.readUInt32BE(0);
  }

  /** The bytes of a stream's DATA so far. */
  body(stream: number): Buffer {
    return Buffer.concat(this.#of(stream, FrameType.DATA).map(({ payload }) => payload));
  }

  /** True when the stream has ended well. */
  ended(stream: number): boolean {
    return this.frames.some(
      ({ type, flags, stream: its }) =>
        its === stream &&
        (type === FrameType.DATA || type === FrameType.HEADERS) &&
        (flags & Flag.END_STREAM) !== 0,
    );
  }

  /** The header sections of a stream, each as `name: value`. In the order in which all of the connection came. */
  heads(stream: number): string[][] {
    return this.#of(stream, FrameType.HEADERS).map(({ payload }) => {
      const lines: string[] = [];
      this.#decoder.decode(payload, { add: ({ name, value }) => lines.push(`${name}: ${value}`) });
      return lines;
    });
  }

  /** Each frame in a few letters. */
  summary(): string[] {
    return this.frames.map(
      ({ type, flags, stream, payload }) => `${type}:${flags} of ${stream}, ${payload.length}`,
    );
  }

  #of(stream: number, type: number): ReceivedFrame[] {
    return this.frames.filter((each) => each.stream === stream && each.type === type);
  }

  #pings(): number {
    return this.#of(0, FrameType.PING).length;
  }

  #read(chunk: Buffer): void {
    this.#pending = readFrames(Buffer.concat([this.#pending, chunk]), (frame) => this.frames.push(frame));
  }
}
