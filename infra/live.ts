/** What there is at Cloudflare now, as far as a deployment is concerned. Reads only. */
import { markOf } from "../core/api/tunnel-marks.ts";
import { all, attempt, type CallOutcome, type CloudflareClient } from "./cloudflare.ts";
import { RIGHTS, type Right, type RightKey, rightsList, tokenPage } from "./credentials.ts";
import { InfraError } from "./errors.ts";

export interface DnsRecord {
  id: string;
  type: string;
  /** The whole host name. */
  name: string;
  content: string;
  proxied: boolean;
  comment: string;
}

export interface Rule {
  id: string;
  ref: string;
  expression: string;
  /** It takes what it matches out of the cache, and is enabled. */
  bypasses: boolean;
}

export interface LiveZone {
  id: string;
  name: string;
  status: string;
  records: readonly DnsRecord[];
  routes: readonly { id: string; pattern: string; script: string | undefined }[];
  /** Undefined when the zone has no cache rules. */
  cacheRules: { rulesetId: string; rules: readonly Rule[] } | undefined;
}

export interface LiveScript {
  tags: readonly string[];
  migrationTag: string | undefined;
  compatibilityDate: string | undefined;
  /** `text` of plain variables; secrets show their names only. */
  bindings: readonly { name: string; type: string; text: string | undefined }[];
  /** Of its Durable Objects. */
  classNames: readonly string[];
  crons: readonly string[];
  subdomainEnabled: boolean;
}

export interface Tunnel {
  id: string;
  name: string;
  /** `healthy` when a laptop is connected. */
  status: string;
  /** Of the Worker that made it. */
  mark: string | undefined;
}

export interface LiveState {
  account: { id: string; name: string };
  zones: readonly LiveZone[];
  script: LiveScript | undefined;
  /** The account's API tokens, when this token may see them. */
  tokens: readonly { id: string; name: string }[] | "not-permitted";
  tunnels: readonly Tunnel[];
  /** The runtime's token was given, and none has to be made. */
  runtimeTokenGiven: boolean;
}

export interface DeploymentTarget {
  /** Script. */
  name: string;
  zones: readonly string[];
  accountId: string | undefined;
  runtimeTokenGiven: boolean;
}

/** Throws an `InfraError` that names every missing right at once, with where it is needed. */
export async function readLive(client: CloudflareClient, place: DeploymentTarget): Promise<LiveState> {
  const missing = new Set<RightKey>();
  const read = async <T>(
    right: RightKey,
    what: string,
    ask: () => PromiseLike<T>,
  ): Promise<T | undefined> => {
    const outcome: CallOutcome<T> = await attempt(what, ask);
    if (outcome === "not-allowed") missing.add(right);
    return typeof outcome === "object" ? outcome.value : undefined;
  };

  const found = (await read("zones", "list the zones", () => all(client.zones.list({ per_page: 50 })))) ?? [];
  if (missing.size > 0) throw missingRights(missing);
  const wanted = place.zones.map((name) => {
    const zone = found.find((candidate) => candidate.name === name.toLowerCase());
    if (zone) return zone;
    const names = found.map((candidate) => candidate.name).join(", ") || "none";
    throw new InfraError("zone-unknown", `The token sees no zone "${name}". It sees: ${names}.`);
  });
  const account = accountOf(wanted, place.accountId);
  const account_id = account.id;

  const zones: LiveZone[] = [];
  for (const { id, name, status } of wanted) {
    const records = await read("dns", `list the DNS records of ${name}`, () =>
      all(client.dns.records.list({ zone_id: id, per_page: 1000 })),
    );
    const routes = await read("routes", `list the routes of ${name}`, () =>
      all(client.workers.routes.list({ zone_id: id })),
    );
    const rules = await read("cacheRules", `read the cache rules of ${name}`, () =>
      client.rulesets.phases.get("http_request_cache_settings", { zone_id: id }),
    );
    zones.push({
      id,
      name,
      status: status ?? "active",
      records: (records ?? []).map((record) => ({
        id: record.id,
        type: record.type,
        name: record.name,
        content: record.content ?? "",
        proxied: record.proxied ?? false,
        comment: record.comment ?? "",
      })),
      routes: (routes ?? []).map((route) => ({
        id: route.id,
        pattern: route.pattern,
        script: route.script || undefined,
      })),
      cacheRules: rules && { rulesetId: rules.id, rules: (rules.rules ?? []).map(ruleOf) },
    });
  }

  const script = await readScript(client, account_id, place.name, read);
  const tokens = await attempt("list the account's API tokens", () =>
    all(client.accounts.tokens.list({ account_id })),
  );
  const tunnels = await read("tunnels", "list the tunnels", () =>
    all(client.zeroTrust.tunnels.cloudflared.list({ account_id, is_deleted: false, per_page: 100 })),
  );
  if (missing.size > 0) throw missingRights(missing);
  return {
    account,
    zones,
    script,
    tokens:
      typeof tokens === "object"
        ? tokens.value.map(({ id, name }) => ({ id: id ?? "", name: name ?? "" }))
        : "not-permitted",
    tunnels: (tunnels ?? []).map(({ id, name, status, metadata }) => ({
      id: id ?? "",
      name: name ?? "",
      status: status ?? "",
      mark: markOf(metadata),
    })),
    runtimeTokenGiven: place.runtimeTokenGiven,
  };
}

type Read = <T>(right: RightKey, what: string, ask: () => PromiseLike<T>) => Promise<T | undefined>;

async function readScript(
  client: CloudflareClient,
  account_id: string,
  name: string,
  read: Read,
): Promise<LiveScript | undefined> {
  const scripts = await read("scripts", "list the Workers", () =>
    all(client.workers.scripts.list({ account_id })),
  );
  const listed = scripts?.find(({ id }) => id === name);
  if (!listed) return undefined;
  const settings = await read("scripts", `read the settings of ${name}`, () =>
    client.workers.scripts.scriptAndVersionSettings.get(name, { account_id }),
  );
  const schedules = await read("scripts", `read the schedule of ${name}`, () =>
    client.workers.scripts.schedules.get(name, { account_id }),
  );
  const subdomain = await read("scripts", `read the workers.dev setting of ${name}`, () =>
    client.workers.scripts.subdomain.get(name, { account_id }),
  );
  const bindings = (settings?.bindings ?? []).map((binding) => ({
    name: binding.name,
    type: binding.type,
    text: "text" in binding && binding.type === "plain_text" ? binding.text : undefined,
    className: "class_name" in binding ? binding.class_name : undefined,
  }));
  return {
    tags: settings?.tags ?? listed.tags ?? [],
    migrationTag: listed.migration_tag,
    compatibilityDate: settings?.compatibility_date ?? listed.compatibility_date,
    bindings,
    classNames: bindings.flatMap(({ className }) => className ?? []),
    crons: (schedules?.schedules ?? []).map(({ cron }) => cron),
    subdomainEnabled: subdomain?.enabled ?? false,
  };
}

interface CacheRule {
  id?: string;
  ref?: string;
  expression?: string;
  enabled?: boolean;
  action?: string;
  action_parameters?: unknown;
}

function ruleOf(rule: CacheRule): Rule {
  const parameters = rule.action_parameters as { cache?: boolean } | undefined;
  return {
    id: rule.id ?? "",
    ref: rule.ref ?? "",
    expression: rule.expression ?? "",
    bypasses: rule.action === "set_cache_settings" && parameters?.cache === false && rule.enabled !== false,
  };
}

function accountOf(
  zones: readonly { name: string; account: { id?: string; name?: string } }[],
  wanted: string | undefined,
) {
  const accounts = new Map(zones.map(({ account }) => [account.id ?? "", account.name ?? account.id ?? ""]));
  if (accounts.size > 1)
    throw new InfraError(
      "account-ambiguous",
      `The zones belong to different accounts (${[...accounts.values()].join(", ")}). One Worker serves the zones of one account.`,
    );
  const [[id, name] = ["", ""]] = accounts;
  if (wanted && wanted !== id)
    throw new InfraError(
      "account-ambiguous",
      `The zones belong to the account ${name} (${id}), and CLOUDFLARE_ACCOUNT_ID names ${wanted}.`,
    );
  return { id, name };
}

function missingRights(missing: ReadonlySet<RightKey>): InfraError {
  const rights: Right[] = [...missing].map((key) => RIGHTS[key]);
  return new InfraError(
    "rights-missing",
    `The Cloudflare token lacks ${rights.length === 1 ? "a right" : "rights"}:\n${rightsList(rights)}\nThis page makes a token with all of them: ${tokenPage()}`,
  );
}
