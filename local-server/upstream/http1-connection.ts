/** One HTTP/1.1 connection to a service, for one request at a time. */
import type { Socket } from "node:net";
import { MalformedResponse, type ResponseHead, ResponseParser } from "../http/response-parser.ts";
import type { Answer, Connection, SentRequest } from "./connection.ts";
import { ServiceSocket } from "./service-socket.ts";

export class Http1Connection implements Connection {
  readonly #socket: Socket;
  readonly #onFree: (connection: Http1Connection) => void;
  readonly #parser: ResponseParser;
  #answer: Answer | undefined;
  /** The body that is being sent has no known length. */
  #chunked = false;
  #requested = false;
  #responded = false;
  #requests = 0;
  /** What is being read just now. */
  #bytes: Bytes | undefined;
  /** Milliseconds that the service said it keeps an idle connection (`Keep-Alive: timeout=N`). */
  keepAlive: number | undefined;

  /** `onFree` is called each time the connection can be used again. */
  constructor(socket: Socket, onFree: (connection: Http1Connection) => void) {
    this.#socket = socket;
    this.#onFree = onFree;
    const listeners = {
      data: (chunk: Buffer) => this.#read(chunk, () => {}),
      drain: () => this.#answer?.drained(),
      end: () => {
        this.#parser.finish();
        if (!this.#parser.switched) socket.destroy();
      },
      error: (error: Error) => this.#fail(error),
      close: () => this.#fail(new Error("it closed the connection before its answer was complete")),
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    if (socket instanceof ServiceSocket) socket.takeBytes = (bytes, release) => this.#read(bytes, release);
    this.#parser = new ResponseParser({
      information: (status, fields) => this.#answer?.information(status, fields),
      head: (head) => {
        this.keepAlive = keepAliveHint(head);
        this.#answer?.head(head);
      },
      data: (chunk) => {
        if (!this.#answer) return;
        const bytes = this.#bytes!;
        bytes.holders++;
        this.#answer.data(chunk, () => letGo(bytes));
      },
      end: (trailers) => {
        this.#responded = true;
        this.#answer?.end(trailers);
        this.#settle();
      },
      switched: (head, rest) => {
        for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
        if (socket instanceof ServiceSocket) socket.takeBytes = undefined;
        const answer = this.#answer;
        this.#answer = undefined;
        answer?.switched(head, socket, Buffer.from(rest));
      },
    });
  }

  get alive(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  request({ method, head, upgrade, body }: SentRequest, answer: Answer): void {
    this.#answer = answer;
    this.#chunked = body === "chunked";
    this.#requested = false;
    this.#responded = false;
    this.#requests++;
    this.#parser.start({ method, upgrade });
    this.#socket.write(head, "latin1");
  }

  write(chunk: Buffer): boolean {
    if (!this.#chunked) return this.#socket.write(chunk);
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(chunk);
    return this.#socket.write("\r\n", "latin1");
  }

  finish(trailers: string[]): void {
    if (this.#chunked) this.#socket.write(`0\r\n${lines(trailers)}\r\n`, "latin1");
    this.#requested = true;
    if (this.#responded) this.#settle();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The service learns it by the end of the connection. */
  abort(): void {
    this.#answer = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer, release: () => void): void {
    const bytes: Bytes = { holders: 1, release };
    this.#bytes = bytes;
    try {
      this.#parser.feed(chunk);
      this.#answer?.caughtUp();
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      this.#fail(error);
    } finally {
      letGo(bytes);
    }
    // Bytes behind a complete response: the next one could not be told from them.
    if (this.#answer === undefined && !this.#parser.reusable && !this.#parser.switched)
      this.#socket.destroy();
  }

  /** Free again when both the request and the answer are complete; a half-sent request cannot be followed by another. */
  #settle(): void {
    if (this.#answer === undefined) return;
    this.#answer = undefined;
    this.#socket.resume();
    if (this.#requested && this.#parser.reusable && this.alive) this.#onFree(this);
    else this.#socket.destroy();
  }

  #fail(error: Error): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#socket.destroy();
    answer?.failed(error, this.#requests > 1 && !this.#parser.sawBytes);
  }
}

/** Read bytes, and how many still look at them. */
interface Bytes {
  holders: number;
  release: () => void;
}

function letGo(bytes: Bytes): void {
  if (--bytes.holders === 0) bytes.release();
}

function keepAliveHint({ fields }: ResponseHead): number | undefined {
  const match = /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(fields.get("keep-alive") ?? "");
  return match ? Number(match[1]) * 1000 : undefined;
}

function lines(raw: string[]): string {
  let text = "";
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return text;
}
