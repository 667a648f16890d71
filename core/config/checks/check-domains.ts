/** Checks the host names of the domains. */
import { asciiDomain, refusedDomain } from "../../session/domain-name.ts";
import { hostname } from "../../session/host-name.ts";
import { isAnimalName, isSessionName } from "../../session/session-name.ts";
import { text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import type { MapAt } from "./map-at.ts";

export function checkHostName(collector: DiagnosticCollector, { path, value: { domain } }: MapAt): void {
  if (typeof domain !== "string" || domain === "") return;
  // What is meant by a URL or a host with its port.
  const host = asciiDomain(hostname(domain.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, "")));
  if (host !== undefined && domain.toLowerCase() === host) {
    const refused = refusedDomain(host);
    if (refused) {
      const template = refused === "single-label" ? MESSAGES.singleLabel : MESSAGES.publicSuffix;
      collector.error("invalid-domain", [...path, "domain"], text(template, domain));
    }
    return;
  }
  const message =
    host === undefined ? text(MESSAGES.notAHostName, domain) : text(MESSAGES.notAHostNameLike, domain, host);
  collector.error("invalid-domain", [...path, "domain"], message, { suggestion: host });
}

/**
 * A session has the address `<session>.<domain>`, so a domain of that form is ambiguous when a session is named like its
 * first label. Names like those that sessions get automatically deserve a warning, others a hint.
 */
export function checkSessionDomains(collector: DiagnosticCollector, domains: MapAt[]): void {
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
      text: text(MESSAGES.parentDomain),
      range: collector.positions.value([...parentPath, "domain"]),
    };
    const at = [...path, "domain"];
    if (isAnimalName(label))
      collector.warning("session-domain", at, text(MESSAGES.sessionAddress, value.domain, label, parent), {
        related,
      });
    else
      collector.hint("session-domain", at, text(MESSAGES.possibleSessionAddress, label, parent), { related });
  }
}
