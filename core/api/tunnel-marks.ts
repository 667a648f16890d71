/**
 * How a Worker's tunnels and their DNS records are told from those of others: by a name with the Worker's own prefix, and
 * by a mark in the tunnel's metadata and the record's comment. The Worker writes the marks, `infra/` reads them.
 */

/** Longest prefix that is made here; a host name's label has 63 characters, and the session's name needs the rest. */
const MAX_PREFIX = 36;

/** What names of a Worker's tunnels start with, for its script's name and its tunnel zone. */
export function tunnelPrefix(worker: string, tunnelZone: string): string {
  const zone = tunnelZone.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `${worker}-tunnel-${zone}`
    .slice(0, MAX_PREFIX - 1)
    .replace(/-+$/, "")
    .concat("-");
}

/** The prefix of a Worker that is deployed without one. */
export function defaultTunnelPrefix(tunnelZone: string): string {
  return tunnelPrefix("linkup", tunnelZone);
}

/** Why this cannot be a prefix; undefined when it can. It has no `:`, so that marks are unambiguous. */
export function prefixProblem(prefix: string): string | undefined {
  if (/^[a-z0-9][a-z0-9-]*-$/.test(prefix)) return undefined;
  return `The Worker's variable TUNNEL_NAME_PREFIX is "${prefix}": it may only have the characters a–z, 0–9 and "-", and must end with "-", such as linkup-tunnel-example-com-.`;
}

/**
 * The mark of one deployed Worker, in a record's comment as it is and in a tunnel's metadata as `linkup`.
 * `id` is random and stored by the Worker: two Workers with the same prefix have different marks.
 */
export function tunnelMark(prefix: string, id: string): string {
  return `linkup-tunnel:${prefix}:${id}`;
}

/** True for marks of Workers with exactly this prefix. */
export function hasPrefix(mark: string, prefix: string): boolean {
  return mark.startsWith(tunnelMark(prefix, ""));
}

/** The mark in a tunnel's metadata; undefined without one. */
export function markOf(metadata: unknown): string | undefined {
  const mark = (metadata as { linkup?: unknown } | null | undefined)?.linkup;
  return typeof mark === "string" ? mark : undefined;
}
