import { expect, test } from "vitest";
import { isUdpBlocked, networkKey, withBlockedUdp } from "./blocked-udp.ts";

const DAY_MS = 24 * 3600_000;
const address = (address: string, netmask: string, family: "IPv4" | "IPv6", internal = false) =>
  ({ address, netmask, family, internal, mac: "", cidr: null, scopeid: 0 }) as never;

test("a network is known by its IPv4 network, whatever address this machine has in it", () => {
  const first = {
    eth0: [address("192.168.7.20", "255.255.255.0", "IPv4"), address("2001:db8::1", "ffff::", "IPv6")],
  };
  const second = { wlan0: [address("192.168.7.99", "255.255.255.0", "IPv4")] };
  expect(networkKey(first)).toBe("192.168.7.0");
  expect(networkKey(second)).toBe("192.168.7.0");
  expect(networkKey({ lo: [address("127.0.0.1", "255.0.0.0", "IPv4", true)] })).toBeUndefined();
});

test("it is remembered for a week, and not for a clock that was set back", () => {
  const blocked = withBlockedUdp({}, "a", 1_000);
  expect(isUdpBlocked(blocked, "a", 1_000 + 6 * DAY_MS)).toBe(true);
  expect(isUdpBlocked(blocked, "a", 1_000 + 8 * DAY_MS)).toBe(false);
  expect(isUdpBlocked(blocked, "a", 500)).toBe(false);
  expect(isUdpBlocked(blocked, "b", 2_000)).toBe(false);
  expect(isUdpBlocked(blocked, undefined, 2_000)).toBe(false);
});

test("only some are remembered, the newest", () => {
  let blocked = {};
  for (let number = 0; number < 30; number++) blocked = withBlockedUdp(blocked, `n${number}`, number);
  expect(Object.keys(blocked)).toHaveLength(20);
  expect(isUdpBlocked(blocked, "n29", 30)).toBe(true);
  expect(isUdpBlocked(blocked, "n0", 30)).toBe(false);
});
