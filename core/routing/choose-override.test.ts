import { describe, expect, test } from "vitest";
import type { Override, Routing } from "../session/session-document.ts";
import { addedHeaders, withoutDestination } from "./proxy-headers.ts";
import { route } from "./route-request.ts";
import { headOfUrl, type RequestHead } from "./routing-input.ts";

const session = (...overrides: Override[]): Routing => ({
  services: [
    { name: "web", location: "http://localhost:3000", rewrites: [] },
    {
      name: "api",
      location: "https://api.example.net",
      rewrites: [{ source: "^/api/", target: "/" }],
      fallthrough: "https://else.example.net",
    },
  ],
  domains: [
    { domain: "example.com", default_service: "web", routes: [{ path: "^/api/", service: "api" }] },
    { domain: "api.example.com", default_service: "api", routes: [] },
  ],
  cache_routes: [],
  overrides,
});
const HERE = { location: "http://localhost:4000" };

const routed = (routing: Routing, path: string, method?: string, headers: Record<string, string> = {}) => {
  const head = headOfUrl(`https://slim-gecko.example.com${path}`, headers, method);
  const decision = route("slim-gecko", routing, head);
  if (decision.outcome !== "routed") throw new Error("not routed");
  return { head, decision };
};
const chosen = (...asked: Parameters<typeof routed>) => routed(...asked).decision.override;

describe("conditions", () => {
  test.each<[string, Partial<Override>, string, string | undefined, Record<string, string>, boolean]>([
    ["none", {}, "/", undefined, {}, true],
    ["the service", { service: "api" }, "/api/x", undefined, {}, true],
    ["another service", { service: "api" }, "/x", undefined, {}, false],
    ["the domain", { domain: "EXAMPLE.com" }, "/x", undefined, {}, true],
    ["another domain", { domain: "api.example.com" }, "/x", undefined, {}, false],
    ["the path before rewrites", { path: "^/api/pay" }, "/api/pay?x", undefined, {}, true],
    ["not the query", { path: "pay" }, "/api/x?pay", undefined, {}, false],
    ["the method", { methods: ["POST", "PUT"] }, "/", "PUT", {}, true],
    ["GET, where none is told", { methods: ["GET"] }, "/", undefined, {}, true],
    ["another method", { methods: ["POST"] }, "/", undefined, {}, false],
    [
      "a header",
      { headers: [{ name: "X-User", pattern: "^test" }] },
      "/",
      undefined,
      { "x-user": "test-1" },
      true,
    ],
    [
      "a header of another value",
      { headers: [{ name: "x-user", pattern: "^test" }] },
      "/",
      undefined,
      { "x-user": "a" },
      false,
    ],
    ["a missing header", { headers: [{ name: "x-user", pattern: "" }] }, "/", undefined, {}, false],
    ["an invalid pattern", { path: "(" }, "/(", undefined, {}, false],
    [
      "a header's pattern that is none",
      { headers: [{ name: "x", pattern: "(" }] },
      "/",
      undefined,
      { x: "(" },
      false,
    ],
  ])("%s", (_, conditions, path, method, headers, matches) => {
    const override = { name: "a", ...HERE, ...conditions };
    expect(chosen(session(override), path, method, headers)).toBe(matches ? "a" : undefined);
  });

  test("the first that matches wins", () => {
    const routing = session(
      { name: "a", path: "^/x", ...HERE },
      { name: "b", path: "^/api", ...HERE },
      { name: "c", ...HERE },
    );
    expect([chosen(routing, "/api/1"), chosen(routing, "/x"), chosen(routing, "/")]).toEqual(["b", "a", "c"]);
  });

  test("one that has another location for each service is found for each, and again at the second hop", () => {
    const routing = session(
      { name: "a", service: "web", ...HERE },
      { name: "a", service: "api", location: "http://localhost:5000" },
      { name: "a", path: "^/x", location: "http://localhost:6000" },
    );
    const origins = ["/x", "/api/x"].map((path) => routed(routing, path).decision.origin);
    expect(origins).toEqual(["http://localhost:4000", "http://localhost:5000"]);
    const { decision, head } = routed(routing, "/api/x");
    const added = new Map(addedHeaders("slim-gecko", routing, decision, head));
    const next = { host: "tunnel.example.net", target: "/x", header: (name: string) => added.get(name) };
    expect(route("slim-gecko", routing, next)).toMatchObject({ origin: "http://localhost:5000" });
  });

  test("a pattern that takes too long counts as not matching, and is reported", () => {
    const { decision } = routed(
      session({ name: "slow", path: "^(?:(?:a+)+)+b(?=c)", ...HERE }),
      `/${"a".repeat(5000)}`,
    );
    expect(decision.override).toBeUndefined();
  });
});

describe("what it does", () => {
  test("moves the service, with its rewrites and without what belongs to the other copy", () => {
    const routing = session({ name: "a", service: "api", ...HERE });
    const { decision } = routed(routing, "/api/pay?x=1");
    expect(decision).toMatchObject({
      override: "a",
      origin: "http://localhost:4000",
      target: "/pay?x=1",
      service: { name: "api", location: "http://localhost:4000", override: "a" },
    });
    expect(decision.service).not.toHaveProperty("fallthrough");
    expect(routed(routing, "/api/1").decision.service).toBe(decision.service);
  });

  test("leaves the service where it is for what the local server does", () => {
    const { decision } = routed(session({ name: "a", service: "api", does: "respond" }), "/api/pay");
    expect(decision).toMatchObject({ does: "respond", origin: "https://api.example.net" });
  });
});

test("the second hop accepts the first hop's decision, and no other sender's", () => {
  const routing = session({ name: "a", service: "api", path: "^/api/", ...HERE }, { name: "b", ...HERE });
  const { head, decision } = routed(routing, "/api/pay", "POST");
  const added = new Map(addedHeaders("slim-gecko", routing, decision, head));
  expect(added.get("linkup-override")).toBe("a");
  const next = (headers: Map<string, string>): RequestHead => ({
    host: "tunnel.example.net",
    target: decision.target,
    header: (name) => headers.get(name),
  });
  const second = (headers: Map<string, string>, head = next(headers)) => {
    const decided = route("slim-gecko", routing, head);
    return decided.outcome === "routed" ? decided.override : decided;
  };
  expect(second(added)).toBe("a");
  expect(second(new Map([...added, ["linkup-override", "unknown"]]))).toBeUndefined();
  expect(second(new Map([...added].filter(([name]) => name !== "linkup-override")))).toBeUndefined();
  // A client's own header means nothing: what matches counts.
  const forged = headOfUrl("https://slim-gecko.example.com/", { "linkup-override": "a" });
  expect(route("slim-gecko", routing, withoutDestination(forged))).toMatchObject({ override: "b" });
});
