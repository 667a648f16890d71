/** The public suffix of a host name by the Public Suffix List, its section of private domains included. */
import { PUBLIC_SUFFIXES } from "./public-suffixes.ts";

/** The rules below a top-level domain, without its name; sets are made when they are asked for. */
const below = new Map<string, string | ReadonlySet<string>>();

/** As in DNS, and underscores, which some resolvers know. */
const HOST_NAME = /^(?!.{254})(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?(?:\.|$))+(?<!\.)$/;

/**
 * The longest suffix of the name below which others register their domains: `co.uk` of `a.example.co.uk`, the last label where
 * the list knows none. Undefined for IP addresses and invalid host names. `name`: lower case.
 */
export function publicSuffix(name: string): string | undefined {
  const ascii = /[^\0-\x7f]/.test(name) ? asciiName(name) : name;
  if (!HOST_NAME.test(ascii) || /(?:^|\.)\d+$/.test(ascii)) return undefined;
  const labels = ascii.split(".");
  const count = suffixLabels(labels);
  return name.split(".").slice(-count).join(".");
}

/** The number of labels of the public suffix: by the longest rule that fits, an exception before all others. */
function suffixLabels(labels: readonly string[]): number {
  const top = labels.at(-1)!;
  const rules = rulesBelow(top);
  // The rule's own labels and the top-level domain's.
  for (let from = 0; from < labels.length - 1; from++) {
    const count = labels.length - from;
    const rule = labels.slice(from, -1).join(".");
    if (rules.has(`!${rule}`)) return count - 1;
    const wildcard = ["*", ...labels.slice(from + 1, -1)].join(".");
    if (rules.has(rule) || rules.has(wildcard)) return count;
  }
  return 1;
}

function rulesBelow(top: string): ReadonlySet<string> {
  if (below.size === 0)
    for (const line of PUBLIC_SUFFIXES.split("\n")) below.set(line.slice(0, line.indexOf(" ")), line);
  const known = below.get(top) ?? NONE;
  if (typeof known !== "string") return known;
  const rules = new Set(known.split(" ").slice(1));
  below.set(top, rules);
  return rules;
}

const NONE: ReadonlySet<string> = new Set();

/** An empty string for an invalid host name. */
function asciiName(name: string): string {
  const url = `http://${name}`;
  return URL.canParse(url) ? new URL(url).hostname : "";
}
