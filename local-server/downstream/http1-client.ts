/** A request that came over HTTP/1. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Fields, FieldsCache, http1Lines } from "../http/fields.ts";
import { lengthBehindDisposition, shortenHead } from "../node-internals.ts";
import type { Client, DownstreamResponse, RequestBodyReader } from "./client.ts";
import { takeAhead } from "./half-closed.ts";

const INTERIM_REASONS: Record<number, string> = { 100: "Continue", 102: "Processing", 103: "Early Hints" };

/** Where a connection keeps its intern table. */
const FIELDS_CACHE = Symbol("fields cache");

export class Http1Client implements Client {
  readonly protocol: Client["protocol"];
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: Fields;
  readonly secure: boolean;
  readonly hasBody: boolean;
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
    this.fields = fieldsCache(request.socket).intern(request.rawHeaders);
    const { authority, path } = splitAbsolute(request.url ?? "/");
    this.host = authority ?? this.fields.get("host") ?? "";
    this.target = path;
    this.secure = "encrypted" in request.socket;
    const length = this.fields.get("content-length");
    this.hasBody = this.fields.has("transfer-encoding") || (length !== undefined && length !== "0");
    // A transparent proxy adds no Date of its own.
    response.sendDate = false;
    response.on("drain", () => this.onDrain());
    const gone = () => {
      if (!this.#ended || !response.writableFinished) this.onGone();
    };
    response.on("close", gone);
    // A pipelined request's response has no socket yet whose end it could notice.
    if (!response.socket) {
      request.socket.once("close", gone);
      response.once("close", () => request.socket.off("close", gone));
    }
  }

  header(name: string): string | undefined {
    return this.fields.get(name);
  }

  read(body: RequestBodyReader): void {
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
    // HTTP/1.0 has no 1xx responses.
    if (this.#request.httpVersionMinor < 1) return;
    const ahead = takeAhead(this.#response);
    if (status === 100 && ahead === 0) {
      this.#response.writeContinue();
      return;
    }
    const reason = INTERIM_REASONS[status] ?? "";
    const head = `HTTP/1.1 ${status} ${reason}\r\n${http1Lines(headers)}\r\n`;
    this.#response.socket?.write(head.slice(ahead), "latin1");
  }

  respond({ status, reason, headers }: DownstreamResponse): void {
    const response = this.#response;
    // Where an upload is not read to its end, the next request could not be told from it.
    if (!this.#request.complete && this.fields.has("expect")) headers.push("Connection", "close");
    if (this.#request.httpVersionMinor < 1) headers = withoutTrailer(headers);
    response.writeHead(status, reason, lengthBehindDisposition(headers));
    const ahead = takeAhead(response);
    if (ahead > 0) shortenHead(response, ahead);
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
    // Without length and chunks a closed connection means a complete response; a reset does not.
    if (this.#request.httpVersionMinor < 1 && socket && !("encrypted" in socket)) socket.resetAndDestroy();
    else this.#response.destroy();
  }
}

function fieldsCache(socket: object & { [FIELDS_CACHE]?: FieldsCache }): FieldsCache {
  socket[FIELDS_CACHE] ??= new FieldsCache();
  return socket[FIELDS_CACHE];
}

/** `GET http://host/path` as a proxy gets it, `ws:` for a WebSocket: its host takes precedence over the `Host` header (RFC 9112, 3.2.2). */
function splitAbsolute(target: string): { authority: string | undefined; path: string } {
  const match = /^(?:https?|wss?):\/\/([^/?#]+)/i.exec(target);
  if (!match) return { authority: undefined, path: target };
  const path = target.slice(match[0].length);
  return { authority: match[1], path: path.startsWith("/") ? path : `/${path}` };
}

/** Node refuses to announce trailers in a response that cannot have any. */
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
