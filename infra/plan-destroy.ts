/** What a removal would do. */
import type { LiveState } from "./live.ts";
import { isOurRecord, isOurScript, isOurTunnel, isTunnelRecord, ourRule, tokenName } from "./marks.ts";
import type { DeploymentPlan, PlannedResource, PlannedStep } from "./plan.ts";

/** Removes what carries our mark, and nothing else. */
export function planDestroy(live: LiveState, name: string): DeploymentPlan {
  const resources: PlannedResource[] = [];
  const stays: string[] = [];
  const remove = (kind: PlannedResource["kind"], named: string, why: string, step: PlannedStep) =>
    resources.push({ kind, name: named, change: "remove", why, step });
  const prefix = live.script?.bindings.find((binding) => binding.name === "TUNNEL_NAME_PREFIX")?.text;

  // Routes first: from then on no request reaches the Worker that is about to go.
  for (const zone of live.zones)
    for (const { id, pattern, script } of zone.routes)
      if (script === name)
        remove("route", pattern, "it leads to this Worker", { do: "delete-route", zoneId: zone.id, id });
  const hasTunnels = live.script && isOurScript(live.script.tags, live.script.classNames) && prefix;
  const tunnels = hasTunnels ? live.tunnels.filter((tunnel) => isOurTunnel(tunnel, prefix, live.zones)) : [];
  // A record goes with its tunnel, or when its tunnel is gone.
  const kept = new Set(
    live.tunnels.filter((tunnel) => !tunnels.includes(tunnel)).map(({ id }) => `${id}.cfargotunnel.com`),
  );
  for (const zone of live.zones)
    for (const record of zone.records) {
      const ours =
        isOurRecord(record, name) ||
        (hasTunnels && isTunnelRecord(record, prefix) && !kept.has(record.content));
      if (ours)
        remove("DNS record", record.name, "this Worker's deployment made it", {
          do: "delete-record",
          zoneId: zone.id,
          id: record.id,
        });
      else if (record.name === zone.name || record.name === `*.${zone.name}`)
        stays.push(
          `The DNS record ${record.name} (${record.type} ${record.content}): Linkup did not make it.`,
        );
    }
  if (hasTunnels)
    for (const tunnel of live.tunnels)
      if (tunnel.name.startsWith(prefix) && !tunnels.includes(tunnel))
        stays.push(
          `The tunnel ${tunnel.name} (${tunnel.status}): it has the Worker's prefix, but not its mark. Delete it at Cloudflare if nobody needs it.`,
        );
  for (const { id, name: tunnel } of tunnels)
    remove("tunnel", tunnel, "it belongs to a session of this Worker", { do: "delete-tunnel", id });
  for (const zone of live.zones) {
    const rule = ourRule(zone, name);
    if (rule && zone.cacheRules)
      remove("cache rule", `${zone.name}: ${rule.expression}`, "this Worker's deployment made it", {
        do: "delete-cache-rule",
        zoneId: zone.id,
        rulesetId: zone.cacheRules.rulesetId,
        id: rule.id,
      });
  }
  if (live.script) {
    if (isOurScript(live.script.tags, live.script.classNames))
      remove("script", name, "with all its sessions, tokens and variables", { do: "delete-script" });
    else stays.push(`The script ${name}: it is not a Linkup Worker.`);
  }
  if (live.tokens === "not-permitted")
    stays.push(
      `An API token named "${tokenName(name)}", if there is one: this token may not manage API tokens.`,
    );
  else
    for (const { id, name: token } of live.tokens)
      if (token === tokenName(name))
        remove("API token", token, "only this Worker used it", { do: "delete-token", id });
  return { action: "destroy", account: live.account, worker: name, resources, warnings: [], stays };
}
