/** The same requests decided by the contract's text and by ours: a difference is a deviation. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sessionCandidates } from "../../core/routing/identify-session.ts";
import { addedHeaders } from "../../core/routing/proxy-headers.ts";
import { route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { parseSession } from "../../core/session/parse-session.ts";
import { addedBy, type ContractSession, type Request, sessionOf, targetOf } from "./contract.ts";

const RUNS = 5_000;

const NAMES = ["slim-gecko", "a1b2c3", "api", "x"];
const DOMAINS = ["example.com", "api.example.com", "other-example.com", "shop.localhost"];
const SERVICES = ["frontend", "backend", "other"];

const name = fc.constantFrom(...NAMES, "nobody");
const domain = fc.constantFrom(...DOMAINS, "elsewhere.com", "localhost");
const host = fc
  .tuple(fc.option(name, { nil: undefined }), domain, fc.constantFrom("", "", ":80", ":8443"), fc.boolean())
  .map(([label, domain, port, loud]) => {
    const host = `${label === undefined ? "" : `${label}.`}${domain}${port}`;
    return loud ? host : host.toUpperCase();
  });
const segment = fc.constantFrom("api", "v1", "v2", "foo", "bar", "user", "a%20b", "%2F", "x.js", "..", "");
const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`);
const query = fc.constantFrom("", "", "?a=b", "?", "?next=/api/v1/", "?a=b?c=d", "?q=foo/bar");
const pattern = fc.constantFrom(
  ..."/api/v1/.* /api/v2/.* ^/api foo o+ /(foo|bar)/ [0-9]+ ^/$ \\.js$ %2F user/?$ /".split(" "),
);
const rewrite = fc.constantFrom(
  { source: "/foo/(.*)", target: "/bar/$1" },
  { source: "/api/v2/(.*)", target: "/$1" },
  { source: "^/(api)/(v\\d)", target: "/$2/$1" },
  { source: "o", target: "/o" },
  { source: "^/bar", target: "" },
  { source: "/user$", target: "/users/me" },
);
const service = fc.constantFrom(...SERVICES);
const session: fc.Arbitrary<ContractSession> = fc.record({
  services: fc.tuple(
    ...SERVICES.map((name, index) =>
      fc.record({
        name: fc.constant(name),
        location: fc.constantFrom(
          `http://localhost:800${index}`,
          `http://localhost:800${index}/ignored`,
          `https://${name}.internal.example.org`,
        ),
        rewrites: fc.option(fc.array(rewrite, { maxLength: 3 })),
      }),
    ),
  ),
  domains: fc.subarray(DOMAINS, { minLength: 1 }).chain((domains) =>
    fc.tuple(
      ...domains.map((domain) =>
        fc.record({
          domain: fc.constant(domain),
          default_service: service,
          routes: fc.option(fc.array(fc.record({ path: pattern, service }), { maxLength: 3 })),
        }),
      ),
    ),
  ),
  cache_routes: fc.constant(null),
});
const tracestate = fc
  .tuple(fc.constantFrom("", "vendor=1,", "vendor=1 , "), name, fc.constantFrom("", ",other=2", " , other=2"))
  .map(([before, name, after]) => `${before}linkup-session=${name}${after}`);
const request: fc.Arbitrary<Request> = fc.record({
  host,
  target: fc.tuple(path, query).map((parts) => parts.join("")),
  headers: fc.record(
    {
      "x-forwarded-host": host,
      referer: fc.tuple(host, path).map(([host, path]) => `https://${host}${path}`),
      origin: fc.oneof(
        host.map((host) => `https://${host}`),
        fc.constant("null"),
      ),
      tracestate: fc.oneof(tracestate, fc.constant("vendor=1")),
      traceparent: fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
      "linkup-destination": fc.constantFrom(...SERVICES),
    },
    { requiredKeys: [] },
  ),
});

const headOf = ({ host, target, headers }: Request): RequestHead => ({
  host,
  target,
  header: (name) => headers[name],
});

function ours(session: ContractSession) {
  const parsed = parseSession({ session_token: "t", ...session });
  if (!parsed.ok) throw new Error(parsed.errors.join("\n"));
  return parsed.value;
}

/** A path that ours must write on a request line: a rewrite can make one that does not begin with `/`. */
const isPath = (target: string) => target.startsWith("/");

describe("decided by the text of the contract and by ours", () => {
  test("which session", () => {
    fc.assert(
      fc.property(request, fc.subarray(NAMES), (request, known) => {
        const isKnown = (name: string) => known.includes(name);
        const found = sessionCandidates(headOf(request)).find(({ name }) => isKnown(name))?.name;
        expect(found).toBe(sessionOf(request, isKnown));
      }),
      { numRuns: RUNS },
    );
  });

  test("which service, at which address", () => {
    let routed = 0;
    fc.assert(
      fc.property(session, request, fc.constantFrom(...NAMES), (session, request, name) => {
        const expected = targetOf(name, session, request);
        if (expected && !isPath(expected.target)) return;
        const decision = route(name, ours(session), headOf(request));
        if (!expected) {
          expect(decision.outcome).toBe("no-target");
          return;
        }
        routed++;
        const { service, origin, target } = expected;
        expect(decision).toMatchObject({ outcome: "routed", service: { name: service }, origin, target });
      }),
      { numRuns: RUNS },
    );
    expect(routed).toBeGreaterThan(RUNS / 5);
  });

  test("a hop of the original leads to what ours decides after it, and the other way round", () => {
    fc.assert(
      fc.property(session, request, fc.constantFrom(...NAMES), (session, request, name) => {
        const first = targetOf(name, session, request);
        const known = (other: string) => other === name;
        const decision = route(name, ours(session), headOf(request));
        if (!first || decision.outcome !== "routed" || !isPath(first.target)) return;

        const afterOriginal = {
          host: "tunnel-x.tunnels.org",
          target: first.target,
          headers: { ...request.headers, ...addedBy(name, first, request) },
        };
        const second = route(name, ours(session), headOf(afterOriginal));
        expect(second).toMatchObject({
          outcome: "routed",
          service: { name: first.service },
          target: first.target,
        });

        const afterOurs = {
          host: "tunnel-x.tunnels.org",
          target: decision.target,
          headers: {
            ...request.headers,
            ...Object.fromEntries(addedHeaders(name, ours(session), decision, headOf(request))),
          },
        };
        expect(targetOf(name, session, afterOurs)).toMatchObject({
          service: decision.service.name,
          target: decision.target,
        });
        expect(sessionOf(afterOurs, known)).toBe(name);
        expect(
          sessionCandidates(headOf(afterOriginal)).find((candidate) => known(candidate.name))?.name,
        ).toBe(name);
      }),
      { numRuns: RUNS },
    );
  });

  test("the headers that a hop adds", () => {
    fc.assert(
      fc.property(session, request, fc.constantFrom(...NAMES), (session, request, name) => {
        const target = targetOf(name, session, request);
        const decision = route(name, ours(session), headOf(request));
        if (!target || decision.outcome !== "routed") return;
        const added = Object.fromEntries(addedHeaders(name, ours(session), decision, headOf(request)));
        const expected = addedBy(name, target, request);
        // Ours also replaces a host that is not the session's own.
        const isReplaced = "x-forwarded-host" in added && !("x-forwarded-host" in expected);
        if (isReplaced) expected["x-forwarded-host"] = added["x-forwarded-host"]!;
        // Ours also names the session in baggage, and mends trace headers that no tracer accepts.
        const isOurs = (key: string) => ["baggage", "traceparent", "tracestate"].includes(key);
        const keys = Object.keys(added).filter((key) => key in expected || !isOurs(key));
        expect(keys.sort()).toEqual(Object.keys(expected).sort());
        expect(added.traceparent ?? "").toMatch(/^$|^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
        expect(added["linkup-destination"]).toBe(expected["linkup-destination"]);
      }),
      { numRuns: RUNS },
    );
  });
});
