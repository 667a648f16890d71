/** A request that came over HTTP/1, and its response. */
import type { Socket } from "node:net";
import { endToEnd, type Fields, http1Lines, isFieldValue } from "../http/fields.ts";
import { MalformedMessage } from "../http/protocol-errors.ts";
import type { RequestHeadLines } from "../http/request-parser.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Client, DownstreamResponse, RequestBodyReader } from "./client.ts";
import type { HalfClosedResponse } from "./half-closed.ts";
import { type SplicedPair, splice, type TunnelledTraffic } from "./splice.ts";

/** How each response begins. */
const VERSION = "HTTP/1.1 ";
const INTERIM_REASONS: Record<number, string> = { 100: "Continue", 102: "Processing", 103: "Early Hints" };

/** What a request sees of its connection. */
export interface Http1Carrier {
  readonly secure: boolean;
  /** Another request may follow. */
  keepAlive: boolean;
  /** The request has come as a whole. */
  readonly requestComplete: boolean;
  /** The header lines that tell whether the connection stays open. */
  readonly persistence: string;
  readBody(reader: RequestBodyReader): void;
  pause(): void;
  resume(): void;
  send(text: string): void;
  /** Sends the bytes between two texts. False when the caller should wait for the request's `onDrain`. */
  write(before: string, chunk: Buffer, behind: string, done: () => void): boolean;
  responseEnded(client: Http1Client): void;
  /** Gives the socket away, with what the client has sent already. */
  handOver(): { socket: Socket; early: Buffer | undefined };
  /** `reset`: so that what has been sent cannot be taken for complete. */
  destroy(reset: boolean): void;
}

export class Http1Client implements Client, HalfClosedResponse {
  readonly protocol: RequestHeadLines["protocol"];
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: Fields;
  readonly secure: boolean;
  readonly hasBody: boolean;
  readonly upgrade: string | undefined;
  onGone = () => {};
  onDrain = () => {};
  readonly #connection: Http1Carrier;
  /** Status line and header lines that are not sent yet. */
  #head = "";
  #chunked = false;
  #responded = false;
  #ended = false;
  /** How many characters of VERSION are sent ahead of the next head. */
  #ahead = 0;

  constructor(connection: Http1Carrier, head: RequestHeadLines, upgrade: string | undefined) {
    this.#connection = connection;
    this.protocol = head.protocol;
    this.method = head.method;
    this.fields = head.fields;
    const { authority, path } = splitAbsolute(head.target);
    this.host = authority ?? this.fields.get("host") ?? "";
    this.target = path;
    this.secure = connection.secure;
    const length = this.fields.get("content-length");
    this.hasBody = this.fields.has("transfer-encoding") || (length !== undefined && !/^0+$/.test(length));
    this.upgrade = upgrade;
  }

  /** The response is complete, as far as the proxy is concerned. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The response's head has been made. */
  get responded(): boolean {
    return this.#responded;
  }

  header(name: string): string | undefined {
    return this.fields.get(name);
  }

  read(body: RequestBodyReader): void {
    this.#connection.readBody(body);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  inform(status: number, headers: string[]): void {
    // HTTP/1.0 has no 1xx responses.
    if (this.protocol === "HTTP/1.0" || this.#responded) return;
    const reason = INTERIM_REASONS[status] ?? "";
    this.#send(this.#unsent(`${VERSION}${status} ${reason}\r\n${responseLines(headers, this.protocol)}\r\n`));
  }

  respond({ status, reason, headers, hasBody, length }: DownstreamResponse): void {
    const lines = responseLines(headers, this.protocol);
    let framing = "";
    if (hasBody && length === undefined) {
      this.#chunked = this.protocol === "HTTP/1.1";
      if (this.#chunked) framing = "Transfer-Encoding: chunked\r\n";
      else this.#connection.keepAlive = false;
    } else if (hasBody && length === 0 && !/^content-length:/im.test(lines))
      framing = "Content-Length: 0\r\n";
    // Where an upload is not read to its end, the next request could not be told from it.
    if (this.fields.has("expect") && !this.#connection.requestComplete) this.#connection.keepAlive = false;
    // A client that does not wait for the switch of protocols may have sent something else than the next request.
    if (this.upgrade !== undefined) this.#connection.keepAlive = false;
    this.#responded = true;
    this.#head = `${VERSION}${status} ${reason}\r\n${lines}${this.#connection.persistence}${framing}\r\n`;
  }

  flush(): void {
    this.#send(this.#takeHead());
  }

  write(chunk: Buffer, done: () => void): boolean {
    // An empty chunk would end a chunked body.
    if (chunk.length === 0) {
      done();
      return true;
    }
    if (!this.#chunked) return this.#connection.write(this.#takeHead(), chunk, "", done);
    return this.#connection.write(`${this.#takeHead()}${chunk.length.toString(16)}\r\n`, chunk, "\r\n", done);
  }

  end(trailers: string[]): void {
    if (this.#ended) return;
    const last = this.#chunked ? `0\r\n${responseLines(trailers, this.protocol)}\r\n` : "";
    this.#send(this.#takeHead() + last);
    this.#ended = true;
    this.#connection.responseEnded(this);
  }

  switch(
    { reason, fields }: ResponseHead,
    service: Socket,
    rest: Buffer,
    traffic: TunnelledTraffic | undefined,
  ): SplicedPair | undefined {
    const upgrade = this.upgrade ?? "";
    this.onGone = () => {};
    const lines = ["Connection", "Upgrade", "Upgrade", fields.get("upgrade") ?? upgrade, ...endToEnd(fields)];
    this.#send(this.#unsent(`${VERSION}101 ${reason}\r\n${responseLines(lines, this.protocol)}\r\n`));
    const { socket, early } = this.#connection.handOver();
    if (rest.length > 0) {
      traffic?.service(rest);
      socket.write(rest);
    }
    if (early) {
      traffic?.client(early);
      service.write(early);
    }
    return splice(socket, service, upgrade.toLowerCase() === "websocket", traffic);
  }

  break(): void {
    this.#ended = true;
    // Without length and chunks a closed connection means a complete response; a reset does not.
    this.#connection.destroy(this.protocol === "HTTP/1.0");
  }

  get hasNoPlace(): boolean {
    return this.#responded && !this.#chunked;
  }

  takeByte(): string {
    if (!this.#responded) {
      const byte = VERSION.charAt(this.#ahead);
      this.#ahead += byte.length;
      return byte;
    }
    if (!this.#chunked) return "";
    this.flush();
    // The size of the next chunk may have leading zeros.
    return "0";
  }

  #takeHead(): string {
    const head = this.#head;
    if (head === "") return "";
    this.#head = "";
    return this.#unsent(head);
  }

  #unsent(head: string): string {
    if (this.#ahead === 0) return head;
    const rest = head.slice(this.#ahead);
    this.#ahead = 0;
    return rest;
  }

  #send(text: string): void {
    if (text !== "") this.#connection.send(text);
  }
}

/** Name, value, name, value… as HTTP/1 writes them. Throws MalformedMessage for what it cannot say. */
function responseLines(headers: readonly string[], protocol: Client["protocol"]): string {
  for (let i = 1; i < headers.length; i += 2)
    if (!isFieldValue(headers[i]!))
      throw new MalformedMessage(`its header ${headers[i - 1]} has characters that HTTP/1.1 cannot carry`);
  return http1Lines(protocol === "HTTP/1.0" ? withoutTrailer(headers) : headers);
}

/** HTTP/1.0 has no trailers. */
function withoutTrailer(headers: readonly string[]): string[] {
  return headers.filter((_, i) => headers[i & ~1]!.toLowerCase() !== "trailer");
}

/** `GET http://host/path` as a proxy gets it: its host takes precedence over the `Host` header (RFC 9112, 3.2.2). */
function splitAbsolute(target: string): { authority: string | undefined; path: string } {
  const match = target.charCodeAt(0) === SLASH ? null : /^(?:https?|wss?):\/\/([^/?#]+)/i.exec(target);
  if (!match) return { authority: undefined, path: target };
  const path = target.slice(match[0].length);
  return { authority: match[1], path: path.startsWith("/") ? path : `/${path}` };
}

const SLASH = 47;
