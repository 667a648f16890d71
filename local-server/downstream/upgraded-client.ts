/** A request over HTTP/1.1 that asks to switch protocols, such as to WebSocket. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endToEnd, http1Lines } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import { releaseSocket, responseOn } from "../node-internals.ts";
import { Http1Client } from "./http1-client.ts";
import { type SplicedPair, splice, type TunnelledTraffic } from "./splice.ts";

/** Bytes buffered from a client that does not wait for the switch of protocols. */
const MAX_EARLY = 65_536;

export class UpgradedClient extends Http1Client {
  readonly upgrade: string;
  readonly #socket: Duplex;
  readonly #response: ServerResponse;
  /** Bytes that the client sent behind its request's head. */
  readonly #early: Buffer[] = [];
  readonly #collect: (chunk: Buffer) => void;

  constructor(request: IncomingMessage, socket: Duplex, early: Buffer) {
    const response = responseOn(request, socket);
    response.shouldKeepAlive = false;
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
    // A client's disconnection is noticed only while its socket is being read.
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
    traffic: TunnelledTraffic | undefined,
  ): SplicedPair | undefined {
    const socket = this.#socket;
    this.onGone = () => {};
    releaseSocket(this.#response, socket);
    socket.off("data", this.#collect);
    socket.off("end", this.#leave);
    socket.off("error", this.#leave);
    const upgrade = ["Connection", "Upgrade", "Upgrade", fields.get("upgrade") ?? this.upgrade];
    const lines = http1Lines([...upgrade, ...endToEnd(fields)]);
    socket.write(`HTTP/1.1 101 ${reason}\r\n${lines}\r\n`, "latin1");
    if (rest.length > 0) {
      traffic?.service(rest);
      socket.write(rest);
    }
    for (const chunk of this.#early) {
      traffic?.client(chunk);
      service.write(chunk);
    }
    return splice(socket, service, this.upgrade.toLowerCase() === "websocket", traffic);
  }
}
