/**
 * Which domains a session may have. A session on `com` or `co.uk` would take over the hosts of everybody else, and
 * local DNS would create a certificate authority for all of them.
 */
import { getDomain, getPublicSuffix } from "tldts";
import { hostname } from "./host-name.ts";

/** The private section of the list counts too: below `github.io` everybody has a domain. */
const OPTIONS = { allowPrivateDomains: true };

export type RefusedDomain = "single-label" | "public-suffix";

/** Why a session must not have this domain; undefined when it may. `localhost` is the one single label that it may have. */
export function refusedDomain(domain: string): RefusedDomain | undefined {
  const name = hostname(domain);
  if (name === "localhost") return undefined;
  if (!name.includes(".")) return "single-label";
  return getPublicSuffix(name, OPTIONS) === name ? "public-suffix" : undefined;
}

/** `refusedDomain` as a sentence. */
export function refusedDomainError(domain: string): string | undefined {
  switch (refusedDomain(domain)) {
    case "single-label":
      return `The domain "${domain}" is a single label. Use a domain such as example.com, or localhost or a name below it.`;
    case "public-suffix":
      return `The domain "${domain}" is a public suffix, below which others register their domains. Use a domain of your own.`;
    default:
      return undefined;
  }
}

/** The part of a host that its owner registered: `example.co.uk` of `a.b.example.co.uk`; undefined for IP addresses and public suffixes. */
export function registrableDomain(host: string): string | undefined {
  return getDomain(hostname(host), OPTIONS) ?? undefined;
}
