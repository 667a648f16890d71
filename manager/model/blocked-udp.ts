/** Remembers the networks that let no UDP through, so that the tunnel uses HTTP/2 there at once. Pure. */
import type { networkInterfaces } from "node:os";

/** The network may change its mind, and many have the same addresses: QUIC gets another chance. */
const REMEMBERED_MS = 7 * 24 * 3600_000;
const MAX_NETWORKS = 20;

/** When UDP was found blocked, in milliseconds since the epoch, by network. */
export type BlockedUdp = Readonly<Record<string, number>>;

/**
 * The networks that this machine is in: of IPv4 where there is any, because the addresses of IPv6 change every day.
 * Undefined without a network.
 */
export function networkKey(interfaces: ReturnType<typeof networkInterfaces>): string | undefined {
  const outside = Object.values(interfaces).flatMap((addresses) =>
    (addresses ?? []).filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address)),
  );
  const v4 = outside.filter(({ family }) => family === "IPv4");
  const networks = (v4.length > 0 ? v4 : outside).map(({ address, netmask, family }) =>
    family === "IPv4" ? masked(address, netmask) : address.split(":").slice(0, 4).join(":"),
  );
  return networks.length > 0 ? [...new Set(networks)].sort().join(" ") : undefined;
}

function masked(address: string, netmask: string): string {
  const mask = netmask.split(".").map(Number);
  return address
    .split(".")
    .map((part, index) => Number(part) & (mask[index] ?? 255))
    .join(".");
}

export function isUdpBlocked(blocked: BlockedUdp, network: string | undefined, now: number): boolean {
  const since = network === undefined ? undefined : blocked[network];
  return since !== undefined && now - since < REMEMBERED_MS && since <= now;
}

/** With this network, and without those that are out of date. */
export function withBlockedUdp(blocked: BlockedUdp, network: string, now: number): Record<string, number> {
  const kept = Object.entries(blocked).filter(
    ([known]) => known !== network && isUdpBlocked(blocked, known, now),
  );
  const newest = kept.sort(([, a], [, b]) => b - a).slice(0, MAX_NETWORKS - 1);
  return { ...Object.fromEntries(newest), [network]: now };
}
