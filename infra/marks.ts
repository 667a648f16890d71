/** How what we made at Cloudflare is told from what others made: names, comments, references and tags. */
import { hasPrefix } from "../core/api/tunnel-marks.ts";
import type { DnsRecord, LiveZone, Rule, Tunnel } from "./live.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

/** What we made carries it: comments of DNS records, descriptions of rules, tags of the script. */
export const OWNER_MARK = "linkup";

/** The comment of a DNS record that this Worker's deployment made. */
export function recordComment(worker: string): string {
  return `${OWNER_MARK}:${worker} - made by Linkup, removed by "linkup infra destroy"`;
}

export function ruleReference(worker: string): string {
  return `${OWNER_MARK}_${worker.replaceAll(/\W/g, "_")}_tunnels`;
}

export function tokenName(worker: string): string {
  return `${OWNER_MARK}:${worker} tunnels`;
}

/** A script of ours: tagged, or with our objects where wrangler deployed it. */
export function isOurScript(tags: readonly string[], classNames: readonly string[]): boolean {
  return (
    tags.includes(OWNER_MARK) ||
    (classNames.includes("SessionObject") && classNames.includes("DirectoryObject"))
  );
}

/** Tags of a script that this version deploys: the mark, the version and the code's hash. */
export function scriptTags({ version, hash }: WorkerBundle): string[] {
  return [OWNER_MARK, `${OWNER_MARK}-version=${version}`, `${OWNER_MARK}-code=${hash}`];
}

export function versionOf(tags: readonly string[]): string | undefined {
  return tagValue(tags, "version");
}

export function hashOf(tags: readonly string[]): string | undefined {
  return tagValue(tags, "code");
}

function tagValue(tags: readonly string[], key: string): string | undefined {
  const start = `${OWNER_MARK}-${key}=`;
  return tags.find((tag) => tag.startsWith(start))?.slice(start.length);
}

export function isOurRecord({ comment }: DnsRecord, worker: string): boolean {
  return comment === recordComment(worker);
}

export function ourRule(zone: LiveZone, worker: string): Rule | undefined {
  return zone.cacheRules?.rules.find(({ ref }) => ref === ruleReference(worker));
}

/** A tunnel's record that a Worker with exactly this prefix made, with its mark. */
export function isTunnelRecord({ type, comment }: DnsRecord, prefix: string): boolean {
  return type === "CNAME" && hasPrefix(comment, prefix);
}

/**
 * A tunnel that a Worker with exactly this prefix made: its metadata or a record that leads to it has the Worker's mark.
 * The name alone proves nothing.
 */
export function isOurTunnel({ id, name, mark }: Tunnel, prefix: string, zones: readonly LiveZone[]): boolean {
  if (!name.startsWith(prefix)) return false;
  if (mark !== undefined) return hasPrefix(mark, prefix);
  return zones.some(({ records }) =>
    records.some((record) => record.content === `${id}.cfargotunnel.com` && isTunnelRecord(record, prefix)),
  );
}
