/**
 * Which domains a session may have. A session on `com` or `co.uk` would take over the hosts of everybody else, and
 * local DNS would create a certificate authority for all of them.
 */
import { hostname } from "./host-name.ts";
import { publicSuffix } from "./public-suffix.ts";

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
/** RFC 1035, 2.3.4. */
const MAX_LABEL = 63;
const MAX_NAME = 253;

/**
 * A domain as requests name it: in lower case, without the root's dot, and in ASCII (`Bücher.example.` → `xn--bcher-kva.example`).
 * Undefined for what no request could name: with a scheme, port, path, space or wildcard.
 */
export function asciiDomain(domain: string): string | undefined {
  // The URL parser would understand these.
  if (/[\s/?#@:\\[\]%]/.test(domain)) return undefined;
  const given = hostname(domain);
  // Long ones take long to convert: a millisecond for 254 letters.
  if (!isShort(given)) return undefined;
  const name = inAscii(given);
  return isShort(name) && name.split(".").every((label) => LABEL.test(label)) ? name : undefined;
}

function isShort(name: string): boolean {
  return name.length <= MAX_NAME && name.split(".").every((label) => label.length <= MAX_LABEL);
}

function inAscii(name: string): string {
  if (/^[ -~]*$/.test(name)) return name;
  const url = `http://${name}/`;
  return URL.canParse(url) ? new URL(url).hostname : name;
}

export type RefusedDomain = "single-label" | "public-suffix";

/** Why a session must not have this domain; undefined when it may. `localhost` is the one single label that it may have. */
export function refusedDomain(domain: string): RefusedDomain | undefined {
  const name = hostname(domain);
  if (name === "localhost") return undefined;
  if (!name.includes(".")) return "single-label";
  return publicSuffix(name) === name ? "public-suffix" : undefined;
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
  const name = hostname(host);
  const suffix = publicSuffix(name);
  if (suffix === undefined || suffix === name) return undefined;
  const own = name.slice(0, -suffix.length - 1);
  return name.slice(own.lastIndexOf(".") + 1);
}
