/** Checks the host names of the domains. */
import { hostname } from "../../session/host-name.ts";
import { isAnimalName, isSessionName } from "../../session/session-name.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import type { MapAt } from "./map-at.ts";

export function checkHostName(problems: DiagnosticCollector, { path, value: { domain } }: MapAt): void {
  if (typeof domain !== "string" || domain === "") return;
  const host = hostname(domain.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, ""));
  const isHost = host.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (isHost && domain.toLowerCase() === host) return;
  const advice = isHost ? `Did you mean "${host}"?` : "It is a host name such as example.com.";
  problems.error(
    "invalid-domain",
    [...path, "domain"],
    `"${domain}" is not a host name without scheme, port and path. ${advice}`,
    isHost ? { suggestion: host } : {},
  );
}

/**
 * A session has the address `<session>.<domain>`: a domain of that form is ambiguous when a session gets the name of
 * its first label. Names like those that sessions get by themselves deserve a warning, others a hint.
 */
export function checkSessionDomains(problems: DiagnosticCollector, domains: MapAt[]): void {
  const paths = new Map<string, MapAt["path"]>();
  for (const { path, value } of domains)
    if (typeof value.domain === "string") paths.set(value.domain.toLowerCase(), path);
  for (const { path, value } of domains) {
    if (typeof value.domain !== "string") continue;
    const dot = value.domain.indexOf(".");
    const label = value.domain.slice(0, dot).toLowerCase();
    const parent = value.domain.slice(dot + 1).toLowerCase();
    const parentPath = paths.get(parent);
    if (!parentPath || !isSessionName(label) || !parent.includes(".")) continue;
    const related = {
      message: "The domain whose session it would be.",
      range: problems.positions.value([...parentPath, "domain"]),
    };
    const at = [...path, "domain"];
    if (isAnimalName(label))
      problems.warning(
        "session-domain",
        at,
        `"${value.domain}" is the address of a session named ${label} on "${parent}". A domain is written without the session's name.`,
        { related },
      );
    else
      problems.hint(
        "session-domain",
        at,
        `A session named ${label} would have this address on "${parent}": give no session that name.`,
        { related },
      );
  }
}
