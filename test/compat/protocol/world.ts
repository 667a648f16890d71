/** An implementation of the contract at some address, and services on this machine for it to reach. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { type Echo, type EchoedRequest, startEcho } from "./echo.ts";

export type SentHeaders = Record<string, string | string[]>;

export interface ProtocolResponse {
  status: number;
  /** The first line of each, by lower-case name. */
  headers: Record<string, string | undefined>;
  rawHeaders: string[];
  body: string;
}

export interface Services {
  frontend: Echo;
  backend: Echo;
  other: Echo;
}

const TIMEOUT_MS = 30_000;

export class ProtocolWorld {
  readonly base: URL;
  readonly token: string;
  readonly services: Services;
  /** What the implementation can do beyond the contract; empty for the original. */
  readonly capabilities: ReadonlySet<string>;
  /** A location at which nothing answers. */
  unreachable = "http://127.0.0.1:1";
  readonly #created = new Set<string>();

  private constructor(base: URL, token: string, services: Services, capabilities: ReadonlySet<string>) {
    this.base = base;
    this.token = token;
    this.services = services;
    this.capabilities = capabilities;
  }

  static async open(base: string, token: string): Promise<ProtocolWorld> {
    const url = new URL(base);
    const names = ["frontend", "backend", "other"];
    const [frontend, backend, other] = (await Promise.all(names.map(startEcho))) as [Echo, Echo, Echo];
    const services = { frontend, backend, other };
    const probe = new ProtocolWorld(url, token, services, new Set());
    const answer = await probe.api("GET", "/linkup/v2/capabilities");
    const known = answer.status === 200 ? (JSON.parse(answer.body).capabilities as string[]) : [];
    return new ProtocolWorld(url, token, services, new Set(known));
  }

  /** Deletes what the cases created, where that is possible, and ends the services. */
  async close(): Promise<void> {
    if (this.capabilities.has("delete-session")) {
      for (const name of this.#created) await this.api("DELETE", `/linkup/v2/sessions/${name}`);
    }
    await Promise.all(Object.values(this.services).map((service: Echo) => service.stop()));
  }

  /** A request as a client sends it for which every host leads to the implementation. */
  async send(
    target: string,
    headers: SentHeaders = {},
    options: { method?: string; body?: string } = {},
  ): Promise<ProtocolResponse> {
    const { request } = this.base.protocol === "https:" ? https : http;
    const sent = request({
      hostname: this.base.hostname,
      port: this.base.port,
      servername: this.base.hostname,
      path: target,
      method: options.method ?? "GET",
      headers: {
        host: this.base.host,
        ...(options.body === undefined ? {} : { "content-length": String(Buffer.byteLength(options.body)) }),
        ...headers,
      },
      agent: false,
      timeout: TIMEOUT_MS,
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    sent.end(options.body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return {
      status: response.statusCode ?? 0,
      headers: firstLines(response.rawHeaders),
      rawHeaders: response.rawHeaders,
      body: Buffer.concat(parts).toString(),
    };
  }

  /** A call of the API, with the token unless the headers say otherwise. */
  async api(
    method: string,
    path: string,
    body?: unknown,
    headers: SentHeaders = {},
  ): Promise<ProtocolResponse> {
    const authorized: SentHeaders = { authorization: `Bearer ${this.token}`, ...headers };
    if (body !== undefined) authorized["content-type"] ??= "application/json";
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    return this.send(path, authorized, { method, ...(text === undefined ? {} : { body: text }) });
  }

  /** An upsert that must succeed; the name of its session. */
  async preview(body: object): Promise<string> {
    const answer = await this.api("POST", "/linkup/v2/sessions/preview", body);
    assert.equal(answer.status, 200, `creating a preview session: ${answer.status} ${answer.body}`);
    return this.created(JSON.parse(answer.body).session_name);
  }

  async tunneled(
    body: object,
  ): Promise<{ session_name: string; tunnel_data: Record<string, unknown>; origin_secret?: string }> {
    const answer = await this.api("POST", "/linkup/v2/sessions/tunneled", body);
    assert.equal(answer.status, 200, `creating a tunneled session: ${answer.status} ${answer.body}`);
    const json = JSON.parse(answer.body);
    this.created(json.session_name);
    return json;
  }

  /** Remembers a session to be deleted at the end. */
  created(name: string): string {
    this.#created.add(name);
    return name;
  }

  /** A name that no other run has used. */
  freshName(): string {
    return `proto-${randomBytes(5).toString("hex")}`;
  }

  /** What a service saw of a request that must have reached one. */
  async seen(
    target: string,
    headers: SentHeaders,
    options: { method?: string; body?: string } = {},
  ): Promise<EchoedRequest> {
    const answer = await this.send(target, headers, options);
    assert.equal(answer.status, 200, `expected an answer of a service, got ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body);
  }
}

function firstLines(rawHeaders: string[]): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) headers[rawHeaders[i]!.toLowerCase()] ??= rawHeaders[i + 1]!;
  return headers;
}

/** All lines of a header. */
export function lines(rawHeaders: string[], name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
}

/** The one line of a header; undefined without the header, an error when there are several. */
export function line(rawHeaders: string[], name: string): string | undefined {
  const found = lines(rawHeaders, name);
  assert.ok(found.length <= 1, `${name} stands ${found.length} times: ${found.join(" | ")}`);
  return found[0];
}

/** The members of a tracestate list. */
export function members(tracestate: string | undefined): string[] {
  return (tracestate ?? "").split(",").map((member) => member.trim());
}
