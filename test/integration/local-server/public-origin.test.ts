/** How the hosts at the edge are found: past local DNS, and never on this machine. */
import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { type Answer, decode, encode } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import type { Resolver } from "../../../local-server/dns/resolvers.ts";
import { systemPublicOrigins } from "../../../local-server/upstream/public-origin.ts";

const HOST = "pr-1.example.com";
const open: { close(): void }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** A resolver that knows these addresses of every host. */
async function resolver(addresses: { A?: string[]; AAAA?: string[] }): Promise<Resolver & { asked: number }> {
  const socket = createSocket("udp4");
  const self = { address: "127.0.0.1", port: 0, asked: 0 };
  socket.on("message", (query, from) => {
    self.asked++;
    const { id, questions = [] } = decode(query);
    const { type, name } = questions[0]!;
    const known = (type === "A" && addresses.A) || (type === "AAAA" && addresses.AAAA) || [];
    const answers = known.map((data): Answer => ({ type: type as "A", name, ttl: 60, data }));
    socket.send(encode({ id: id!, type: "response", questions, answers }), from.port);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  open.push(socket);
  self.port = (socket.address() as AddressInfo).port;
  return self;
}

test("IPv4 and IPv6, in this order", async () => {
  const one = await resolver({ A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"] });
  expect(await systemPublicOrigins(() => [one]).addresses(HOST)).toEqual([
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8::1",
  ]);
});

test("an answer counts for all connections of a page", async () => {
  const one = await resolver({ A: ["192.0.2.1"] });
  const edge = systemPublicOrigins(() => [one]);
  await Promise.all(Array.from({ length: 20 }, () => edge.addresses(HOST)));
  expect(one.asked).toBe(2);
});

test("answers that lead to this machine are left out, and another resolver is asked", async () => {
  const here = await resolver({
    A: ["127.0.0.1", "127.8.8.8", "0.0.0.0"],
    AAAA: ["::1", "::ffff:127.0.0.1"],
  });
  const mixed = await resolver({ A: ["127.0.0.1", "192.0.2.7"], AAAA: ["::"] });
  expect(await systemPublicOrigins(() => [here, mixed]).addresses(HOST)).toEqual(["192.0.2.7"]);
  await expect(systemPublicOrigins(() => [here]).addresses(HOST)).rejects.toThrow(
    /leads to this machine only/,
  );
});

test("a host that nobody knows, and a system without resolvers", async () => {
  const none = await resolver({});
  await expect(systemPublicOrigins(() => [none]).addresses(HOST)).rejects.toThrow(/no address.*127\.0\.0\.1/);
  await expect(systemPublicOrigins(() => []).addresses(HOST)).rejects.toThrow(/no resolver/);
});
