/**
 * A stand-in of Cloudflare's API for one account: zones, DNS records, routes, cache rules, scripts, API tokens and
 * tunnels, with their state in memory, rights per token, pages, and failures on cue. Loopback only.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Resource {
  id: string;
  [field: string]: unknown;
}

export interface Script {
  metadata: Metadata;
  /** The module's name, type and code. */
  modules: { name: string; type: string; code: string }[];
  bindings: Binding[];
  migrationTag: string | undefined;
  schedules: { cron: string }[];
  subdomain: boolean;
}

interface Binding {
  type: string;
  name: string;
  text?: string;
  class_name?: string;
}

export interface Metadata {
  main_module: string;
  bindings: Binding[];
  keep_bindings?: string[];
  migrations?: { old_tag?: string; new_tag: string; steps?: unknown[] };
  compatibility_date: string;
  compatibility_flags?: string[];
  tags?: string[];
  [field: string]: unknown;
}

interface Zone {
  id: string;
  name: string;
  status: string;
  records: Resource[];
  routes: Resource[];
  /** Undefined until the first rule. */
  ruleset: { id: string; rules: Resource[] } | undefined;
}

/** A call that fails: the one that writes for the `write`th time, counted from 0. `after`: what was asked happens all the same. */
export interface Failure {
  write: number;
  after: boolean;
}

type Right = "scripts" | "tunnels" | "tokens" | "zones" | "routes" | "dns" | "cacheRules";
const ALL: readonly Right[] = ["scripts", "tunnels", "tokens", "zones", "routes", "dns", "cacheRules"];

class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class CloudflareAccount {
  readonly id = "0123456789abcdef0123456789abcdef";
  readonly name = "Example Inc";
  /** Secret values of API tokens, with what they may do. */
  readonly grants = new Map<string, ReadonlySet<Right>>();
  readonly zones: Zone[] = [];
  readonly scripts = new Map<string, Script>();
  tokens: (Resource & { value: string })[] = [];
  tunnels: Resource[] = [];
  failure: Failure | undefined;
  #writes = 0;
  /** `METHOD /path` of every call. */
  calls: string[] = [];
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`;
  }

  addZone(name: string, status = "active"): Zone {
    const zone: Zone = {
      id: randomUUID().replaceAll("-", ""),
      name,
      status,
      records: [],
      routes: [],
      ruleset: undefined,
    };
    this.zones.push(zone);
    return zone;
  }

  /** An API token with these rights; all of them when none is named. */
  grant(value: string, rights: readonly Right[] = ALL): string {
    this.grants.set(value, new Set(rights));
    return value;
  }

  /** All that can be seen from outside, to compare before and after. */
  snapshot(): string {
    return JSON.stringify({
      zones: this.zones,
      scripts: [...this.scripts],
      tokens: this.tokens,
      tunnels: this.tunnels,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://127.0.0.1");
    const path = url.pathname.replace(/^\/client\/v4/, "");
    const call = `${request.method} ${path}`;
    this.calls.push(call);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const fail = (status: number, code: number, message: string) =>
      send(status, { success: false, errors: [{ code, message }], messages: [], result: null });
    const failure =
      request.method !== "GET" && this.failure?.write === this.#writes++ ? this.failure : undefined;
    // Not a 5xx, which the client would repeat by itself.
    if (failure && !failure.after) return fail(400, 10013, "On cue");
    try {
      const body = await bodyOf(request, Buffer.concat(parts));
      const { result, ...rest } = this.#route(request, call, path, url.searchParams, body);
      if (failure) return fail(400, 10013, "On cue, after it was done");
      send(200, { success: true, errors: [], messages: [], result, ...rest });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(error.status, error.code, error.message);
    }
  }

  #route(
    request: IncomingMessage,
    call: string,
    path: string,
    query: URLSearchParams,
    body: Body,
  ): { result: unknown; result_info?: unknown } {
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    const rights = token ? this.grants.get(token) : undefined;
    if (!rights) throw new Refusal(401, 10000, "Authentication error");
    const need = (right: Right) => {
      if (!rights.has(right)) throw new Refusal(403, 10000, "Authentication error");
    };
    const { method = "" } = request;
    let match: RegExpExecArray | null;

    if (path === "/zones" && method === "GET") {
      need("zones");
      const name = query.get("name");
      const found = this.zones.filter((zone) => !name || zone.name === name);
      return page(
        found.map((zone) => this.#publicZone(zone)),
        query,
        20,
      );
    }
    if (path === "/memberships") return { result: [{ account: { id: this.id, name: this.name } }] };
    match = /^\/zones\/([^/]+)(\/.*)?$/.exec(path);
    if (match)
      return this.#zone(
        this.zones.find(({ id }) => id === match![1]),
        match[2] ?? "",
        method,
        query,
        body,
        need,
      );
    const account = `/accounts/${this.id}`;
    if (path === account) return { result: { id: this.id, name: this.name } };
    if (path.startsWith(`${account}/tokens`)) {
      need("tokens");
      return this.#token(path.slice(account.length + 7), method, query, body);
    }
    if (path.startsWith(`${account}/cfd_tunnel`)) {
      need("tunnels");
      return this.#tunnel(path.slice(account.length + 11), method, query);
    }
    if (path.startsWith(`${account}/workers/`)) {
      need("scripts");
      return this.#workers(path.slice(account.length + 9), method, body);
    }
    throw new Refusal(404, 7003, `Could not route ${call}`);
  }

  #publicZone({ id, name, status }: Zone) {
    return { id, name, status, account: { id: this.id, name: this.name } };
  }

  #zone(
    zone: Zone | undefined,
    path: string,
    method: string,
    query: URLSearchParams,
    body: Body,
    need: (right: Right) => void,
  ) {
    if (!zone) throw new Refusal(404, 7003, "No such zone");
    if (path === "") {
      need("zones");
      return { result: this.#publicZone(zone) };
    }
    if (path.startsWith("/dns_records")) {
      need("dns");
      return collection(zone.records, path.slice(12), method, query, body, (wanted) => {
        const clash = zone.records.find(
          ({ name, type }) =>
            name === wanted.name && (type === wanted.type || [type, wanted.type].includes("CNAME")),
        );
        if (clash && clash.content === wanted.content)
          throw new Refusal(400, 81058, "An identical record already exists.");
        if (clash)
          throw new Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
      });
    }
    if (path.startsWith("/workers/routes")) {
      need("routes");
      return collection(zone.routes, path.slice(15), method, query, body, (wanted) => {
        if (zone.routes.some(({ pattern }) => pattern === wanted.pattern))
          throw new Refusal(409, 10020, "Duplicate route.");
        if (!this.scripts.has(String(wanted.script)))
          throw new Refusal(400, 10007, "This Worker does not exist.");
      });
    }
    if (path.startsWith("/rulesets/")) {
      need("cacheRules");
      return this.#rules(zone, path.slice(10), method, body);
    }
    throw new Refusal(404, 7003, `Could not route ${path}`);
  }

  #rules(zone: Zone, path: string, method: string, body: Body): { result: unknown } {
    if (path === "phases/http_request_cache_settings/entrypoint") {
      if (method === "PUT") {
        const rules = (body.json.rules as Record<string, unknown>[]).map((rule) => ({
          ...rule,
          id: randomUUID(),
        }));
        zone.ruleset = { id: zone.ruleset?.id ?? randomUUID(), rules };
      }
      if (!zone.ruleset) throw new Refusal(404, 10003, "could not find entrypoint ruleset");
      return { result: zone.ruleset };
    }
    const match = /^([^/]+)\/rules(?:\/([^/]+))?$/.exec(path);
    const { ruleset } = zone;
    if (!match || !ruleset || ruleset.id !== match[1])
      throw new Refusal(404, 10003, "could not find ruleset");
    const [, , id] = match;
    if (method === "POST") ruleset.rules.push({ ...body.json, id: randomUUID() });
    else {
      const rule = ruleset.rules.find((candidate) => candidate.id === id);
      if (!rule) throw new Refusal(404, 10003, "could not find rule");
      if (method === "DELETE") ruleset.rules.splice(ruleset.rules.indexOf(rule), 1);
      else Object.assign(rule, body.json);
    }
    return { result: ruleset };
  }

  #token(path: string, method: string, query: URLSearchParams, body: Body) {
    if (path === "/permission_groups")
      return {
        result: ["Cloudflare Tunnel Write", "Cloudflare Tunnel Read", "DNS Write", "DNS Read"].map(
          (name) => ({ id: `group-${name}`, name }),
        ),
      };
    if (path === "" && method === "POST") {
      const token = { ...body.json, id: randomUUID(), value: randomUUID().replaceAll("-", "") };
      this.tokens.push(token);
      return { result: token };
    }
    // The value is shown once only.
    if (path === "")
      return page(
        this.tokens.map(({ value: _, ...token }) => token),
        query,
        20,
      );
    const token = this.tokens.find(({ id }) => `/${id}` === path);
    if (!token || method !== "DELETE") throw new Refusal(404, 1003, "No such token");
    this.tokens = this.tokens.filter((candidate) => candidate !== token);
    return { result: { id: token.id } };
  }

  #tunnel(path: string, method: string, query: URLSearchParams) {
    if (path === "" && method === "GET") return page(this.tunnels, query, 20);
    const tunnel = this.tunnels.find(({ id }) => `/${id}` === path);
    if (!tunnel || method !== "DELETE") throw new Refusal(404, 1003, "Tunnel not found");
    if (tunnel.status === "healthy" && query.get("cascade") !== "true")
      throw new Refusal(400, 1022, "The tunnel has active connections");
    this.tunnels = this.tunnels.filter((candidate) => candidate !== tunnel);
    return { result: tunnel };
  }

  #workers(path: string, method: string, body: Body): { result: unknown } {
    if (path === "scripts" && method === "GET")
      return {
        result: [...this.scripts].map(([id, { metadata, migrationTag }]) => ({
          id,
          tags: metadata.tags ?? [],
          migration_tag: migrationTag,
          compatibility_date: metadata.compatibility_date,
        })),
      };
    const match = /^(?:scripts|services|workers)\/([^/]+)(?:\/(.*))?$/.exec(path);
    if (!match) throw new Refusal(404, 7003, `Could not route ${path}`);
    const [, name = "", part = ""] = match;
    if (path.startsWith("scripts/") && part === "" && method === "PUT") return this.#upload(name, body);
    const script = this.scripts.get(name);
    if (!script)
      throw new Refusal(
        404,
        path.startsWith("services/") ? 10090 : 10007,
        "This Worker does not exist on your account.",
      );
    if (path.startsWith("services/"))
      return { result: { default_environment: { script: { migration_tag: script.migrationTag } } } };
    if (path.startsWith("workers/"))
      return {
        result: { id: name, name, subdomain: { enabled: script.subdomain, previews_enabled: false } },
      };
    switch (`${method} ${part}`) {
      case "DELETE ":
        this.scripts.delete(name);
        for (const zone of this.zones) zone.routes = zone.routes.filter((route) => route.script !== name);
        return { result: null };
      case "GET settings":
        return {
          result: {
            bindings: script.bindings.map(({ text, ...binding }) =>
              binding.type === "plain_text" ? { ...binding, text } : binding,
            ),
            compatibility_date: script.metadata.compatibility_date,
            tags: script.metadata.tags ?? [],
          },
        };
      case "GET schedules":
        return { result: { schedules: script.schedules } };
      case "PUT schedules":
        script.schedules = body.json as unknown as { cron: string }[];
        return { result: { schedules: script.schedules } };
      case "GET subdomain":
        return { result: { enabled: script.subdomain, previews_enabled: false } };
      case "POST subdomain":
        script.subdomain = Boolean(body.json.enabled);
        return { result: { enabled: script.subdomain, previews_enabled: false } };
      case "GET secrets":
        return {
          result: script.bindings
            .filter(({ type }) => type === "secret_text")
            .map(({ name, type }) => ({ name, type })),
        };
      case "GET deployments":
        return { result: { deployments: [] } };
      case "PUT routes": {
        const wanted = body.json as unknown as { pattern: string; zone_name?: string }[];
        for (const { pattern, zone_name } of wanted) {
          const zone = this.zones.find(
            (candidate) => candidate.name === zone_name || pattern.includes(candidate.name),
          );
          if (zone && !zone.routes.some((route) => route.pattern === pattern))
            zone.routes.push({ id: randomUUID(), pattern, script: name });
        }
        return { result: wanted };
      }
    }
    throw new Refusal(404, 7003, `Could not route ${path}`);
  }

  #upload(name: string, { form }: Body): { result: unknown } {
    const metadata = JSON.parse(form?.metadata ?? "null") as Metadata | null;
    if (!form || !metadata) throw new Refusal(400, 10021, "The upload has no metadata.");
    const before = this.scripts.get(name);
    const modules = form.modules;
    if (!modules.some((module) => module.name === metadata.main_module))
      throw new Refusal(400, 10021, `No such module: ${metadata.main_module}`);
    const { migrations } = metadata;
    if (before && migrations && migrations.old_tag !== before.migrationTag)
      throw new Refusal(
        412,
        10079,
        `Migration tag precondition failed; expected tag "${before.migrationTag}"`,
      );
    const defined = new Set(metadata.bindings.map((binding) => binding.name));
    const kept = (before?.bindings ?? []).filter(
      (binding) => metadata.keep_bindings?.includes(binding.type) && !defined.has(binding.name),
    );
    this.scripts.set(name, {
      metadata,
      modules,
      bindings: [...metadata.bindings, ...kept],
      migrationTag: migrations?.new_tag ?? before?.migrationTag,
      schedules: before?.schedules ?? [],
      subdomain: before?.subdomain ?? true,
    });
    return { result: { id: name, etag: "etag", startup_time_ms: 5, entry_point: "worker.js" } };
  }
}

interface Body {
  json: Record<string, unknown>;
  form: { metadata: string; modules: { name: string; type: string; code: string }[] } | undefined;
}

async function bodyOf(request: IncomingMessage, bytes: Buffer): Promise<Body> {
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data"))
    return { json: bytes.length > 0 ? JSON.parse(bytes.toString()) : {}, form: undefined };
  const parsed = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } }).formData();
  const modules = [];
  let metadata = "";
  for (const [name, value] of parsed) {
    if (name === "metadata") metadata = typeof value === "string" ? value : await value.text();
    else if (typeof value !== "string") modules.push({ name, type: value.type, code: await value.text() });
  }
  return { json: {}, form: { metadata, modules } };
}

/** The usual calls on a list: all, one more, one changed, one gone. */
function collection(
  items: Resource[],
  path: string,
  method: string,
  query: URLSearchParams,
  { json }: Body,
  check: (wanted: Record<string, unknown>) => void,
): { result: unknown } {
  if (path === "" && method === "GET") return page(items, query, 100);
  if (path === "" && method === "POST") {
    check(json);
    const item = { ...json, id: randomUUID() };
    items.push(item);
    return { result: item };
  }
  const item = items.find(({ id }) => `/${id}` === path);
  if (!item) throw new Refusal(404, 81044, "It does not exist.");
  if (method === "DELETE") items.splice(items.indexOf(item), 1);
  else if (method !== "GET") Object.assign(item, json);
  return { result: item };
}

function page<T>(items: readonly T[], query: URLSearchParams, size: number) {
  const perPage = Number(query.get("per_page")) || size;
  const number = Number(query.get("page")) || 1;
  const result = items.slice((number - 1) * perPage, number * perPage);
  return {
    result,
    result_info: {
      page: number,
      per_page: perPage,
      count: result.length,
      total_count: items.length,
      total_pages: Math.ceil(items.length / perPage),
    },
  };
}
