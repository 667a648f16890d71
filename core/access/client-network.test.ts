import { expect, test } from "vitest";
import { clientNetwork } from "./client-network.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:c000:207", "192.0.2.7"],
  ["fe80::1%en0", "fe80:0:0:0::/64"],
  [" 192.0.2.7 ", "192.0.2.7"],
])("%s is in %s", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});

test.each([
  undefined,
  null,
  "",
  "unknown",
  "192.0.2",
  "192.0.2.256",
  "1:2:3",
  "1::2::3",
  ":::",
  "1:2:3:4:5:6:7:8:9",
  "::1.2.3",
])("%s is no address", (address) => {
  expect(clientNetwork(address)).toBeUndefined();
});
