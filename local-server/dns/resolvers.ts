/** The resolvers for all other names: those that this machine would use without local DNS. */
import { getServers } from "node:dns";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

export interface Resolver {
  address: string;
  port: number;
}

/** Files that list the resolvers behind a stub: systemd-resolved's and NetworkManager's (with dnsmasq). */
const RESOLVERS_BEHIND_STUBS = [
  "/run/systemd/resolve/resolv.conf",
  "/run/NetworkManager/no-stub-resolv.conf",
];

/** The system's resolvers, without local DNS (listening at `own`) and without stubs that would ask it again. */
export function systemResolvers(own?: Resolver): Resolver[] {
  for (const file of RESOLVERS_BEHIND_STUBS) {
    const found = inFile(file);
    if (found.length > 0) return without(own, found);
  }
  return without(
    own,
    getServers()
      .map(parseResolver)
      .filter((resolver) => resolver !== undefined),
  );
}

function inFile(file: string): Resolver[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return Array.from(text.matchAll(/^\s*nameserver\s+(\S+)/gm), ([, address]) =>
    parseResolver(address!),
  ).filter((resolver) => resolver !== undefined);
}

function without(own: Resolver | undefined, all: Resolver[]): Resolver[] {
  return all.filter(({ address, port }) => address !== own?.address || port !== own.port);
}

/** `9.9.9.9`, `127.0.0.1:5353`, `fe80::1%eth0`, `[::1]:5353`; undefined for anything else. */
export function parseResolver(text: string): Resolver | undefined {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const address = match?.groups?.v6 ?? match?.groups?.v4 ?? text;
  if (isIP(address.replace(/%.*$/, "")) === 0) return undefined;
  return { address, port: Number(match?.groups?.port ?? 53) };
}
