import { describe, expect, test } from "vitest";
import { addressesOf, type NetworkSample, NetworkWatch } from "./network-watch.ts";

const first: NetworkSample = { wall: 1_000_000, steady: 5_000, addresses: "eth0 10.0.0.2/24" };

describe("between two looks", () => {
  test.each<[string, Partial<NetworkSample>, boolean]>([
    ["a second", { wall: 1_001_000, steady: 6_000 }, false],
    ["a busy machine", { wall: 1_012_000, steady: 17_000 }, false],
    ["sleep, while one clock stood still", { wall: 4_600_000, steady: 6_000 }, true],
    ["sleep, while both went on", { wall: 4_600_000, steady: 3_605_000 }, true],
    ["a clock that was put back", { wall: 900_000, steady: 6_000 }, true],
    ["another address", { wall: 1_001_000, steady: 6_000, addresses: "wlan0 10.0.0.2/24" }, true],
    ["no address", { wall: 1_001_000, steady: 6_000, addresses: "" }, true],
  ])("%s: %s", (_, more, changed) => {
    const watch = new NetworkWatch(first);
    const now = { ...first, ...more };
    expect(watch.hasChanged(now)).toBe(changed);
    expect(watch.hasChanged(now)).toBe(false);
  });
});

test("only addresses that lead somewhere count, in whatever order", () => {
  const address = (address: string, internal = false) =>
    ({ address, cidr: `${address}/24`, internal }) as never;
  expect(
    addressesOf({
      wlan0: [address("192.0.2.7"), address("fe80::1")],
      lo: [address("127.0.0.1", true)],
      docker0: [address("169.254.3.4")],
      eth0: [address("2001:db8::1")],
      none: undefined,
    }),
  ).toBe("eth0 2001:db8::1/24, wlan0 192.0.2.7/24");
});
