/**
 * A Worker of the original, from the contract's text: its API of both versions, its proxy, its weak points.
 * The tunnel's URL is an address on this machine, which stands for Cloudflare and cloudflared.
 */
import { createHash, randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { addedBy, type ContractSession, type ContractTarget, sessionOf, targetOf } from "./contract.ts";

const TOKEN_OF_PREVIEWS = "preview_session";
const LEAST_VERSION = [2, 1, 0];
const HOP_BY_HOP = ["connection", "keep-alive", "upgrade", "transfer-encoding", "te", "trailer"];

interface Upsert extends ContractSession {
  desired_name?: string;
  name_kind?: "animal" | "six_char";
  session_token?: string;
}

interface Stored extends ContractSession {
  session_token: string;
}

/** A session that is not written again expires. */
const EXPIRY_MS = 7 * 24 * 3600_000;

/** Workers KV: what is written is read by everyone only a while later. */
class Kv {
  readonly #versions = new Map<string, { at: number; session: Stored | undefined }[]>();
  readonly delayMs: () => number;
  readonly now: () => number;

  constructor(now: () => number, delayMs: () => number) {
    this.now = now;
    this.delayMs = delayMs;
  }

  get(name: string): Stored | undefined {
    const settled = this.now() - this.delayMs();
    const last = this.#versions.get(name)?.findLast(({ at }) => at <= settled);
    return last && this.now() - last.at < EXPIRY_MS ? last.session : undefined;
  }

  put(name: string, session: Stored | undefined): void {
    const versions = this.#versions.get(name) ?? [];
    this.#versions.set(name, [...versions, { at: this.now(), session }]);
  }

  names(): string[] {
    return [...this.#versions.keys()];
  }
}

export interface OriginalWorkerOptions {
  token: string;
  /** The port of this machine to which the tunnel of a session leads. */
  portOf: (session: string) => number;
}

export class OriginalWorker {
  /** How long a change stays unseen, in milliseconds. */
  kvDelayMs = 0;
  /** Every API call: `POST /linkup/v2/sessions/tunneled 200`. */
  readonly calls: string[] = [];
  /** Every answer to an API call from now on, instead of its own. */
  broken: number | undefined;
  /** What upserts answer from now on, with status 200. */
  garbled: string | undefined;
  /** How much later it is than by the machine's clock, in milliseconds. */
  elapsedMs = 0;
  readonly #sessions = new Kv(
    () => performance.now() + this.elapsedMs,
    () => this.kvDelayMs,
  );
  readonly #tunnels = new Map<string, object>();
  readonly #options: OriginalWorkerOptions;
  readonly #server: Server;

  private constructor(server: Server, options: OriginalWorkerOptions) {
    this.#server = server;
    this.#options = options;
    server.on("request", (incoming, response) => void this.#serve(incoming, response));
    server.on("upgrade", (incoming, socket: Socket) => void this.#upgrade(incoming, socket));
  }

  static async start(options: OriginalWorkerOptions): Promise<OriginalWorker> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OriginalWorker(server, options);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The session as requests find it now. */
  session(name: string): Stored | undefined {
    return this.#sessions.get(name);
  }

  /** What an operator does who empties the store. */
  forget(): void {
    for (const name of this.#sessions.names()) this.#sessions.put(name, undefined);
    this.#tunnels.clear();
  }

  /** Someone else has this name. */
  take(name: string): void {
    const services = [{ name: "theirs", location: "http://127.0.0.1:1" }];
    const domains = [{ domain: "theirs.example.com", default_service: "theirs" }];
    this.#sessions.put(name, { session_token: "someone else's", services, domains });
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const { pathname } = new URL(incoming.url!, this.url);
    if (!pathname.startsWith("/linkup/")) return this.#proxy(incoming, body, response);
    if (!this.#api(incoming, body, response)) return this.#proxy(incoming, body, response);
    this.calls.push(`${incoming.method} ${pathname} ${response.statusCode}`);
  }

  /** False when it is no call of the API. */
  #api(incoming: IncomingMessage, body: Buffer, response: ServerResponse): boolean {
    const url = new URL(incoming.url!, this.url);
    const text = (status: number, body: string) => {
      response.writeHead(status, { "content-type": "text/plain" }).end(body);
      return true;
    };
    const json = (body: object) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
      return true;
    };
    if (this.broken !== undefined) return text(this.broken, "The original is broken.");
    // Other paths below /linkup/ belong to the session's services.
    if (!API.has(`${incoming.method} ${url.pathname}`)) return false;
    if (incoming.headers.authorization !== `Bearer ${this.#options.token}`) return text(401, "Unauthorized");

    if (this.garbled !== undefined && incoming.method === "POST") return text(200, this.garbled);

    if (incoming.method === "POST" && !/^application\/json\b/.test(incoming.headers["content-type"] ?? ""))
      return text(415, "Expected request with `Content-Type: application/json`");
    const upsert = () => {
      const wanted = deserialised(body.toString("utf8"));
      // Only a name with a token is one.
      if ((wanted.session_token ?? undefined) === undefined) delete wanted.desired_name;
      return wanted;
    };
    try {
      switch (`${incoming.method} ${url.pathname}`) {
        case "GET /linkup/check":
          return text(200, "OK");
        case "GET /linkup/no-tunnel":
          return text(422, "This linkup session has no associated tunnel / was started with --no-tunnel");
        case "GET /linkup/tunnel":
          return json(this.#tunnel(url.searchParams.get("session_name") ?? ""));
        case "POST /linkup/local-session": {
          const wrong = versionProblem(incoming.headers["x-linkup-version"] as string | undefined);
          if (wrong) return text(401, wrong);
          const wanted = upsert();
          return text(200, this.#store({ name_kind: "animal", ...wanted }, true) ?? "");
        }
        case "POST /linkup/preview-session":
          return text(200, this.#storePreview(upsert(), true) ?? "");
        case "POST /linkup/v2/sessions/tunneled": {
          const wanted = upsert();
          if (wanted.desired_name === "") return text(409, "Conflict");
          const name = this.#store(wanted, false);
          if (name === undefined)
            return text(500, "Failed to store server config: Session with name already exists");
          return json({ session_name: name, tunnel_data: this.#tunnel(name) });
        }
        case "POST /linkup/v2/sessions/preview": {
          const wanted = upsert();
          if (wanted.desired_name === "") return text(409, "Conflict");
          const name = this.#storePreview(wanted, false);
          return name === undefined ? text(409, "Conflict") : json({ session_name: name });
        }
      }
    } catch (error) {
      return text(error instanceof NotDeserialised ? 422 : 400, (error as Error).message);
    }
    return false;
  }

  /** The session's name; undefined on a conflict. */
  #store(wanted: Upsert, freshWhenTaken: boolean): string | undefined {
    const { desired_name, name_kind = "six_char", services, domains, cache_routes = null } = wanted;
    const session_token = wanted.session_token ?? randomBytes(8).toString("hex");
    const owner = desired_name ? this.#sessions.get(desired_name)?.session_token : undefined;
    const taken = owner !== undefined && owner !== session_token;
    if (taken && !freshWhenTaken) return undefined;
    const name = desired_name && !taken ? desired_name : newName(name_kind, wanted);
    const { url } = this.#tunnel(name);
    this.#sessions.put(name, {
      session_token,
      services: services.map((service) =>
        new URL(service.location).hostname === "localhost" ? { ...service, location: url } : service,
      ),
      domains,
      cache_routes,
    });
    return name;
  }

  #storePreview(wanted: Upsert, freshWhenTaken: boolean): string | undefined {
    const { services, domains, cache_routes = null, session_token = TOKEN_OF_PREVIEWS } = wanted;
    if (services.some(({ location }) => new URL(location).hostname === "localhost"))
      throw new RangeError("A preview session cannot have services on localhost.");
    const sorted = sortedContent({ services, domains, cache_routes });
    const desired = wanted.desired_name || hashOf(sorted);
    const owner = this.#sessions.get(desired)?.session_token;
    const taken = owner !== undefined && owner !== session_token;
    if (taken && !freshWhenTaken) return undefined;
    const name = taken ? randomBytes(3).toString("hex") : desired;
    this.#sessions.put(name, { session_token, ...sorted });
    return name;
  }

  #tunnel(session: string): { url: string } {
    const known = this.#tunnels.get(session);
    const port = this.#options.portOf(session);
    const tunnel = {
      account_id: "an-account",
      name: `tunnel-${session}`,
      url: `http://127.0.0.1:${port}`,
      id: `on-port-${port}`,
      secret: randomBytes(32).toString("base64"),
      ...known,
      last_started: Date.now(),
    };
    this.#tunnels.set(session, tunnel);
    return tunnel;
  }

  #decide(
    incoming: IncomingMessage,
  ): { name: string; target: ContractTarget | undefined; session: Stored } | undefined {
    const asked = requestOf(incoming);
    const name = sessionOf(asked, (name) => this.#sessions.get(name) !== undefined);
    if (name === undefined) return undefined;
    const session = this.#sessions.get(name)!;
    return { name, session, target: targetOf(name, session, asked) };
  }

  async #proxy(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const decided = this.#decide(incoming);
    if (!decided) {
      response.writeHead(422, { "content-type": "text/plain", "cache-control": "no-store" });
      response.end(
        "Linkup was unable to determine the session origin of the request. Add one of: x-forwarded-host, Referer, Origin, tracestate (linkup-session=NAME).",
      );
      return;
    }
    if (!decided.target) {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("The request belonged to a session, but there was no target for the request.");
      return;
    }
    const headers = headersFor(incoming, decided.name, decided.target);
    const { origin, target } = decided.target;
    const { method } = incoming;
    const { hostname, port } = new URL(origin);
    const call = request({ method, hostname, port, path: target, headers, agent: false, setHost: false });
    call.on("error", (error) => response.writeHead(502).end(String(error)));
    call.on("response", (answer) => {
      for (const [header, values] of Object.entries(answer.headersDistinct)) {
        if (!HOP_BY_HOP.includes(header)) response.setHeader(header, values!);
      }
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "*");
      response.setHeader("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
      response.setHeader("access-control-max-age", "86400");
      response.writeHead(answer.statusCode!);
      answer.pipe(response);
    });
    call.end(body);
  }

  async #upgrade(incoming: IncomingMessage, socket: Socket): Promise<void> {
    const decided = this.#decide(incoming);
    socket.on("error", () => {});
    if (!decided?.target) {
      socket.end("HTTP/1.1 422 Unprocessable Entity\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const headers = {
      ...headersFor(incoming, decided.name, decided.target),
      connection: "Upgrade",
      upgrade: "websocket",
    };
    const { hostname, port } = new URL(decided.target.origin);
    const call = request({
      hostname,
      port,
      path: decided.target.target,
      headers,
      agent: false,
      setHost: false,
    });
    call.on("error", () => socket.destroy());
    call.on("upgrade", (answer, upstream: Socket) => {
      const lines = answer.rawHeaders.reduce(
        (text, part, index) => text + part + (index % 2 ? "\r\n" : ": "),
        "",
      );
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      upstream.on("error", () => socket.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
    call.end();
  }
}

function requestOf(incoming: IncomingMessage) {
  const headers = Object.fromEntries(
    // Of repeated headers the last counts.
    Object.entries(incoming.headersDistinct).map(([name, values]) => [name, values!.at(-1)]),
  );
  return { host: incoming.headers.host!, target: incoming.url!, headers };
}

function headersFor(incoming: IncomingMessage, name: string, target: ContractTarget) {
  const headers: Record<string, string | string[]> = {};
  for (const [header, values] of Object.entries(incoming.headersDistinct)) {
    if (HOP_BY_HOP.includes(header)) continue;
    headers[header] = header === "cookie" ? values!.join(",").replaceAll(/,\s*/g, "; ") : values!;
  }
  return { ...headers, ...addedBy(name, target, requestOf(incoming)), host: new URL(target.origin).host };
}

/** By its content the same session has the same name. */
function sortedContent<T extends ContractSession>({ services, domains, cache_routes }: T) {
  const by = (a: string, b: string) => (a < b ? -1 : 1);
  return {
    services: services.toSorted((a, b) => by(a.name, b.name)),
    domains: domains.toSorted((a, b) => by(a.domain, b.domain)),
    cache_routes: cache_routes ?? null,
  };
}

function hashOf(content: object): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 6);
}

function newName(kind: "animal" | "six_char", session: ContractSession): string {
  const pick = (from: string[]) => from[randomInt(from.length)]!;
  if (kind === "animal") {
    const adjective = pick("slim smart brave calm wild green lucky plain".split(" "));
    return `${adjective}-${pick("gecko snake otter panda tiger whale zebra crane".split(" "))}`;
  }
  return hashOf(sortedContent(session));
}

function versionProblem(header: string | undefined): string | undefined {
  if (header === undefined) return "No x-linkup-version header, please upgrade your Linkup CLI.";
  const [, numbers, before] = /^(\d+\.\d+\.\d+)(-.+)?$/.exec(header) ?? [];
  if (!numbers) return "Invalid x-linkup-version header.";
  const parts = numbers.split(".").map(Number);
  const [difference = 0] = parts.map((part, i) => part - LEAST_VERSION[i]!).filter((part) => part !== 0);
  return difference < 0 && !before
    ? "Your Linkup CLI is outdated, please upgrade to the latest version."
    : undefined;
}

/** What a deserializer refuses, before anything is done. */
class NotDeserialised extends Error {}

function deserialised(body: string): Upsert {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new NotDeserialised((error as Error).message);
  }
  const wrong = problemOf(parsed as Upsert);
  if (wrong) throw new NotDeserialised(wrong);
  return parsed as Upsert;
}

/** The calls of its API; every other path is proxied. */
const API = new Set([
  "GET /linkup/check",
  "GET /linkup/no-tunnel",
  "GET /linkup/tunnel",
  "POST /linkup/local-session",
  "POST /linkup/preview-session",
  "POST /linkup/v2/sessions/tunneled",
  "POST /linkup/v2/sessions/preview",
]);

/** As strict as a deserializer: every field that is not optional must be there, with its type. */
function problemOf(upsert: Upsert): string | undefined {
  const isText = (value: unknown) => typeof value === "string";
  const isList = (value: unknown) => value === undefined || value === null || Array.isArray(value);
  if (typeof upsert !== "object" || upsert === null) return "not an object";
  const { services, domains, cache_routes, desired_name, session_token, name_kind } = upsert;
  if (!Array.isArray(services)) return "missing field `services`";
  if (!Array.isArray(domains)) return "missing field `domains`";
  if (!isList(cache_routes)) return "cache_routes: expected a list";
  for (const member of [desired_name, session_token])
    if (member !== undefined && member !== null && !isText(member))
      return "desired_name, session_token: a string";
  if (name_kind !== undefined && !["animal", "six_char"].includes(name_kind)) return "unknown name_kind";
  for (const { name, location, rewrites } of services) {
    if (!isText(name) || !isText(location) || !/^https?:/.test(location)) return "service: name, location";
    if (!isList(rewrites)) return "service: rewrites";
    for (const { source, target } of rewrites ?? []) if (!isText(source) || !isText(target)) return "rewrite";
  }
  const known = services.map(({ name }) => name);
  for (const { domain, default_service, routes } of domains) {
    if (!isText(domain) || !known.includes(default_service)) return "domain: default_service";
    if (!isList(routes)) return "domain: routes";
    for (const { path, service } of routes ?? []) {
      if (!isText(path) || !known.includes(service)) return "route: service";
      new RegExp(path);
    }
  }
  return services.length === 0 || domains.length === 0 ? "at least one service and one domain" : undefined;
}
