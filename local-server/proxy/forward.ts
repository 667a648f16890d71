/** Carries one request to its service and the answer back, both as streams. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { corsHeaders } from "../../core/forward.ts";
import type { Routed } from "../../core/route.ts";
import type { Served } from "../sessions.ts";
import type { Answer, Connection } from "../upstream/connection.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Asked, ResponseHead } from "../upstream/response-parser.ts";
import type { Client } from "./client.ts";
import { badGateway, type Failure } from "./failures.ts";
import { endToEnd, type Fields } from "./fields.ts";
import { type ForwardedRequest, requestHead } from "./request-head.ts";
import { responseHead } from "./response-head.ts";

/** Methods that a service may get twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Says that an answer comes from Linkup, and why. */
const ERROR_HEADER = "linkup-error";

/** An answer of the proxy itself. */
export function refuse(client: Client, { status, code, text }: Failure, extra: string[] = []): void {
  const body = Buffer.from(text);
  const headers = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Cache-Control",
    "no-store",
    "Content-Length",
    String(body.length),
    ERROR_HEADER,
    code,
    ...extra,
  ];
  const hasBody = client.method !== "HEAD";
  if (client.hasBody) client.read({ data() {}, end() {} });
  client.resume();
  client.respond({ status, reason: STATUS_CODES[status] ?? "", headers, hasBody, length: body.length });
  if (hasBody) client.write(body, () => {});
  client.end([]);
}

export function forward(client: Client, served: Served, decision: Routed, pool: Pool): void {
  new Forwarding(client, served, decision, pool).start(false);
}

class Forwarding implements Answer {
  readonly #client: Client;
  readonly #served: Served;
  readonly #decision: Routed;
  readonly #pool: Pool;
  readonly #request: ForwardedRequest;
  readonly #repeatable: boolean;
  readonly #asked: Asked;
  #connection: Connection | undefined;
  #giveUp = () => {};
  #responded = false;
  #headWaits = false;
  /** The answer's body goes nowhere: the client gets another one. */
  #discarding = false;
  #over = false;

  constructor(client: Client, served: Served, decision: Routed, pool: Pool) {
    this.#client = client;
    this.#served = served;
    this.#decision = decision;
    this.#pool = pool;
    this.#request = requestHead(client, served, decision);
    this.#asked = { method: client.method, upgrade: client.upgrade !== undefined };
    this.#repeatable = !client.hasBody && IDEMPOTENT.has(client.method);
    client.onGone = () => this.#abandon();
    client.onDrain = () => this.#connection?.resume();
  }

  start(fresh: boolean): void {
    const need = { repeatable: this.#repeatable, fresh };
    this.#giveUp = this.#pool.acquire(this.#request.origin, need, (error, connection) => {
      if (this.#over) return connection?.abort();
      if (!connection) return this.failed(error!, false);
      this.#connection = connection;
      connection.request(this.#request.head, this.#asked, this);
      if (this.#client.hasBody) this.#send(connection);
      else connection.finish();
    });
  }

  #send(connection: Connection): void {
    const { chunked } = this.#request;
    this.#client.read({
      data: (chunk) => {
        // Whoever has answered already is not sent the rest, but the client has to get rid of it.
        if (this.#connection !== connection) return;
        if (chunked) connection.write(`${chunk.length.toString(16)}\r\n`);
        let free = connection.write(chunk);
        if (chunked) free = connection.write("\r\n");
        if (!free) this.#client.pause();
      },
      end: (trailers) => {
        if (this.#connection !== connection) return;
        if (chunked) connection.write(`0\r\n${lines(trailers)}\r\n`);
        connection.finish();
      },
    });
  }

  drained(): void {
    this.#client.resume();
  }

  information(status: number, fields: Fields): void {
    this.#client.inform(status, endToEnd(fields));
  }

  head(response: ResponseHead): void {
    const forwarded = responseHead(this.#client, this.#served, this.#request, response);
    this.#discarding = response.hasBody && !forwarded.hasBody;
    try {
      this.#client.respond(forwarded);
    } catch (error) {
      // HTTP/2 has no way to say some of what HTTP/1.1 can.
      this.#connection?.abort();
      this.failed(error as Error, false);
      return;
    }
    this.#headWaits = true;
    this.#responded = true;
  }

  data(chunk: Buffer, done: () => void): void {
    this.#headWaits = false;
    if (this.#discarding) done();
    else if (!this.#client.write(chunk, done)) this.#connection?.pause();
  }

  /** A head goes together with the first piece of its body when that is there already, else without waiting for it. */
  caughtUp(): void {
    if (!this.#headWaits) return;
    this.#headWaits = false;
    this.#client.flush();
  }

  end(trailers: string[]): void {
    this.#over = true;
    this.#connection = undefined;
    this.#client.end(trailers);
    this.#client.resume();
  }

  switched(response: ResponseHead, socket: Socket, rest: Buffer): void {
    this.#over = true;
    this.#connection = undefined;
    this.#client.switch?.(response, socket, rest);
  }

  failed(error: Error, stale: boolean): void {
    this.#connection = undefined;
    if (stale && this.#repeatable) {
      this.start(true);
      return;
    }
    this.#over = true;
    if (this.#responded) this.#client.break();
    else this.#refuse(error);
  }

  /** A page of the session may read why its request failed. */
  #refuse(error: Error): void {
    const { name, session } = this.#served;
    const cors = corsHeaders(name, session, this.#client.method, this.#client).flat();
    refuse(this.#client, badGateway(this.#served, this.#decision, error), cors);
  }

  #abandon(): void {
    this.#over = true;
    this.#giveUp();
    this.#connection?.abort();
    this.#connection = undefined;
  }
}

function lines(raw: string[]): string {
  let text = "";
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return text;
}
