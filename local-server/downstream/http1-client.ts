/** A request that came over HTTP/1.1. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange } from "../access-log/exchange.ts";
import type { Protocol } from "../access-log/facts.ts";
import { type Fields, fieldsOf } from "../http/fields.ts";
import type { Client, ForwardedHead, RequestBody } from "./client.ts";

export class Http1Client implements Client {
  readonly protocol: Protocol;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: Fields;
  readonly secure: boolean;
  readonly hasBody: boolean;
  exchange: Exchange | undefined;
  onGone = () => {};
  onDrain = () => {};
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.protocol = request.httpVersionMinor < 1 ? "HTTP/1.0" : "HTTP/1.1";
    this.method = request.method ?? "GET";
    this.fields = fieldsOf(request.rawHeaders);
    const { authority, path } = splitAbsolute(request.url ?? "/");
    this.host = authority ?? this.fields.get("host") ?? "";
    this.target = path;
    this.secure = "encrypted" in request.socket;
    const length = this.fields.get("content-length");
    this.hasBody = this.fields.has("transfer-encoding") || (length !== undefined && length !== "0");
    // What the service does not say is not ours to add.
    response.sendDate = false;
    response.on("drain", () => this.onDrain());
    const gone = () => {
      if (!this.#ended || !response.writableFinished) this.onGone();
    };
    response.on("close", gone);
    // Behind another one on a pipelining connection an answer has no socket yet whose end it could see.
    if (!response.socket) {
      request.socket.once("close", gone);
      response.once("close", () => request.socket.off("close", gone));
    }
  }

  header(name: string): string | undefined {
    return this.fields.get(name);
  }

  read(body: RequestBody): void {
    const request = this.#request;
    request.on("data", (chunk: Buffer) => body.data(chunk));
    request.on("end", () => body.end(request.rawTrailers));
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  inform(status: number, headers: string[]): void {
    // HTTP/1.0 knows no such answers.
    if (this.#request.httpVersionMinor < 1) return;
    if (status === 100) {
      this.#response.writeContinue();
      return;
    }
    let text = `HTTP/1.1 ${status} ${status === 103 ? "Early Hints" : "Processing"}\r\n`;
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
    this.#response.socket?.write(`${text}\r\n`, "latin1");
  }

  respond({ status, reason, headers }: ForwardedHead): void {
    const response = this.#response;
    // An upload that nobody reads to its end leaves nothing to tell the next request from.
    if (!this.#request.complete && this.fields.has("expect")) headers.push("Connection", "close");
    if (this.#request.httpVersionMinor < 1) headers = withoutTrailer(headers);
    response.writeHead(status, reason, headers);
  }

  flush(): void {
    this.#response.flushHeaders();
  }

  write(chunk: Buffer, done: () => void): boolean {
    return this.#response.write(chunk, done);
  }

  end(trailers: string[]): void {
    this.#ended = true;
    if (trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    this.#response.end();
  }

  break(): void {
    this.#ended = true;
    const { socket } = this.#response;
    // Without a length and without chunks the end of the connection is the end of the answer: only a reset is none.
    if (this.#request.httpVersionMinor < 1 && socket && !("encrypted" in socket)) socket.resetAndDestroy();
    else this.#response.destroy();
  }
}

/** `GET http://host/path` as a proxy gets it: RFC 9112, 3.2.2 lets its host win over the `Host` header. */
function splitAbsolute(target: string): { authority: string | undefined; path: string } {
  const match = /^https?:\/\/([^/?#]+)/i.exec(target);
  if (!match) return { authority: undefined, path: target };
  const path = target.slice(match[0].length);
  return { authority: match[1], path: path.startsWith("/") ? path : `/${path}` };
}

/** Node refuses to announce trailers in an answer that cannot have any. */
function withoutTrailer(headers: string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() !== "trailer") kept.push(headers[i]!, headers[i + 1]!);
  return kept;
}

function pairs(raw: string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i]!, raw[i + 1]!]);
  return list;
}
