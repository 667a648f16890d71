/** Checks the URLs of services. */
import { isLoopback } from "../../session/host-name.ts";
import { httpOrigin } from "../../session/session-document.ts";
import { text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { type MapAt, valueAt } from "./map-at.ts";
import { subjectOf } from "./subject.ts";

const MAX_PORT = 65_535;

export function checkLocations(
  collector: DiagnosticCollector,
  file: unknown,
  { path, value: { remote, local } }: MapAt,
): void {
  for (const key of ["remote", "local"]) {
    checkUrl(collector, file, [...path, key]);
    checkIgnored(collector, file, [...path, key]);
  }
  if (typeof remote !== "string" || typeof local !== "string") return;
  const address = hostAndPort(local);
  if (address !== undefined && address === hostAndPort(remote))
    collector.warning("same-location", [...path, "local"], text(MESSAGES.sameLocation), {
      related: {
        text: text(MESSAGES.remotePlace),
        range: collector.positions.value([...path, "remote"]),
      },
    });
}

/** What the schema lets through: only a URL's beginning has a pattern. */
export function checkUrl(collector: DiagnosticCollector, file: unknown, path: Path): void {
  const url = valueAt(file, path);
  const origin = typeof url === "string" ? httpOrigin(url) : undefined;
  if (typeof url !== "string" || origin === undefined || URL.canParse(url)) return;
  const port = /:(\d+)$/.exec(origin)?.[1];
  const message =
    Number(port) > MAX_PORT
      ? text(MESSAGES.portTooHigh, subjectOf(file, path), port!, String(MAX_PORT))
      : text(MESSAGES.invalidUrl, subjectOf(file, path), url);
  collector.error("wrong-value", path, message);
}

/** What proxies elsewhere put before the path of requests, or send along, and Linkup leaves out. */
function checkIgnored(collector: DiagnosticCollector, file: unknown, path: Path): void {
  const url = valueAt(file, path);
  const origin = typeof url === "string" ? httpOrigin(url) : undefined;
  if (typeof url !== "string" || origin === undefined || !URL.canParse(url)) return;
  const { username, password } = new URL(url);
  const suggestion = url.replace(/^([^:]*:\/\/)(?:[^/?#@]*@)?([^/?#\s]*).*$/s, "$1$2");
  if (username !== "" || password !== "")
    collector.warning("ignored-url-part", path, text(MESSAGES.credentialsIgnored), { suggestion });
  const rest = /^[^:]*:\/\/[^/?#]*(.*)$/s.exec(url)![1]!;
  if (rest !== "" && rest !== "/")
    collector.warning("ignored-url-part", path, text(MESSAGES.pathIgnored, rest), { suggestion });
}

/** Two services on one local port: usually a copy whose port was not changed. */
export function checkPorts(collector: DiagnosticCollector, services: MapAt[]): void {
  const seen = new Map<string, { name: unknown; path: Path }>();
  for (const { path, value } of services) {
    const address = typeof value.local === "string" ? hostAndPort(value.local) : undefined;
    if (address === undefined) continue;
    const at = [...path, "local"];
    const first = seen.get(address);
    if (!first) seen.set(address, { name: value.name, path: at });
    else if (first.name !== value.name)
      collector.warning("shared-port", at, text(MESSAGES.sharedPort, String(first.name)), {
        related: { text: text(MESSAGES.otherService), range: collector.positions.value(first.path) },
      });
  }
}

const addresses = new Map<string, string | undefined>();
const MAX_ADDRESSES = 10_000;

/** Host and port; only the port for names of this machine. Undefined unless it is an http(s) or h2c URL. */
export function hostAndPort(location: string): string | undefined {
  if (addresses.has(location)) return addresses.get(location);
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  const [scheme, authority = ""] = httpOrigin(location)?.split("://") ?? [];
  const port = /:(\d+)$/.exec(authority)?.[1] ?? (scheme === "https" ? "443" : "80");
  const host = isLoopback(authority) ? "" : authority.replace(/:\d+$/, "").toLowerCase();
  const address = scheme === undefined ? undefined : `${host}:${port}`;
  addresses.set(location, address);
  return address;
}
