/** Carries one request to its service (or to the edge) and the answer back, both as streams. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { failureContent } from "../../core/routing/proxy-failure.ts";
import { corsHeaders } from "../../core/routing/proxy-headers.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { Exchange } from "../access-log/exchange.ts";
import type { Client, ForwardedHead } from "../downstream/client.ts";
import { badGateway, edgeUnreachable, type Failure } from "../http/failures.ts";
import { endToEnd, type Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../sessions.ts";
import type { Answer, Connection, SentRequest } from "../upstream/connection.ts";
import type { Pool } from "../upstream/pool.ts";
import { edgeRequest, requestHead } from "./request-head.ts";
import { asItCame, responseHead } from "./response-head.ts";

/** Methods that a service may get twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** An answer of the proxy itself. `error`: what happened to who should have answered. */
export function refuse(
  client: Client,
  failure: Failure,
  { extra = [], error }: { extra?: [string, string][]; error?: Error } = {},
): void {
  const { status } = failure;
  const answer = failureContent(failure, client.header("accept"));
  const body = Buffer.from(answer.body);
  const headers = [...Object.entries(answer.headers), ...extra].flat();
  headers.push("content-length", String(body.length));
  const hasBody = client.method !== "HEAD";
  if (client.hasBody) client.read({ data() {}, end() {} });
  client.resume();
  client.respond({ status, reason: STATUS_CODES[status] ?? "", headers, hasBody, length: body.length });
  if (hasBody) client.write(body, () => {});
  client.end([]);
  const { exchange } = client;
  if (!exchange) return;
  exchange.refused(failure, headers, error);
  if (hasBody) exchange.received(body);
  exchange.end();
}

export function forward(client: Client, served: Served, decision: Routed, pool: Pool): void {
  const { name, session } = served;
  const request = requestHead(client, served, decision);
  const passage: Passage = {
    request,
    answer: (response) => responseHead(client, served, request, response),
    refuse: (error) => {
      // A page of the session may read why its request failed.
      const extra = corsHeaders(name, session, client.method, client);
      refuse(client, badGateway(served, decision, error), { extra, error });
    },
  };
  new Forwarding(client, passage, pool).start(false);
}

/** Carries a request on to the host it is meant for; `pool` connects to the edge's hosts, on this port. */
export function passOn(client: Client, host: string, port: number, pool: Pool): void {
  const passage: Passage = {
    request: edgeRequest(client, `https://${host}:${port}`),
    answer: asItCame,
    refuse: (error) => refuse(client, edgeUnreachable(host, error), { error }),
  };
  new Forwarding(client, passage, pool).start(false);
}

/** What is said to either side. */
interface Passage {
  request: SentRequest;
  /** The head of the answer as the client gets it. */
  answer(response: ResponseHead): ForwardedHead;
  /** Answers in the place of who could not be reached. */
  refuse(error: Error): void;
}

class Forwarding implements Answer {
  readonly #client: Client;
  /** Undefined without a request log. */
  readonly #exchange: Exchange | undefined;
  readonly #passage: Passage;
  readonly #pool: Pool;
  readonly #repeatable: boolean;
  #connection: Connection | undefined;
  #giveUp = () => {};
  #repeated = false;
  #responded = false;
  #headWaits = false;
  /** What happens now is of the instant in which the head came. */
  #justAnswered = false;
  /** The answer's body goes nowhere: the client gets another one. */
  #discarding = false;
  #over = false;

  constructor(client: Client, passage: Passage, pool: Pool) {
    this.#client = client;
    this.#exchange = client.exchange;
    this.#passage = passage;
    this.#pool = pool;
    this.#repeatable = !client.hasBody && IDEMPOTENT.has(client.method);
    client.onGone = () => this.#abandon();
    client.onDrain = () => this.#connection?.resume();
  }

  start(fresh: boolean): void {
    const { request } = this.#passage;
    const need = { repeatable: this.#repeatable, fresh, upgrade: request.upgrade };
    if (fresh) this.#exchange?.repeated();
    let waited = false;
    this.#giveUp = this.#pool.acquire(request.origin, need, (error, connection) => {
      if (this.#over) return connection?.abort();
      if (waited) this.#exchange?.wasConnected();
      if (!connection) return this.failed(error!, false);
      this.#connection = connection;
      connection.request(request, this);
      if (this.#client.hasBody) this.#send(connection);
      else connection.finish([]);
    });
    waited = true;
  }

  #send(connection: Connection): void {
    this.#client.read({
      data: (chunk) => {
        // Whoever has answered already is not sent the rest, but the client has to get rid of it.
        if (this.#connection !== connection) return;
        this.#exchange?.sent(chunk);
        if (!connection.write(chunk)) this.#client.pause();
      },
      end: (trailers) => {
        if (this.#connection === connection) connection.finish(trailers);
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
    const forwarded = this.#passage.answer(response);
    this.#exchange?.respond(forwarded.status, response);
    this.#justAnswered = true;
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
    if (this.#discarding) {
      done();
      return;
    }
    this.#exchange?.received(chunk);
    if (!this.#client.write(chunk, done)) this.#connection?.pause();
  }

  /** A head goes together with the first piece of its body when that is there already, else without waiting for it. */
  caughtUp(): void {
    this.#justAnswered = false;
    if (!this.#headWaits) return;
    this.#headWaits = false;
    this.#client.flush();
  }

  end(trailers: string[]): void {
    this.#over = true;
    this.#connection = undefined;
    this.#client.end(trailers);
    this.#client.resume();
    this.#exchange?.end(this.#justAnswered);
  }

  switched(response: ResponseHead, socket: Socket, rest: Buffer): void {
    this.#over = true;
    this.#connection = undefined;
    socket.once("close", () => this.#exchange?.end());
    this.#client.switch?.(response, socket, rest, this.#exchange?.switch(response));
  }

  failed(error: Error, stale: boolean): void {
    this.#connection = undefined;
    if (stale && this.#repeatable && !this.#repeated) {
      this.#repeated = true;
      this.start(true);
      return;
    }
    this.#over = true;
    if (!this.#responded) {
      this.#passage.refuse(error);
      return;
    }
    this.#client.break();
    this.#exchange?.broken("service", error.message);
    this.#exchange?.end();
  }

  #abandon(): void {
    this.#over = true;
    this.#giveUp();
    this.#connection?.abort();
    this.#connection = undefined;
    this.#exchange?.broken("client", "it went away before its answer was complete");
    this.#exchange?.end();
  }
}
