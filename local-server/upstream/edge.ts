/**
 * Where the hosts of our domains are that are not served here: previews, sessions of others, the deployed application.
 * Local DNS or `/etc/hosts` may lead them to this machine, so they are resolved past both.
 */
import { Resolver as DnsResolver } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import { type Resolver, systemResolvers } from "../dns/resolvers.ts";
import { connect, endpoint } from "./connect.ts";
import type { Open } from "./pool.ts";

export interface Edge {
  /** Where it speaks TLS. */
  port: number;
  /** The IP addresses of this host, at least one. Throws an Error that says why there is none. */
  addresses(host: string): Promise<string[]>;
}

/** How long one resolver may take for a try. */
const PATIENCE_MS = 2_000;
/** How long an answer counts: a page asks for many connections at once. As long as local DNS lets its answers live. */
const FRESH_MS = 5_000;

/** This machine, by any name. */
const here = new BlockList();
here.addSubnet("127.0.0.0", 8);
here.addSubnet("0.0.0.0", 8);
here.addAddress("::1", "ipv6");
here.addAddress("::", "ipv6");

/** The edge as the resolvers of this system know it. */
export function systemEdge(resolvers: () => Resolver[] = systemResolvers): Edge {
  const known = new Map<string, Promise<string[]>>();
  return {
    port: 443,
    addresses(host) {
      const before = known.get(host);
      if (before) return before;
      const asked = addressesElsewhere(host, resolvers());
      known.set(host, asked);
      setTimeout(() => known.delete(host), FRESH_MS).unref();
      return asked;
    },
  };
}

/** The first resolver wins that knows an address of another machine: one that leads here would make the request go round. */
async function addressesElsewhere(host: string, resolvers: Resolver[]): Promise<string[]> {
  let leadsHere = false;
  for (const resolver of resolvers) {
    const found = await ask(host, resolver);
    const elsewhere = found.filter((address) => !here.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
    if (elsewhere.length > 0) return elsewhere;
    leadsHere ||= found.length > 0;
  }
  if (leadsHere) throw new Error("its name leads to this machine only");
  if (resolvers.length === 0)
    throw new Error("this system has no resolver that could be asked for its address");
  const asked = resolvers.map(({ address }) => address).join(", ");
  throw new Error(`the resolvers of this system gave no address of it (asked: ${asked})`);
}

/** IPv4 before IPv6; empty when it knows none or does not answer. */
async function ask(host: string, { address, port }: Resolver): Promise<string[]> {
  const resolver = new DnsResolver({ timeout: PATIENCE_MS, tries: 2 });
  resolver.setServers([isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`]);
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

/** Opens connections to hosts at the edge. */
export function edgeOpener(edge: Edge): Open {
  return (origin, protocols, done) => {
    const target = { ...endpoint(origin), protocols };
    let giveUp: (() => void) | undefined;
    let over = false;
    edge.addresses(target.host).then(
      (addresses) => {
        if (!over) giveUp = connect({ ...target, addresses }, done);
      },
      (error) => {
        if (!over) done(error);
      },
    );
    return () => {
      over = true;
      giveUp?.();
    };
  };
}
