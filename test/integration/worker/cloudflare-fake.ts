/** The part of Cloudflare's API that tunnels need, with its state in memory, and failures on cue. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface FakeTunnel {
  id: string;
  name: string;
  secret: string;
  config_src: string;
  created_at: string;
  deleted_at: string | null;
  metadata: Record<string, unknown>;
  /** A cloudflared is connected: then only a cascading delete succeeds. */
  connected: boolean;
}

export interface FakeRecord {
  id: string;
  type: string;
  name: string;
  content: string;
  proxied: boolean;
  comment: string | null;
  created_on: string;
}

/** What happens instead of, or after, an answer. */
interface Fault {
  /** `METHOD /path`, a part of it. */
  on: string;
  /** How many calls; all when not given. */
  times?: number;
  status?: number;
  errors?: { code: number; message: string }[];
  headers?: Record<string, string>;
  /** Never answers. */
  hang?: boolean;
  /** Answers without end; told how many bytes each time. */
  endless?: (bytes: number) => void;
  /** Does what was asked, and then fails to say so. */
  done?: boolean;
}

export class CloudflareFake {
  readonly token = "cf-token";
  readonly account = "acc1";
  readonly zone = { id: "zone1", name: "tunnels.example.net" };
  readonly calls: string[] = [];
  /** Whether a tunnel's metadata, as its creation gave it, is kept: the documentation does not promise it. */
  keepsMetadata = true;
  tunnels: FakeTunnel[] = [];
  records: FakeRecord[] = [];
  faults: Fault[] = [];
  /** Called for each tunnel that is made. */
  onTunnel: (tunnel: FakeTunnel) => void = () => {};
  /** Told of each that is deleted: its connections end. */
  onDeletedTunnel: (tunnel: FakeTunnel) => void = () => {};

  get living(): FakeTunnel[] {
    return this.tunnels.filter(({ deleted_at }) => deleted_at === null);
  }

  addTunnel(name: string, more: Partial<FakeTunnel> = {}): FakeTunnel {
    const tunnel = {
      id: randomUUID(),
      name,
      secret: "",
      config_src: "local",
      created_at: new Date().toISOString(),
      deleted_at: null,
      metadata: {},
      connected: false,
      ...more,
    };
    this.tunnels.push(tunnel);
    this.onTunnel(tunnel);
    return tunnel;
  }

  addRecord(name: string, content: string, more: Partial<FakeRecord> = {}): FakeRecord {
    const created_on = new Date().toISOString();
    const made = { id: randomUUID(), type: "CNAME", name, content, proxied: true, comment: null, created_on };
    const record = { ...made, ...more };
    this.records.push(record);
    return record;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "https://api.cloudflare.com");
    const path = url.pathname.replace("/client/v4", "");
    const call = `${request.method} ${path}`;
    this.calls.push(call);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString() || "{}") : {};

    const fault = this.#faultFor(call);
    if (fault?.hang) return;
    if (fault?.endless) return answerWithoutEnd(response, fault.endless);
    if (fault?.status && !fault.done) return fail(response, fault.status, fault.errors ?? [], fault.headers);
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return fail(response, 403, [{ code: 10000, message: "Authentication error" }]);
    const result = this.#answer(request.method ?? "", path, url.searchParams, body);
    // Gives a fault that comes after the deed time to be seen as one.
    if (fault?.done) {
      await sleep(1);
      return fail(response, fault.status ?? 500, fault.errors ?? []);
    }
    if ("errors" in result) return fail(response, result.status, result.errors);
    succeed(response, result.result);
  }

  #faultFor(call: string): Fault | undefined {
    const fault = this.faults.find(({ on, times }) => call.includes(on) && times !== 0);
    if (fault?.times) fault.times--;
    return fault;
  }

  #answer(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): Result {
    const tunnels = `/accounts/${this.account}/cfd_tunnel`;
    const records = `/zones/${this.zone.id}/dns_records`;
    if (method === "GET" && path === `/zones/${this.zone.id}`) return { result: this.zone };
    const token = /^\/accounts\/[^/]+\/cfd_tunnel\/([^/]+)\/token$/.exec(path)?.[1];
    if (token) return this.#token(token);
    if (path === tunnels) return method === "POST" ? this.#createTunnel(body) : this.#listTunnels(query);
    if (path.startsWith(`${tunnels}/`)) return this.#oneTunnel(method, path.slice(tunnels.length + 1), query);
    if (path === records) return method === "POST" ? this.#createRecord(body) : this.#listRecords(query);
    if (path.startsWith(`${records}/`)) return this.#oneRecord(method, path.slice(records.length + 1), body);
    return refusal(404, 7003, `Could not route to ${path}`);
  }

  #createTunnel({ name, tunnel_secret, config_src, metadata }: Record<string, unknown>): Result {
    if (typeof name !== "string" || Buffer.from(String(tunnel_secret), "base64").length < 32)
      return refusal(400, 1004, "Invalid tunnel name or secret");
    if (this.living.some((tunnel) => tunnel.name === name))
      return refusal(409, 1013, "You already have a tunnel with this name");
    const tunnel = this.addTunnel(name, {
      secret: String(tunnel_secret),
      config_src: String(config_src),
      metadata: this.keepsMetadata ? { ...(metadata as object | undefined) } : {},
    });
    return { result: publicTunnel(tunnel) };
  }

  #listTunnels(query: URLSearchParams): Result {
    const name = query.get("name");
    const prefix = query.get("include_prefix");
    const found = (query.get("is_deleted") === "false" ? this.living : this.tunnels).filter(
      (tunnel) => (!name || tunnel.name === name) && (!prefix || tunnel.name.startsWith(prefix)),
    );
    return { result: page(found.map(publicTunnel), query, 100) };
  }

  #token(id: string): Result {
    const tunnel = this.tunnels.find((candidate) => candidate.id === id);
    if (!tunnel) return refusal(404, 1003, "Tunnel not found");
    const token = { a: this.account, t: id, s: tunnel.secret };
    return { result: Buffer.from(JSON.stringify(token)).toString("base64") };
  }

  #oneTunnel(method: string, id: string, query: URLSearchParams): Result {
    const tunnel = this.tunnels.find((candidate) => candidate.id === id);
    if (!tunnel) return refusal(404, 1003, "Tunnel not found");
    if (method === "GET") return { result: publicTunnel(tunnel) };
    if (method !== "DELETE") return refusal(405, 10405, "Method not allowed");
    if (tunnel.connected && query.get("cascade") !== "true")
      return refusal(400, 1022, "The tunnel has active connections");
    tunnel.deleted_at = new Date().toISOString();
    tunnel.connected = false;
    this.onDeletedTunnel(tunnel);
    return { result: publicTunnel(tunnel) };
  }

  #createRecord({ type, name, content, proxied, comment }: Record<string, unknown>): Result {
    if (this.records.some((record) => record.name === name))
      return refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
    return {
      result: this.addRecord(String(name), String(content), {
        type: String(type),
        proxied: Boolean(proxied),
        comment: typeof comment === "string" ? comment : null,
      }),
    };
  }

  #listRecords(query: URLSearchParams): Result {
    const exact = query.get("name.exact");
    const start = query.get("name.startswith");
    const end = query.get("content.endswith");
    const type = query.get("type");
    const found = this.records.filter(
      (record) =>
        (!exact || record.name === exact) &&
        (!start || record.name.startsWith(start)) &&
        (!end || record.content.endsWith(end)) &&
        (!type || record.type === type),
    );
    return { result: page(found, query, 100) };
  }

  #oneRecord(method: string, id: string, body: Record<string, unknown>): Result {
    const record = this.records.find((candidate) => candidate.id === id);
    if (!record) return refusal(404, 81044, "Record does not exist.");
    if (method === "DELETE") this.records = this.records.filter((candidate) => candidate !== record);
    else {
      const { type, name, content, comment = null } = body;
      Object.assign(record, { type, name, content, comment });
    }
    return { result: record };
  }
}

type Result = { result: unknown } | { status: number; errors: { code: number; message: string }[] };

async function answerWithoutEnd(response: ServerResponse, told: (bytes: number) => void): Promise<void> {
  response.on("error", () => {});
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"success": true, "result": "');
  const chunk = "x".repeat(1024 * 1024);
  while (!response.destroyed) {
    told(chunk.length);
    if (!response.write(chunk))
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        response.once("close", resolve);
      });
  }
}

function refusal(status: number, code: number, message: string): Result {
  return { status, errors: [{ code, message }] };
}

function publicTunnel({ secret: _, connected, ...tunnel }: FakeTunnel) {
  return { ...tunnel, status: connected ? "healthy" : "inactive" };
}

function page<T>(items: T[], query: URLSearchParams, perPage: number): T[] {
  const size = Number(query.get("per_page")) || perPage;
  const start = ((Number(query.get("page")) || 1) - 1) * size;
  return items.slice(start, start + size);
}

function succeed(response: ServerResponse, result: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
}

function fail(
  response: ServerResponse,
  status: number,
  errors: { code: number; message: string }[],
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ success: false, errors, messages: [], result: null }));
}
