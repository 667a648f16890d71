/** The calls to Cloudflare's API that tunnels need. Each has a time limit; each failure is a `TunnelError`. */
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "cloudflare/error";
import { BaseRecords } from "cloudflare/resources/dns/records";
import { BaseCloudflared } from "cloudflare/resources/zero-trust/tunnels/cloudflared/cloudflared";
import { BaseToken } from "cloudflare/resources/zero-trust/tunnels/cloudflared/token";
import { BaseZones } from "cloudflare/resources/zones/zones";
import { createClient } from "cloudflare/tree-shakable";
import { markOf } from "../../core/api/tunnel-marks.ts";
import type { Env } from "../env.ts";
import { cappedFetch } from "./capped-fetch.ts";
import { TunnelError } from "./provider.ts";

/** Time limit of one attempt of one call. */
const ATTEMPT_TIMEOUT_MS = 5_000;

/** Of lists, the most that Cloudflare gives; and how many pages are read of one. */
const PAGE_SIZE = 1000;
const MAX_PAGES = 5;

const TUNNEL_HOST_SUFFIX = ".cfargotunnel.com";
// Cloudflare's error codes.
const NAME_TAKEN = [1013];
const RECORD_EXISTS = [81053, 81054, 81057, 81058];

export type CloudflareApi = ReturnType<typeof cloudflareApi>;

/** Cached for the life of the isolate: a zone never changes its name. */
const zoneNames = new Map<string, string>();

export interface ApiTunnel {
  id: string;
  name: string;
  /** Milliseconds since the epoch. */
  created: number;
  /** `healthy` or `degraded` while a cloudflared is connected. */
  status: string;
  mark: string | undefined;
}

export interface TunnelDnsRecord {
  id: string;
  /** The whole host name. */
  name: string;
  tunnelId: string;
  comment: string;
  created: number;
}

/** A list, and whether that is all of it. */
export interface ListResult<T> {
  items: T[];
  complete: boolean;
}

interface ApiLimits {
  /** Of all calls together, retries and their pauses included. */
  budgetMs: number;
  /** How often a failed call is repeated; 2 when not given. */
  maxRetries?: number;
}

export function cloudflareApi(env: Env, { budgetMs, maxRetries = 2 }: ApiLimits) {
  // The client ignores the signal while it sleeps for Retry-After: the race ends the wait, the signal the retries.
  const signal = AbortSignal.timeout(budgetMs);
  const timedOut = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new APIUserAbortError())),
  );
  timedOut.catch(() => {});
  const account_id = required(env.CLOUDFLARE_ACCOUNT_ID, "CLOUDFLARE_ACCOUNT_ID");
  const zone_id = required(env.CLOUDFLARE_TUNNEL_ZONE_ID, "CLOUDFLARE_TUNNEL_ZONE_ID");
  let calls = 0;
  const client = createClient({
    apiToken: required(env.CLOUDFLARE_API_TOKEN, "CLOUDFLARE_API_TOKEN"),
    baseURL: env.CLOUDFLARE_API_BASE_URL || "https://api.cloudflare.com/client/v4",
    resources: [BaseCloudflared, BaseToken, BaseRecords, BaseZones],
    timeout: ATTEMPT_TIMEOUT_MS,
    maxRetries,
    fetch: (input, init) => {
      calls++;
      return cappedFetch(input, init);
    },
    logLevel: "off",
  });
  const tunnels = client.zeroTrust.tunnels.cloudflared;
  const { records } = client.dns;

  return {
    accountId: account_id,

    /** Requests sent so far, retries included. */
    get calls() {
      return calls;
    },

    async zoneName(): Promise<string> {
      const known = zoneNames.get(zone_id);
      if (known) return known;
      const { name } = await call("read the tunnel zone", (options) =>
        client.zones.get({ zone_id }, options),
      );
      zoneNames.set(zone_id, name);
      return name;
    },

    async createTunnel(name: string, tunnel_secret: string, mark: string): Promise<string | "name-taken"> {
      // The documentation names no metadata for this call, though tunnels have it. It is one of two marks.
      const marked = { metadata: { linkup: mark } };
      const created = await call(
        `create the tunnel "${name}"`,
        (options) =>
          tunnels.create({ account_id, name, tunnel_secret, config_src: "local", ...marked }, options),
        NAME_TAKEN,
      );
      if (created === undefined) return "name-taken";
      if (!created.id) throw new TunnelError(`Cloudflare gave the tunnel "${name}" no id.`);
      return created.id;
    },

    async hasTunnel(id: string): Promise<boolean> {
      const found = await call(
        "look for the tunnel",
        (options) => tunnels.get(id, { account_id }, options),
        "not-found",
      );
      return found !== undefined && !found.deleted_at;
    },

    /** Whether the tunnel was made with this secret, which nobody else knows. */
    async hasSecret(id: string, secret: string): Promise<boolean> {
      const token = await call(
        "read the tunnel's token",
        (options) => tunnels.token.get(id, { account_id }, options),
        "not-found",
      );
      if (token === undefined) return false;
      try {
        return (JSON.parse(atob(token)) as { s?: unknown }).s === secret;
      } catch {
        return false;
      }
    },

    async tunnelsNamed(name: string): Promise<ApiTunnel[]> {
      const { result } = await call("look for the tunnel by its name", (options) =>
        tunnels.list({ account_id, name, is_deleted: false }, options),
      );
      // The documentation does not promise an exact match.
      return result.flatMap(apiTunnel).filter((tunnel) => tunnel.name === name);
    },

    async tunnelsWithPrefix(prefix: string): Promise<ListResult<ApiTunnel>> {
      const found = await listed("list the tunnels", (options) =>
        tunnels.list({ account_id, include_prefix: prefix, is_deleted: false, per_page: PAGE_SIZE }, options),
      );
      return {
        ...found,
        items: found.items.flatMap(apiTunnel).filter(({ name }) => name.startsWith(prefix)),
      };
    },

    async deleteTunnel(id: string): Promise<void> {
      await call(
        "delete the tunnel",
        (options) => tunnels.delete(id, { account_id }, { ...options, query: { cascade: true } }),
        "not-found",
      );
    },

    /** Makes the record that points the host to the tunnel; false when the host has a record already. */
    async createRecord(host: string, tunnelId: string, comment: string): Promise<boolean> {
      const create = (options: CallOptions) => records.create(tunnelRecord(host, tunnelId, comment), options);
      return (await call(`create the DNS record ${host}`, create, RECORD_EXISTS)) !== undefined;
    },

    async changeRecord(id: string, host: string, tunnelId: string, comment: string): Promise<void> {
      await call(`change the DNS record ${host}`, (options) =>
        records.update(id, tunnelRecord(host, tunnelId, comment), options),
      );
    },

    async deleteRecord(id: string): Promise<void> {
      await call("delete the DNS record", (options) => records.delete(id, { zone_id }, options), "not-found");
    },

    /** All records of this host: those that point to a tunnel, and descriptions of others. */
    async recordsOf(host: string): Promise<{ tunnels: TunnelDnsRecord[]; others: string[] }> {
      const { result } = await call(`look for the DNS record ${host}`, (options) =>
        records.list({ zone_id, name: { exact: host } }, options),
      );
      const found = result.filter(({ name }) => name === host);
      const leading = found.flatMap(dnsRecord);
      const others = found.filter(({ id }) => !leading.some((record) => record.id === id));
      return { tunnels: leading, others: others.map(({ type, content }) => `${type} ${content}`) };
    },

    /** The records whose name has this prefix and that point to a tunnel. */
    async tunnelRecords(prefix: string): Promise<TunnelDnsRecord[]> {
      const { items } = await listed("list the DNS records", (options) =>
        records.list(
          {
            zone_id,
            type: "CNAME",
            name: { startswith: prefix },
            content: { endswith: TUNNEL_HOST_SUFFIX },
            per_page: PAGE_SIZE,
          },
          options,
        ),
      );
      return items.flatMap(dnsRecord).filter(({ name }) => name.startsWith(prefix));
    },
  };

  function tunnelRecord(name: string, tunnelId: string, comment: string) {
    const content = `${tunnelId}${TUNNEL_HOST_SUFFIX}`;
    return { zone_id, type: "CNAME", name, content, proxied: true, ttl: 1, comment } as const;
  }

  /** One call. Undefined for an expected failure (Cloudflare's error codes, or "not found"); others throw `TunnelError`. */
  async function call<T>(
    action: string,
    send: (options: CallOptions) => PromiseLike<T>,
    expected: number[] | "not-found",
  ): Promise<T | undefined>;
  async function call<T>(action: string, send: (options: CallOptions) => PromiseLike<T>): Promise<T>;
  async function call<T>(
    action: string,
    send: (options: CallOptions) => PromiseLike<T>,
    expected: number[] | "not-found" = [],
  ): Promise<T | undefined> {
    try {
      return await Promise.race([send({ signal }), timedOut]);
    } catch (error) {
      if (isExpected(error, expected)) return undefined;
      throw new TunnelError(`Cloudflare's API did not ${action}: ${reason(error)}`, { cause: error });
    }
  }

  async function listed<T>(
    action: string,
    send: (options: CallOptions) => PromiseLike<Page<T>>,
  ): Promise<ListResult<T>> {
    let page = await call(action, send);
    const items = [...page.result];
    for (let pages = 1; page.result.length === PAGE_SIZE && pages < MAX_PAGES; pages++) {
      const { getNextPage } = page;
      page = await call(action, () => getNextPage.call(page));
      items.push(...page.result);
    }
    return { items, complete: page.result.length < PAGE_SIZE };
  }
}

interface Page<T> {
  result: T[];
  getNextPage(): PromiseLike<Page<T>>;
}

function apiTunnel(tunnel: {
  id?: string;
  name?: string;
  created_at?: string;
  status?: string;
  metadata?: unknown;
}): ApiTunnel[] {
  const { id, name, created_at, status, metadata } = tunnel;
  if (!id || !name) return [];
  const created = Date.parse(created_at ?? "") || 0;
  return [{ id, name, created, status: status ?? "unknown", mark: markOf(metadata) }];
}

function dnsRecord(record: {
  id: string;
  type: string;
  name: string;
  content?: string;
  comment?: string | null;
  created_on?: string;
}): TunnelDnsRecord[] {
  const { id, type, name, content, comment, created_on } = record;
  if (type !== "CNAME" || !content?.endsWith(TUNNEL_HOST_SUFFIX)) return [];
  const tunnelId = content.slice(0, -TUNNEL_HOST_SUFFIX.length);
  return [{ id, name, tunnelId, comment: comment ?? "", created: Date.parse(created_on ?? "") || 0 }];
}

interface CallOptions {
  signal: AbortSignal;
}

function isExpected(error: unknown, expected: number[] | "not-found"): boolean {
  if (!(error instanceof APIError)) return false;
  if (expected === "not-found") return error.status === 404;
  return error.errors.some(({ code }) => code !== undefined && expected.includes(code));
}

function reason(error: unknown): string {
  if (error instanceof APIUserAbortError || error instanceof APIConnectionTimeoutError)
    return "it timed out. Try again later, or see https://www.cloudflarestatus.com.";
  if (error instanceof APIConnectionError) return "it could not be reached. Try again later.";
  if (!(error instanceof APIError)) return String(error);
  const details = error.errors.map(({ code, message }) => `${message} (code ${code})`).join("; ");
  const said = details || `status ${error.status}`;
  if (error.status === 429) return `too many calls. Try again in some minutes. (${said})`;
  if (error.status === 401 || error.status === 403)
    return `${said}. The Worker's CLOUDFLARE_API_TOKEN needs the permissions "Account · Cloudflare Tunnel · Edit" and "Zone · DNS · Edit".`;
  return said;
}

function required(value: string | undefined, name: string): string {
  if (value) return value;
  throw new TunnelError(
    `The Worker's variable ${name} is not set: deploy it again with it, or with LINKUP_TUNNEL=direct for a Worker on this machine.`,
  );
}
