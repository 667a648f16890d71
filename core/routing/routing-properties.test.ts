/** What must hold for every request and every session, not only for those in the tables. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { resolveAuto } from "../session/auto-target.ts";
import { parseSession } from "../session/parse-session.ts";
import { type AutoState, type Session, serializeSession } from "../session/session-document.ts";
import { isSessionName } from "../session/session-name.ts";
import { sessionCandidates } from "./identify-session.ts";
import { addedHeaders } from "./proxy-headers.ts";
import { keepsCaching, route } from "./route-request.ts";
import type { RequestHead } from "./routing-input.ts";

const serviceNames = ["web", "api", " wäb\u010d\u010ax: 🚀"] as const;
const serviceName = fc.constantFrom(...serviceNames);
const pattern = fc.constantFrom(
  "/api/.*",
  "^/auth",
  "/v2/(.*)",
  "(a|b)+/",
  "x*",
  "/(\\d+)/(\\w+)$",
  "(a+)+$",
  "[^/]+",
);
const domainName = fc.constantFrom("example.com", "api.example.com", "other.org", "shop.localhost");
const sessionName = fc.constantFrom("slim-gecko", "a", "x1y2z3");

const session: fc.Arbitrary<Session> = fc.record({
  kind: fc.constantFrom("tunneled" as const, "isolated" as const, "preview" as const),
  session_token: fc.string(),
  services: fc.tuple(
    ...serviceNames.map((name) =>
      fc.record(
        {
          name: fc.constant(name),
          location: fc.constantFrom(
            "http://localhost:3000",
            "https://svc.example.net/",
            "http://[::1]:8080/base",
          ),
          rewrites: fc.array(
            fc.record({
              source: pattern,
              target: fc.oneof(fc.constantFrom("/$1", "$0", "${1}/x"), fc.string()),
            }),
            { maxLength: 3 },
          ),
          fallback: fc.constant("https://svc.example.net/"),
          session: sessionName,
          fallthrough: fc.constant("https://else.example.net/"),
          preserve_host: fc.boolean(),
        },
        { requiredKeys: ["name", "location", "rewrites"] },
      ),
    ),
  ),
  domains: fc.array(
    fc.record({
      domain: domainName,
      default_service: serviceName,
      routes: fc.array(fc.record({ path: pattern, service: serviceName }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  cache_routes: fc.array(pattern, { maxLength: 2 }),
  overrides: fc.array(
    fc.record(
      {
        name: fc.constantFrom("down", "slow", "here"),
        service: serviceName,
        domain: domainName,
        path: pattern,
        methods: fc.constantFrom(["GET"], ["POST", "PUT"]),
        headers: fc.constantFrom([{ name: "traceparent", pattern: "0" }], [{ name: "origin", pattern: "" }]),
        location: fc.constantFrom("http://localhost:4000", "https://pr.example.net"),
        fallthrough: fc.constant("https://svc.example.net"),
        does: fc.constantFrom("respond" as const, "fault" as const),
      },
      { requiredKeys: ["name"] },
    ),
    { maxLength: 4 },
  ),
});

/** Where services that are routed automatically are now. */
const autoState = fc.constantFrom<AutoState>("local", "remote", "restarting");

const host = fc.oneof(
  fc.tuple(sessionName, domainName).map(([name, domain]) => `${name}.${domain}`),
  domainName,
  fc.string(),
);
const url = fc.oneof(
  host.map((host) => `https://${host}/x`),
  fc.string(),
);
const path = fc.oneof(
  fc.constantFrom("/", "/api/v2/user", "/aaaaaaaaaaaaaaaaaaaaaaaa!", "/auth?x=/api/"),
  fc.string().map((text) => `/${text}`),
  fc.string(),
);

const head: fc.Arbitrary<RequestHead> = fc
  .record({
    host,
    target: path,
    method: fc.constantFrom("GET", "POST", "DELETE", undefined),
    headers: fc.record(
      {
        "x-forwarded-host": host,
        referer: url,
        origin: url,
        tracestate: fc.oneof(
          fc.constantFrom("linkup-session=slim-gecko", "a=b, linkup-session=a"),
          fc.string(),
        ),
        traceparent: fc.string(),
        "linkup-destination": fc.oneof(serviceName, fc.string()),
        "linkup-override": fc.oneof(fc.constantFrom("down", "slow", "here"), fc.string()),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ host, target, method, headers }) => ({
    host,
    target,
    method,
    header: (name) => (headers as Record<string, string>)[name],
  }));

test("routing never throws, and what it routes to is a service of the session with a rooted path", () => {
  fc.assert(
    fc.property(sessionName, session, autoState, head, (name, given, state, head) => {
      const session = resolveAuto(given, () => state);
      const decision = route(name, session, head);
      keepsCaching(session, head.target);
      if (decision.outcome !== "routed") return;
      if (decision.override === undefined) expect(session.services).toContain(decision.service);
      else expect(session.services.map(({ name }) => name)).toContain(decision.service.name);
      if (decision.rewrites.length > 0) expect(decision.target).toMatch(/^\/[!-~]*/);
      for (const [header, value] of addedHeaders(name, session, decision, head))
        expect(value).toMatch(header === "linkup-destination" ? /^[!-~](?:[ -~]*[!-~])?$/ : /^/);
    }),
    { numRuns: 2000 },
  );
});

test("the second hop decides as the first did", () => {
  fc.assert(
    fc.property(sessionName, session, autoState, head, (name, given, state, head) => {
      const session = resolveAuto(given, () => state);
      const first = route(name, session, head);
      if (first.outcome !== "routed") return;
      const added = new Map(addedHeaders(name, session, first, head));
      const next: RequestHead = {
        host: `tunnel-${name}.tunnels.example.net`,
        target: first.target,
        // A hop removes the client's own.
        header: (key) =>
          added.get(key) ??
          (key === "linkup-override" && first.reason.by !== "destination" ? undefined : head.header(key)),
      };
      const second = route(name, session, next);
      expect(second).toMatchObject({ outcome: "routed", target: first.target, origin: first.origin });
      expect(second.outcome === "routed" && second.service).toBe(first.service);
    }),
    { numRuns: 2000 },
  );
});

test("identification yields only names that the grammar allows, each once", () => {
  fc.assert(
    fc.property(head, (head) => {
      const names = sessionCandidates(head).map(({ name }) => name);
      expect(names.every(isSessionName)).toBe(true);
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: 2000 },
  );
});

test("parsing what was printed gives the session back", () => {
  fc.assert(
    fc.property(session, (session) => {
      const printed = JSON.parse(JSON.stringify(serializeSession(session)));
      expect(parseSession(printed)).toEqual({ ok: true, value: session });
    }),
  );
});

test("parsing never throws, whatever the JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      expect(parseSession(json)).toHaveProperty("ok");
    }),
  );
});
