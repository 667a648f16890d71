import { describe, expect, test } from "vitest";
import { parseSession } from "../session/parse-session.ts";
import { addedHeaders, hopIdOf, joinCookies } from "./proxy-headers.ts";
import { route } from "./route-request.ts";
import { headOfUrl } from "./routing-input.ts";

const parsed = parseSession({
  session_token: "t",
  services: [{ name: "web", location: "https://web.example.net" }],
  domains: [
    { domain: "example.com", default_service: "web" },
    { domain: "api.example.com", default_service: "web" },
  ],
});
if (!parsed.ok) throw new Error(parsed.errors.join("; "));
const session = parsed.value;

function added(url: string, headers: Record<string, string> = {}) {
  const head = headOfUrl(url, headers);
  const decision = route("slim-gecko", session, head);
  if (decision.outcome !== "routed") throw new Error(decision.outcome);
  return Object.fromEntries(addedHeaders("slim-gecko", session, decision, head));
}

describe("added headers", () => {
  test("all five, on a first hop", () => {
    expect(added("http://slim-gecko.example.com/")).toEqual({
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      tracestate: "linkup-session=slim-gecko",
      baggage: "linkup-session=slim-gecko",
      "linkup-destination": "web",
      "x-forwarded-host": "slim-gecko.example.com",
    });
  });

  test("nothing that is there already", () => {
    const first = added("http://slim-gecko.example.com/");
    expect(added("http://tunnel.net/", first)).toEqual({});
  });

  test("x-forwarded-host carries the session also where the host did not", () => {
    expect(
      added("http://api.example.com/", { tracestate: "linkup-session=slim-gecko" })["x-forwarded-host"],
    ).toBe("slim-gecko.api.example.com");
  });

  test.each([
    ["slim-gecko.example.com:8080", undefined],
    ["Slim-Gecko.Example.com.", undefined],
    ["slim-gecko.example.com:8080@evil.example", "slim-gecko.example.com"],
    ["slim-gecko.example.com:, evil.example", "slim-gecko.example.com"],
    ["slim-gecko.example.com:8080 , evil.example", "slim-gecko.example.com:8080"],
  ])("x-forwarded-host %j stays only as it is one of the session's hosts", (host, expected) => {
    expect(added("http://tunnel.net/", { "x-forwarded-host": host })["x-forwarded-host"]).toBe(expected);
  });

  test("the session goes first in tracestate, once, and 32 members are the limit", () => {
    const others = Array.from({ length: 40 }, (_, i) => `k${i}=v`);
    const members = added("http://slim-gecko.example.com/", {
      tracestate: others.join(", "),
    }).tracestate!.split(",");
    expect(members).toEqual(["linkup-session=slim-gecko", ...others.slice(0, 31)]);
    expect(
      added("http://slim-gecko.example.com/", { tracestate: "a=1,linkup-session=big-fish" }).tracestate,
    ).toBe("linkup-session=slim-gecko,a=1");
  });

  const VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const OTHER = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const INVALID = [
    `${VALID}, ${OTHER}`,
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "undefined",
  ];

  test.each(INVALID)("the invalid traceparent %s is replaced by a valid one", (traceparent) => {
    const headers = added("http://slim-gecko.example.com/", { traceparent });
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(headers.tracestate).toBe("linkup-session=slim-gecko");
  });

  test.each([
    ["vendor=1,Not A Key=2", "linkup-session=slim-gecko,vendor=1"],
    ["a=1,b=2,a=3", "linkup-session=slim-gecko,a=1,b=2"],
  ])("a valid traceparent stays, the tracestate %s becomes %s", (tracestate, expected) => {
    const headers = added("http://slim-gecko.example.com/", { traceparent: VALID, tracestate });
    expect(headers).not.toHaveProperty("traceparent");
    expect(headers.tracestate).toBe(expected);
  });

  test("a client that does not sample keeps its flags", () => {
    const traceparent = VALID.replace(/01$/, "00");
    expect(added("http://slim-gecko.example.com/", { traceparent })).not.toHaveProperty("traceparent");
  });

  test("no baggage for a session that has switched it off", () => {
    const head = headOfUrl("http://slim-gecko.example.com/");
    const quiet = { ...session, baggage: false };
    const decision = route("slim-gecko", quiet, head);
    if (decision.outcome !== "routed") throw new Error(decision.outcome);
    expect(addedHeaders("slim-gecko", quiet, decision, head).map(([name]) => name)).not.toContain("baggage");
  });

  test("trace ids differ from request to request", () => {
    expect(added("http://slim-gecko.example.com/").traceparent).not.toBe(
      added("http://slim-gecko.example.com/").traceparent,
    );
  });
});

test.each([
  [["view=sort=price,dir=up; id=7"], "view=sort=price,dir=up; id=7"],
  [['basket=[{"n":1,"q":"x=y"}]'], 'basket=[{"n":1,"q":"x=y"}]'],
  [["a=1", "b=2"], "a=1; b=2"],
  [["a=1, b=2"], "a=1; b=2"],
])("the Cookie lines %j reach the service as %s", (lines, expected) => {
  expect(joinCookies(lines.join(", "))).toBe(expected);
});

test("cookies that HTTP joined with a comma", () => {
  expect(joinCookies("a=1; b=2, c=3")).toBe("a=1; b=2; c=3");
  expect(joinCookies("a=x,y; b=2")).toBe("a=x,y; b=2");
});

test.each([
  ["0123456789abcdef", "0123456789abcdef"],
  ["0123456789ABCDEF", null],
  ["0".repeat(16_000), null],
  ["", null],
])("of %j the hop id is %j", (value, id) =>
  expect(hopIdOf({ header: (name) => (name === "linkup-hop" ? value : null) })).toBe(id),
);
