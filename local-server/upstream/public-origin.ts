/**
 * Hosts under a session's domain that belong to no session of this machine: previews, sessions of others, the deployed
 * application. Local DNS or `/etc/hosts` may resolve them to this machine, so their public addresses are looked up past both.
 */
import { Resolver as DnsResolver } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import { type Resolver, systemResolvers } from "../dns/resolvers.ts";
import { connect, endpoint } from "./connect.ts";
import type { OpenSocket } from "./pool.ts";

export interface PublicOrigins {
  /** Where they speak TLS. */
  port: number;
  /** The public IP addresses of this host, at least one. Throws an Error with the reason when it has none. */
  addresses(host: string): Promise<string[]>;
}

/** For one attempt with one resolver. */
const RESOLVER_TIMEOUT_MS = 2_000;
/** TTL of looked-up addresses, since a page opens many connections at once. The same as local DNS's. */
const TTL_MS = 5_000;

/** Addresses of this machine. */
const thisMachine = new BlockList();
thisMachine.addSubnet("127.0.0.0", 8);
thisMachine.addSubnet("0.0.0.0", 8);
thisMachine.addAddress("::1", "ipv6");
thisMachine.addAddress("::", "ipv6");

/** As this system's resolvers know them. */
export function systemPublicOrigins(resolvers: () => Resolver[] = systemResolvers): PublicOrigins {
  const known = new Map<string, Promise<string[]>>();
  return {
    port: 443,
    addresses(host) {
      const before = known.get(host);
      if (before) return before;
      const asked = addressesElsewhere(host, resolvers());
      known.set(host, asked);
      setTimeout(() => known.delete(host), TTL_MS).unref();
      return asked;
    },
  };
}

/** From the first resolver that knows an address of another machine: one of this machine would make the request loop. */
async function addressesElsewhere(host: string, resolvers: Resolver[]): Promise<string[]> {
  let leadsHere = false;
  for (const resolver of resolvers) {
    const found = await ask(host, resolver);
    const elsewhere = found.filter(
      (address) => !thisMachine.check(address, isIPv6(address) ? "ipv6" : "ipv4"),
    );
    if (elsewhere.length > 0) return elsewhere;
    leadsHere ||= found.length > 0;
  }
  if (leadsHere) throw new Error("its name leads to this machine only");
  if (resolvers.length === 0)
    throw new Error("this system has no resolver that could be asked for its address");
  const asked = resolvers.map(({ address }) => address).join(", ");
  throw new Error(`the resolvers of this system gave no address of it (asked: ${asked})`);
}

/** IPv4 before IPv6; empty when the resolver knows none or does not respond. */
async function ask(host: string, { address, port }: Resolver): Promise<string[]> {
  const resolver = new DnsResolver({ timeout: RESOLVER_TIMEOUT_MS, tries: 2 });
  resolver.setServers([isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`]);
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

export function publicOriginOpener(origins: PublicOrigins): OpenSocket {
  return (origin, protocols, done) => {
    const target = { ...endpoint(origin), protocols };
    let giveUp: (() => void) | undefined;
    let cancelled = false;
    origins.addresses(target.host).then(
      (addresses) => {
        if (!cancelled) giveUp = connect({ ...target, addresses }, done);
      },
      (error) => {
        if (!cancelled) done(error);
      },
    );
    return () => {
      cancelled = true;
      giveUp?.();
    };
  };
}
