import { expect, test } from "vitest";
import { LEASE_GRACE_MS } from "../core/api/control-api.ts";
import { Leases, MAX_LEASE_MS, parseLease } from "./leases.ts";

function clocked() {
  const clock = { now: 1_000 };
  return { clock, leases: new Leases(() => clock.now) };
}

test("without a lease the time runs from the start", () => {
  const { clock, leases } = clocked();
  expect(leases.remaining).toBe(LEASE_GRACE_MS);
  clock.now += LEASE_GRACE_MS - 1;
  expect(leases.remaining).toBe(1);
  clock.now += 1;
  expect(leases.remaining).toBe(0);
});

test("a lease holds until it runs out, and the time runs from there", () => {
  const { clock, leases } = clocked();
  leases.put("window", { ttl_ms: 5_000 });
  expect(leases.ids).toEqual(["window"]);
  expect(leases.remaining).toBe(5_000 + LEASE_GRACE_MS);
  clock.now += 5_001;
  expect(leases.ids).toEqual([]);
  expect(leases.remaining).toBe(LEASE_GRACE_MS - 1);
});

test("putting a lease again renews it", () => {
  const { clock, leases } = clocked();
  leases.put("window", { ttl_ms: 5_000 });
  clock.now += 4_000;
  leases.put("window", { ttl_ms: 5_000 });
  clock.now += 4_000;
  expect(leases.ids).toEqual(["window"]);
});

test.each([null, 1e300])("a lease of %s ends after an hour unless it is renewed", (ttl_ms) => {
  const { clock, leases } = clocked();
  leases.put("foreign", { ttl_ms });
  clock.now += MAX_LEASE_MS - 1;
  expect(leases.ids).toEqual(["foreign"]);
  clock.now += 1;
  expect(leases.ids).toEqual([]);
  expect(leases.remaining).toBe(LEASE_GRACE_MS);
});

test("the last one to go counts, whether it ran out or was given back", () => {
  const { clock, leases } = clocked();
  leases.put("window", { ttl_ms: 5_000 });
  leases.put("terminal", { ttl_ms: null });
  expect(leases.remaining).toBe(MAX_LEASE_MS + LEASE_GRACE_MS);
  clock.now += 10 * LEASE_GRACE_MS;
  expect(leases.ids).toEqual(["terminal"]);
  leases.delete("terminal");
  expect(leases.remaining).toBe(LEASE_GRACE_MS);
  leases.delete("terminal");
  clock.now += 10;
  expect(leases.remaining).toBe(LEASE_GRACE_MS - 10);
});

test.each([
  [{ ttl_ms: 5 }, { ttl_ms: 5 }],
  [{ ttl_ms: null }, { ttl_ms: null }],
  [{ ttl_ms: -1 }, undefined],
  [{ ttl_ms: "5" }, undefined],
  [{}, undefined],
  [null, undefined],
])("%j is read as %j", (json, lease) => {
  expect(parseLease(json)).toEqual(lease);
});

test("the files of a leaseholder are known until its lease ends", () => {
  const { clock, leases } = clocked();
  leases.put("window", { ttl_ms: 5_000, files: ["/shop/linkup.yaml"] });
  leases.put("keep", { ttl_ms: null });
  expect(leases.files).toEqual({ window: ["/shop/linkup.yaml"] });
  clock.now += 5_001;
  expect(leases.files).toEqual({});
});

test.each([["/a"], "/a", [1], Array(101).fill("/a"), ["x".repeat(4_097)]])("files %#", (files) => {
  const good = Array.isArray(files) && files[0] === "/a" && files.length === 1;
  expect(parseLease({ ttl_ms: 1, files })).toEqual(good ? { ttl_ms: 1, files } : undefined);
});
