/** The calls to Cloudflare's API that tunnels need. Each has a time limit; each failure is a `TunnelError`. */
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "cloudflare/error";
import { BaseRecords } from "cloudflare/resources/dns/records";
import { BaseCloudflared } from "cloudflare/resources/zero-trust/tunnels/cloudflared/cloudflared";
import { BaseZones } from "cloudflare/resources/zones/zones";
import { createClient } from "cloudflare/tree-shakable";
import type { Env } from "../env.ts";
import { cappedFetch } from "./capped-fetch.ts";
import { TunnelError } from "./provider.ts";

/** Time limit of one attempt of one call. */
const ATTEMPT_TIMEOUT_MS = 5_000;

const TUNNEL_HOST_SUFFIX = ".cfargotunnel.com";
// Cloudflare's error codes.
const NAME_TAKEN = [1013];
const RECORD_EXISTS = [81053, 81054, 81057, 81058];

export type CloudflareApi = ReturnType<typeof cloudflareApi>;

/** Cached for the life of the isolate: a zone never changes its name. */
const zoneNames = new Map<string, string>();

/** `budgetMs`: time limit of all calls together, retries and their pauses included. */
export function cloudflareApi(env: Env, budgetMs: number) {
  // The client ignores the signal while it sleeps for Retry-After: the race ends the wait, the signal the retries.
  const signal = AbortSignal.timeout(budgetMs);
  const timedOut = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new APIUserAbortError())),
  );
  timedOut.catch(() => {});
  const account_id = required(env.CLOUDFLARE_ACCOUNT_ID, "CLOUDFLARE_ACCOUNT_ID");
  const zone_id = required(env.CLOUDFLARE_TUNNEL_ZONE_ID, "CLOUDFLARE_TUNNEL_ZONE_ID");
  const client = createClient({
    apiToken: required(env.CLOUDFLARE_API_TOKEN, "CLOUDFLARE_API_TOKEN"),
    baseURL: env.CLOUDFLARE_API_BASE_URL || "https://api.cloudflare.com/client/v4",
    resources: [BaseCloudflared, BaseRecords, BaseZones],
    timeout: ATTEMPT_TIMEOUT_MS,
    maxRetries: 2,
    fetch: cappedFetch,
    logLevel: "off",
  });
  const tunnels = client.zeroTrust.tunnels.cloudflared;
  const { records } = client.dns;

  return {
    accountId: account_id,

    async zoneName(): Promise<string> {
      const known = zoneNames.get(zone_id);
      if (known) return known;
      const { name } = await call("read the tunnel zone", (options) =>
        client.zones.get({ zone_id }, options),
      );
      zoneNames.set(zone_id, name);
      return name;
    },

    async createTunnel(name: string, tunnel_secret: string): Promise<string | "name-taken"> {
      const created = await call(
        `create the tunnel "${name}"`,
        (options) => tunnels.create({ account_id, name, tunnel_secret, config_src: "local" }, options),
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

    async tunnelsNamed(name: string): Promise<string[]> {
      const found = await listed("look for the tunnel by its name", (options) =>
        tunnels.list({ account_id, name, is_deleted: false }, options),
      );
      // The documentation does not promise an exact match.
      return found.flatMap((tunnel) => (tunnel.name === name && tunnel.id ? [tunnel.id] : []));
    },

    async tunnelsWithPrefix(prefix: string) {
      const found = await listed("list the tunnels", (options) =>
        tunnels.list({ account_id, include_prefix: prefix, is_deleted: false, per_page: 100 }, options),
      );
      return found.flatMap(({ id, name, created_at }) =>
        id && name?.startsWith(prefix) ? [{ id, name, created: Date.parse(created_at ?? "") || 0 }] : [],
      );
    },

    async deleteTunnel(id: string): Promise<void> {
      await call(
        "delete the tunnel",
        (options) => tunnels.delete(id, { account_id }, { ...options, query: { cascade: true } }),
        "not-found",
      );
    },

    /** Points the host to the tunnel, replacing a record that points to another tunnel. */
    async pointRecord(host: string, tunnelId: string): Promise<void> {
      const content = `${tunnelId}${TUNNEL_HOST_SUFFIX}`;
      const record = { zone_id, type: "CNAME", name: host, content, proxied: true, ttl: 1 } as const;
      const create = (options: CallOptions) => records.create(record, options);
      if (await call(`create the DNS record ${host}`, create, RECORD_EXISTS)) return;

      for (const existing of await recordsOf(host)) {
        if (existing.content === content) return;
        if (existing.type !== "CNAME" || !existing.content?.endsWith(TUNNEL_HOST_SUFFIX)) {
          throw new TunnelError(
            `The DNS record ${host} (${existing.type} ${existing.content}) conflicts with the tunnel, and was not created by Linkup.`,
          );
        }
        await call(`change the DNS record ${host}`, (options) =>
          records.update(existing.id, record, options),
        );
        return;
      }
      throw new TunnelError(`Cloudflare reports that the DNS record ${host} exists, but does not list it.`);
    },

    async pointsTo(host: string, tunnelId: string): Promise<boolean> {
      const found = await recordsOf(host);
      return found.some(({ content }) => content === `${tunnelId}${TUNNEL_HOST_SUFFIX}`);
    },

    /** Deletes the records that point this host to a tunnel. */
    async deleteRecords(host: string): Promise<void> {
      for (const { id, type, content } of await recordsOf(host)) {
        if (type === "CNAME" && content?.endsWith(TUNNEL_HOST_SUFFIX)) await this.deleteRecord(id);
      }
    },

    async deleteRecord(id: string): Promise<void> {
      await call("delete the DNS record", (options) => records.delete(id, { zone_id }, options), "not-found");
    },

    /** The records whose name has this prefix and that point to a tunnel. */
    async tunnelRecords(prefix: string) {
      const found = await listed("list the DNS records", (options) =>
        records.list(
          {
            zone_id,
            type: "CNAME",
            name: { startswith: prefix },
            content: { endswith: TUNNEL_HOST_SUFFIX },
            per_page: 1000,
          },
          options,
        ),
      );
      return found.flatMap(({ id, name, content, created_on }) =>
        content?.endsWith(TUNNEL_HOST_SUFFIX) && name.startsWith(prefix)
          ? [
              {
                id,
                name,
                tunnelId: content.slice(0, -TUNNEL_HOST_SUFFIX.length),
                created: Date.parse(created_on) || 0,
              },
            ]
          : [],
      );
    },
  };

  async function recordsOf(host: string) {
    const found = await listed(`look for the DNS record ${host}`, (options) =>
      records.list({ zone_id, name: { exact: host } }, options),
    );
    return found.filter(({ name }) => name === host);
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

  function listed<T>(action: string, send: (options: CallOptions) => AsyncIterable<T>): Promise<T[]> {
    return call(action, async (options) => {
      const items: T[] = [];
      for await (const item of send(options)) items.push(item);
      return items;
    });
  }
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
