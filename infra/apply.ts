/** Does what a plan says, step by step, in its order. Every step can be repeated; a plan made anew leaves out what is done. */
import { randomBytes } from "node:crypto";
import { all, attempt, type CloudflareClient, call } from "./cloudflare.ts";
import { InfraError } from "./errors.ts";
import type { LiveState } from "./live.ts";
import { recordComment, ruleReference, tokenName } from "./marks.ts";
import type { DeploymentPlan, PlannedResource, PlannedStep } from "./plan.ts";
import { uploadScript } from "./script-upload.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

/** Two of the names under which Cloudflare lists what a token may do. */
const TUNNEL_RIGHT = /^(Cloudflare|Argo) Tunnel (Write|Edit)$/;
const DNS_RIGHT = /^DNS Write$/;

export interface ApplyOptions {
  client: CloudflareClient;
  plan: DeploymentPlan;
  live: LiveState;
  /** For a deployment. */
  bundle: WorkerBundle;
  /** The zone for the runtime's token. */
  tunnelZoneId: string;
  /** The main worker token for a script that has none. */
  workerToken: string | undefined;
  /** The runtime's token, when it was given. */
  runtimeToken: string | undefined;
  /** Told before each step, and after it. */
  progress: (resource: PlannedResource, state: "started" | "done") => void;
  signal: AbortSignal | undefined;
}

/** A main worker token: 256 random bits. */
export function newWorkerToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Throws an `InfraError` that says what is done and what a repeat will do. Conflicts are never resolved here:
 * a plan with conflicts does the rest.
 */
export async function applyPlan(options: ApplyOptions): Promise<void> {
  const { plan, progress, signal } = options;
  const steps = plan.resources.filter(({ step }) => step !== undefined);
  const run = stepRunner(options);
  for (const [index, resource] of steps.entries()) {
    if (signal?.aborted) throw new InfraError("cancelled", `Cancelled. ${soFar(steps, index)}`);
    progress(resource, "started");
    try {
      await run(resource.step!);
    } catch (error) {
      if (!(error instanceof InfraError)) throw error;
      throw new InfraError(error.code, `${error.message}\n${soFar(steps, index)}`, { cause: error });
    }
    progress(resource, "done");
  }
}

/** What is done and what a repeat will do. */
function soFar(steps: readonly PlannedResource[], index: number): string {
  const names = (resources: readonly PlannedResource[]) =>
    resources.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  const done = index === 0 ? "Nothing was changed." : `Done: ${names(steps.slice(0, index))}.`;
  return `${done} The same command again goes on with: ${names(steps.slice(index))}.`;
}

function stepRunner({ client, plan, live, bundle, tunnelZoneId, workerToken, runtimeToken }: ApplyOptions) {
  const account_id = plan.account.id;
  const script = plan.worker;
  let tunnelToken = runtimeToken;
  const { records } = client.dns;

  return async (step: PlannedStep): Promise<void> => {
    switch (step.do) {
      case "replace-token":
        await gone("delete the API token whose value is lost", () =>
          client.accounts.tokens.delete(step.id, { account_id }),
        );
        tunnelToken = await createToken();
        return;
      case "create-token":
        tunnelToken = await createToken();
        return;
      case "upload-script": {
        const values = { WORKER_TOKEN: workerToken, CLOUDFLARE_API_TOKEN: tunnelToken };
        const secrets: Record<string, string> = {};
        for (const name of step.secrets) {
          const value = values[name];
          if (!value)
            throw new InfraError(
              "conflict",
              `The script's secret ${name} has no value: its conflict has to be resolved first.`,
            );
          secrets[name] = value;
        }
        const migratedTo = live.script?.migrationTag;
        await call("upload the script", "scripts", () =>
          uploadScript(client, account_id, script, bundle, {
            variables: step.variables,
            secrets,
            migratedTo,
          }),
        );
        return;
      }
      case "set-schedule":
        await call("set the schedule", "scripts", () =>
          client.workers.scripts.schedules.update(script, {
            account_id,
            body: bundle.crons.map((cron) => ({ cron })),
          }),
        );
        return;
      case "disable-subdomain":
        await call("switch workers.dev off", "scripts", () =>
          client.workers.scripts.subdomain.create(script, { account_id, enabled: false }),
        );
        return;
      case "create-record":
        // A Worker answers, so the address is never asked: 100:: is the discard prefix (RFC 6666).
        await call(`create the DNS record ${step.host}`, "dns", () =>
          records.create({
            zone_id: step.zoneId,
            type: "AAAA",
            name: step.host,
            content: "100::",
            proxied: true,
            ttl: 1,
            comment: recordComment(script),
          }),
        );
        return;
      case "proxy-record":
        await call("switch the DNS record's proxy on", "dns", () =>
          records.edit(step.id, { zone_id: step.zoneId, proxied: true } as Parameters<
            typeof records.edit
          >[1]),
        );
        return;
      case "create-route":
        await call(`create the route ${step.pattern}`, "routes", () =>
          client.workers.routes.create({ zone_id: step.zoneId, pattern: step.pattern, script }),
        );
        return;
      case "create-cache-rule":
        await createRule(step.zoneId, step.expression);
        return;
      case "change-cache-rule":
        await call("change the cache rule", "cacheRules", () =>
          client.rulesets.rules.edit(step.id, rule(step.zoneId, step.expression, step.rulesetId)),
        );
        return;
      case "delete-route":
        await gone("delete the route", () => client.workers.routes.delete(step.id, { zone_id: step.zoneId }));
        return;
      case "delete-record":
        await gone("delete the DNS record", () => records.delete(step.id, { zone_id: step.zoneId }));
        return;
      case "delete-cache-rule":
        await gone("delete the cache rule", () =>
          client.rulesets.rules.delete(step.id, { ruleset_id: step.rulesetId, zone_id: step.zoneId }),
        );
        return;
      case "delete-tunnel":
        await gone("delete the tunnel", () =>
          client.zeroTrust.tunnels.cloudflared.delete(step.id, { account_id }, { query: { cascade: true } }),
        );
        return;
      case "delete-script":
        // Its Durable Objects hold the sessions; without force Cloudflare would refuse.
        await gone("delete the script", () =>
          client.workers.scripts.delete(script, { account_id, force: true }),
        );
        return;
      case "delete-token":
        await gone("delete the API token", () => client.accounts.tokens.delete(step.id, { account_id }));
        return;
    }
  };

  async function createToken(): Promise<string> {
    const groups = await call("list what tokens may do", "tokens", () =>
      all(client.accounts.tokens.permissionGroups.list({ account_id })),
    );
    const idOf = (right: RegExp) => {
      const id = groups.find(({ name }) => name && right.test(name))?.id;
      if (id) return id;
      throw new InfraError("cloudflare-failed", `Cloudflare lists no right that matches ${right.source}.`);
    };
    const created = await call("create the Worker's API token", "tokens", () =>
      client.accounts.tokens.create({
        account_id,
        name: tokenName(script),
        policies: [
          {
            effect: "allow",
            permission_groups: [{ id: idOf(TUNNEL_RIGHT) }],
            resources: { [`com.cloudflare.api.account.${account_id}`]: "*" },
          },
          {
            effect: "allow",
            permission_groups: [{ id: idOf(DNS_RIGHT) }],
            resources: { [`com.cloudflare.api.account.zone.${tunnelZoneId}`]: "*" },
          },
        ],
      }),
    );
    if (!created.value)
      throw new InfraError("cloudflare-failed", "Cloudflare made an API token and gave no value.");
    return created.value;
  }

  function rule(zone_id: string, expression: string, ruleset_id: string) {
    return {
      ruleset_id,
      zone_id,
      expression,
      action: "set_cache_settings" as const,
      action_parameters: { cache: false },
      description: `Linkup (${script}): answers of laptops are not cached`,
      enabled: true,
      ref: ruleReference(script),
    };
  }

  async function createRule(zone_id: string, expression: string): Promise<void> {
    const phase = "http_request_cache_settings" as const;
    const existing = await attempt("read the cache rules", () =>
      client.rulesets.phases.get(phase, { zone_id }),
    );
    if (typeof existing === "object") {
      await call("create the cache rule", "cacheRules", () =>
        client.rulesets.rules.create(existing.value.id, rule(zone_id, expression, existing.value.id)),
      );
      return;
    }
    const { ruleset_id: _, zone_id: _zone, ...first } = rule(zone_id, expression, "");
    await call("create the first cache rule", "cacheRules", () =>
      client.rulesets.phases.update(phase, { zone_id, rules: [first] }),
    );
  }
}

/** A deletion: what is gone already is as wanted. */
async function gone(what: string, ask: () => PromiseLike<unknown>): Promise<void> {
  const outcome = await attempt(what, ask);
  if (outcome === "not-allowed")
    throw new InfraError("rights-missing", `Cloudflare's API did not ${what}: the token may not.`);
}
