/** What a deployment would do: create or change what is not as this version wants it, and touch nothing of others. */

import { tunnelPrefix } from "../core/api/tunnel-marks.ts";
import { isOlder } from "../core/version-order.ts";
import type { LiveState, LiveZone } from "./live.ts";
import { hashOf, isOurRecord, isOurScript, ourRule, tokenName, versionOf } from "./marks.ts";
import type { DeploymentPlan, DeploymentSpec, PlannedResource, PlannedStep, SecretName } from "./plan.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

/** Variables of the script that a deployment sets. Those set by hand stay. */
export function scriptVariables(live: LiveState, wanted: DeploymentSpec): Record<string, string> {
  const tunnelZone = zoneNamed(live, wanted.tunnelZone);
  return {
    CLOUDFLARE_ACCOUNT_ID: live.account.id,
    CLOUDFLARE_TUNNEL_ZONE_ID: tunnelZone.id,
    TUNNEL_NAME_PREFIX: tunnelPrefix(wanted.name, wanted.tunnelZone),
  };
}

export function planDeploy(live: LiveState, wanted: DeploymentSpec, bundle: WorkerBundle): DeploymentPlan {
  const resources: PlannedResource[] = [];
  const script = planScript(live, wanted, bundle);
  // Conflicts at the script end the plan: nothing else of it would be of use.
  if (script.change === "conflict") resources.push(script);
  else resources.push(...planToken(live, script), script, ...planScriptParts(live, bundle));
  const prefix = prefixOf(live, wanted);
  for (const name of wanted.zones) {
    const zone = zoneNamed(live, name);
    resources.push(...planRecords(zone, wanted.name), ...planRoutes(zone, wanted.name));
  }
  resources.push(planCacheRule(zoneNamed(live, wanted.tunnelZone), wanted.name, prefix));
  return {
    action: "deploy",
    account: live.account,
    worker: wanted.name,
    resources,
    warnings: warningsOf(live, wanted),
    stays: [],
  };
}

function planScript(live: LiveState, wanted: DeploymentSpec, bundle: WorkerBundle): PlannedResource {
  const { script } = live;
  const variables = scriptVariables(live, wanted);
  const resource = { kind: "script", name: wanted.name } as const;
  const upload = (
    secrets: readonly SecretName[],
    set: Record<string, string>,
    migrate: boolean,
  ): PlannedStep => ({
    do: "upload-script",
    variables: set,
    secrets,
    migrate,
  });
  if (!script)
    return {
      ...resource,
      change: "create",
      why: `Linkup ${bundle.version}`,
      step: upload(["WORKER_TOKEN", "CLOUDFLARE_API_TOKEN"], variables, true),
    };
  if (!isOurScript(script.tags, script.classNames))
    return { ...resource, change: "conflict", why: "another Worker has this name; choose one with --name" };

  const present = new Set(script.bindings.map(({ name }) => name));
  const secrets = (["WORKER_TOKEN", "CLOUDFLARE_API_TOKEN"] as const).filter((name) => !present.has(name));
  const missing = Object.fromEntries(Object.entries(variables).filter(([name]) => !present.has(name)));
  const deployed = versionOf(script.tags);
  const migrate = script.migrationTag !== bundle.migrationTag;
  const known = bundle.migrations.some(({ tag }) => tag === script.migrationTag);
  if (
    ((deployed && isOlder(bundle.version, deployed)) || (script.migrationTag && !known)) &&
    !wanted.allowOlder
  )
    return {
      ...resource,
      change: "conflict",
      why: `version ${deployed ?? "unknown"} is deployed, newer than this one (${bundle.version}); update Linkup here, or allow the older version with --allow-older`,
    };
  const reasons = [
    ...(deployed === bundle.version
      ? []
      : [`${deployed ? `version ${deployed}` : "an unmarked version"} → ${bundle.version}`]),
    ...(deployed === bundle.version && hashOf(script.tags) !== bundle.hash
      ? ["its code is another build's"]
      : []),
    ...(migrate ? [`storage migration ${bundle.migrationTag}`] : []),
    ...Object.keys(missing).map((name) => `variable ${name} is missing`),
    ...secrets.map((name) => `secret ${name} is missing`),
    ...bundle.bindings
      .filter(({ name }) => !present.has(name))
      .map(({ name }) => `binding ${name} is missing`),
    ...(script.compatibilityDate === bundle.compatibilityDate
      ? []
      : [`compatibility date ${bundle.compatibilityDate}`]),
  ];
  if (reasons.length === 0) return { ...resource, change: "keep", why: `version ${bundle.version}` };
  return { ...resource, change: "change", why: reasons.join(", "), step: upload(secrets, missing, migrate) };
}

/** The token with which the Worker manages tunnels; its value can be read once only, and goes into the script. */
function planToken(live: LiveState, script: PlannedResource): PlannedResource[] {
  const name = tokenName(script.name);
  const needed = script.step?.do === "upload-script" && script.step.secrets.includes("CLOUDFLARE_API_TOKEN");
  const resource = { kind: "API token", name } as const;
  if (live.runtimeTokenGiven)
    return needed ? [{ ...resource, change: "keep", why: "given in CLOUDFLARE_RUNTIME_API_TOKEN" }] : [];
  if (live.tokens === "not-permitted")
    return needed
      ? [
          {
            ...resource,
            change: "conflict",
            why: 'this token may not create API tokens: give it the right "Account · Account API Tokens · Edit", or make one with the rights "Account · Cloudflare Tunnel · Edit" and "Zone · DNS · Edit" and pass it in CLOUDFLARE_RUNTIME_API_TOKEN',
          },
        ]
      : [];
  const existing = live.tokens.find((token) => token.name === name);
  if (!needed) return existing ? [{ ...resource, change: "keep", why: "the Worker has it" }] : [];
  if (existing)
    return [
      {
        ...resource,
        change: "change",
        why: "no Worker has its value",
        step: { do: "replace-token", id: existing.id },
      },
    ];
  return [
    {
      ...resource,
      change: "create",
      why: "rights: Cloudflare Tunnel, and DNS of the tunnel zone",
      step: { do: "create-token" },
    },
  ];
}

function planScriptParts({ script }: LiveState, bundle: WorkerBundle): PlannedResource[] {
  const crons = script?.crons ?? [];
  const name = bundle.crons.join(", ");
  const same = crons.length === bundle.crons.length && bundle.crons.every((cron) => crons.includes(cron));
  return [
    same
      ? { kind: "schedule", name, change: "keep", why: "the hourly clean-up" }
      : {
          kind: "schedule",
          name,
          change: crons.length === 0 ? "create" : "change",
          why: "the hourly clean-up",
          step: { do: "set-schedule" },
        },
    // A new script is reachable there until it is said otherwise.
    script && !script.subdomainEnabled
      ? { kind: "workers.dev", name: "off", change: "keep", why: "sessions are reached through the zones" }
      : {
          kind: "workers.dev",
          name: "off",
          change: "change",
          why: "sessions are reached through the zones",
          step: { do: "disable-subdomain" },
        },
  ];
}

function planRecords(zone: LiveZone, worker: string): PlannedResource[] {
  return [`*.${zone.name}`, zone.name].map((host) => {
    const resource = { kind: "DNS record", name: host } as const;
    const records = zone.records.filter(
      ({ name, type }) => name === host && ["A", "AAAA", "CNAME"].includes(type),
    );
    const ours = records.find((record) => isOurRecord(record, worker));
    const [first] = records;
    if (!first)
      return {
        ...resource,
        change: "create",
        why: "proxied, so that requests reach the Worker",
        step: { do: "create-record", zoneId: zone.id, host },
      };
    if (ours && !ours.proxied)
      return {
        ...resource,
        change: "change",
        why: "it is no longer proxied",
        step: { do: "proxy-record", zoneId: zone.id, id: ours.id },
      };
    if (records.every(({ proxied }) => proxied))
      return { ...resource, change: "keep", why: ours ? "proxied" : "proxied already, and not Linkup's" };
    return {
      ...resource,
      change: "conflict",
      why: `${first.type} ${first.content} is not proxied, so requests would pass the Worker by; Linkup does not change records of others`,
    };
  });
}

function planRoutes(zone: LiveZone, worker: string): PlannedResource[] {
  return [`*.${zone.name}/*`, `${zone.name}/*`].map((pattern) => {
    const resource = { kind: "route", name: pattern } as const;
    const existing = zone.routes.find((route) => route.pattern === pattern);
    if (!existing)
      return {
        ...resource,
        change: "create",
        why: `to ${worker}`,
        step: { do: "create-route", zoneId: zone.id, pattern },
      };
    if (existing.script === worker) return { ...resource, change: "keep", why: `to ${worker}` };
    return {
      ...resource,
      change: "conflict",
      why: existing.script
        ? `it leads to the Worker ${existing.script}`
        : "it switches Workers off for these requests",
    };
  });
}

function planCacheRule(zone: LiveZone, worker: string, prefix: string): PlannedResource {
  const expression = `(starts_with(http.host, "${prefix}"))`;
  const resource = { kind: "cache rule", name: `${zone.name}: ${expression}` } as const;
  const existing = ourRule(zone, worker);
  if (!existing)
    return {
      ...resource,
      change: "create",
      why: "answers of laptops are not cached",
      step: { do: "create-cache-rule", zoneId: zone.id, expression },
    };
  if (existing.expression === expression && existing.bypasses)
    return { ...resource, change: "keep", why: "answers of laptops are not cached" };
  return {
    ...resource,
    change: "change",
    why: `it was ${existing.expression}`,
    step: {
      do: "change-cache-rule",
      zoneId: zone.id,
      rulesetId: zone.cacheRules!.rulesetId,
      id: existing.id,
      expression,
    },
  };
}

function warningsOf(live: LiveState, wanted: DeploymentSpec): string[] {
  const warnings = [];
  for (const { name, status } of live.zones)
    if (status !== "active")
      warnings.push(
        `The zone ${name} is ${status}: until its name servers are Cloudflare's, no request arrives.`,
      );
  for (const name of wanted.zones) {
    const zone = zoneNamed(live, name);
    const foreign = zone.records.filter(
      (record) =>
        record.proxied &&
        !isOurRecord(record, wanted.name) &&
        ["A", "AAAA", "CNAME"].includes(record.type) &&
        !record.content.endsWith(".cfargotunnel.com"),
    );
    if (foreign.length > 0)
      warnings.push(
        `${foreign.length === 1 ? "A proxied DNS record" : `${foreign.length} proxied DNS records`} of ${name} (${foreign
          .slice(0, 3)
          .map((record) => record.name)
          .join(
            ", ",
          )}${foreign.length > 3 ? ", …" : ""}) would be served by the Worker: requests without a session get 422 there. A zone of its own is safer.`,
      );
  }
  return warnings;
}

function prefixOf(live: LiveState, wanted: DeploymentSpec): string {
  const set = live.script?.bindings.find(({ name }) => name === "TUNNEL_NAME_PREFIX")?.text;
  return set || tunnelPrefix(wanted.name, wanted.tunnelZone);
}

function zoneNamed(live: LiveState, name: string): LiveZone {
  const zone = live.zones.find((candidate) => candidate.name === name);
  if (!zone) throw new Error(`The zone ${name} was not read.`);
  return zone;
}
