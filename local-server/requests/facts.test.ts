import { expect, test } from "vitest";
import type { Service } from "../../core/session.ts";
import type { Served } from "../sessions.ts";
import { FactRows, Facts } from "./facts.ts";

const some: Partial<Facts> = {
  listener: "tunnel",
  protocol: "HTTP/2",
  secure: true,
  served: { name: "slim-gecko" } as unknown as Served,
  service: { name: "web" } as Service,
  edgeHost: "example.com",
  failure: "loop",
  brokenBy: "client",
  reason: "it left",
};

/** Every number another one. */
function all(): Facts {
  const facts = Object.assign(new Facts(), some);
  const numbers = Object.entries(facts).filter(([, value]) => typeof value === "number");
  return Object.assign(facts, Object.fromEntries(numbers.map(([name], i) => [name, 1.7e12 + i + 0.25])));
}

test("a row gives back every fact, and keeps nothing of what stood there before", () => {
  const rows = new FactRows(2);
  const plain = Object.assign(new Facts(), { id: 7, protocol: "HTTP/1.0" });
  rows.write(0, all());
  rows.write(1, all());
  rows.write(0, plain);
  expect(rows.read(0)).toEqual(plain);
  expect(rows.read(1)).toEqual(all());
  rows.clear();
  expect(rows.read(1)).toMatchObject({ served: undefined, service: undefined, reason: undefined });
});
