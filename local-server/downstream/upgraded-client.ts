/** A request over HTTP/1.1 that asks to switch protocols, such as to WebSocket. */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endToEnd } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import { Http1Client } from "./http1-client.ts";
import { splice, type Traffic } from "./splice.ts";

/** What a client may send before it knows that the protocol was switched. */
const MAX_EARLY = 65_536;

export class UpgradedClient extends Http1Client {
  readonly upgrade: string;
  readonly #socket: Duplex;
  readonly #response: ServerResponse;
  /** What the client sent behind its request's head. */
  readonly #early: Buffer[] = [];
  readonly #collect: (chunk: Buffer) => void;

  constructor(request: IncomingMessage, socket: Duplex, early: Buffer) {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    super(request, response);
    this.upgrade = this.fields.get("upgrade") ?? "";
    this.#socket = socket;
    this.#response = response;
    let size = 0;
    this.#collect = (chunk) => {
      this.#early.push(chunk);
      size += chunk.length;
      if (size > MAX_EARLY) socket.pause();
    };
    if (early.length > 0) this.#collect(early);
    // Reading on is how the end of the client is noticed while the service thinks.
    socket.on("data", this.#collect);
    socket.on("end", this.#leave);
    socket.on("error", this.#leave);
    response.on("finish", () => socket.end());
  }

  readonly #leave = () => this.#socket.destroy();

  switch(
    { reason, fields }: ResponseHead,
    service: Socket,
    rest: Buffer,
    traffic: Traffic | undefined,
  ): void {
    const socket = this.#socket;
    this.onGone = () => {};
    this.#response.detachSocket(socket as Socket);
    socket.off("data", this.#collect);
    socket.off("end", this.#leave);
    socket.off("error", this.#leave);
    const headers = endToEnd(fields);
    let head = `HTTP/1.1 101 ${reason}\r\nConnection: Upgrade\r\nUpgrade: ${fields.get("upgrade") ?? this.upgrade}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.write(`${head}\r\n`, "latin1");
    if (rest.length > 0) {
      traffic?.service(rest);
      socket.write(rest);
    }
    for (const chunk of this.#early) {
      traffic?.client(chunk);
      service.write(chunk);
    }
    splice(socket, service, traffic);
  }
}
