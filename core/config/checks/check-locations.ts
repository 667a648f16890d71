/** Checks where services answer. */
import { isLoopback } from "../../session/host-name.ts";
import { httpOrigin } from "../../session/session-document.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import type { Path } from "../yaml/positions.ts";
import type { MapAt } from "./map-at.ts";

export function checkLocations(
  problems: DiagnosticCollector,
  { path, value: { remote, local } }: MapAt,
): void {
  for (const [key, location] of [
    ["remote", remote],
    ["local", local],
  ] as const) {
    if (typeof location !== "string" || !httpOrigin(location)) continue;
    if (!URL.canParse(location))
      problems.error("wrong-value", [...path, key], `"${location}" is not a valid URL.`);
  }
  if (typeof remote !== "string" || typeof local !== "string") return;
  const address = addressOf(local);
  if (address !== undefined && address === addressOf(remote))
    problems.warning(
      "same-location",
      [...path, "local"],
      "local and remote are the same: toggling this service changes nothing.",
      {
        related: { message: "The remote location.", range: problems.positions.value([...path, "remote"]) },
      },
    );
}

/** Two services on one local port: mostly a copy whose port was left as it was. */
export function checkPorts(problems: DiagnosticCollector, services: MapAt[]): void {
  const seen = new Map<string, { name: unknown; path: Path }>();
  for (const { path, value } of services) {
    const address = typeof value.local === "string" ? addressOf(value.local) : undefined;
    if (address === undefined) continue;
    const at = [...path, "local"];
    const first = seen.get(address);
    if (!first) seen.set(address, { name: value.name, path: at });
    else if (first.name !== value.name)
      problems.warning("shared-port", at, `The service "${first.name}" has the same port on this machine.`, {
        related: { message: "It has this port too.", range: problems.positions.value(first.path) },
      });
  }
}

const addresses = new Map<string, string | undefined>();
const MAX_KNOWN = 10_000;

/** Host and port; only the port for the names of this machine. Undefined when it is no http(s) URL. */
export function addressOf(location: string): string | undefined {
  if (addresses.has(location)) return addresses.get(location);
  if (addresses.size >= MAX_KNOWN) addresses.clear();
  const [scheme, authority = ""] = httpOrigin(location)?.split("://") ?? [];
  const port = /:(\d+)$/.exec(authority)?.[1] ?? (scheme === "https" ? "443" : "80");
  const host = isLoopback(authority) ? "" : authority.replace(/:\d+$/, "").toLowerCase();
  const address = scheme === undefined ? undefined : `${host}:${port}`;
  addresses.set(location, address);
  return address;
}
