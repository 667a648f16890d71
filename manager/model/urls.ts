/** Where browsers find a session. */
import type { ServerStatus } from "../../core/api/control-api.ts";
import { registrableDomain } from "../../core/session/domain-name.ts";
import { hostname } from "../../core/session/host-name.ts";
import type { SessionRecord } from "./state.ts";

/** One URL per domain, in the order of the file; none before the session has a name (or the local server a port). */
export function sessionUrls(
  record: SessionRecord,
  ports: Pick<ServerStatus, "http_port" | "https_port"> | undefined,
): string[] {
  const { name, kind, config, worker } = record;
  if (name === null) return [];
  if (kind !== "isolated")
    return urlsOnWorker(name, config.domains, config.linkup.worker_url, worker?.tunnel === "direct");
  return ports ? config.domains.map(({ domain }) => localUrl(`${name}.${domain}`, ports)) : [];
}

/** The URLs of a session that a Worker serves. `direct`: a Worker on this machine, which serves every host on its own port. */
export function urlsOnWorker(
  name: string,
  domains: readonly { domain: string }[],
  workerUrl: string,
  direct: boolean,
): string[] {
  const { protocol, port } = new URL(workerUrl);
  const [scheme, at] = direct ? [protocol, port ? `:${port}` : ""] : ["https:", ""];
  return domains.map(({ domain }) => `${scheme}//${name}.${domain}${at}/`);
}

/**
 * The hosts for which Cloudflare needs an advanced certificate: its own ones cover a zone and one label below it, so not
 * `slim-gecko.api.example.com`. Zones below a registered domain are unknown here: a handshake tells whether the host works.
 */
export function hostsBeyondCertificates(record: SessionRecord): string[] {
  const { name, kind, config, worker } = record;
  if (name === null || kind === "isolated" || worker?.tunnel === "direct") return [];
  return config.domains.map(({ domain }) => `${name}.${domain}`.toLowerCase()).filter(isBeyondCertificates);
}

export function isBeyondCertificates(host: string): boolean {
  if (resolvesByItself(host)) return false;
  const registered = registrableDomain(host);
  return registered !== undefined && host.split(".").length - registered.split(".").length > 1;
}

/** Those of the session's URLs that browsers refuse, as far as is known. */
export function withoutCertificate(record: SessionRecord, urls: readonly string[]): string[] {
  const covered = record.edge_certificates?.hosts ?? [];
  const refused = hostsBeyondCertificates(record).filter((host) => !covered.includes(host));
  return urls.filter((url) => refused.includes(new URL(url).hostname));
}

/** Local certificates are for the domains of local DNS; names under localhost have none, and need none. */
function localUrl(host: string, ports: Pick<ServerStatus, "http_port" | "https_port">): string {
  return ports.https_port !== null && !resolvesByItself(host)
    ? `https://${host}${portOf(ports.https_port, 443)}/`
    : `http://${host}${portOf(ports.http_port, 80)}/`;
}

function portOf(port: number, usual: number): string {
  return port === usual ? "" : `:${port}`;
}

/** True when browsers resolve the name to this machine themselves. */
export function resolvesByItself(domain: string): boolean {
  const name = hostname(domain);
  return name === "localhost" || name.endsWith(".localhost");
}
