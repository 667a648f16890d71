import { expect, test } from "vitest";
import { explainRequest } from "./explain-request.ts";
import { decideRequest, type RoutableSession } from "./request-decision.ts";
import { headOfUrl } from "./routing-input.ts";

const served: RoutableSession = {
  name: "slim-gecko",
  session: {
    services: [{ name: "web", location: "http://localhost:8000", rewrites: [] }],
    domains: [{ domain: "Example.com", default_service: "web", routes: [] }],
    cache_routes: [],
  },
};
const local: RoutableSession = {
  name: "big-fish",
  session: {
    ...served.session,
    domains: [{ domain: "localhost", default_service: "web", routes: [] }],
    baggage: false,
  },
};
const sessions = new Map([served, local].map((each) => [each.name, each]));
const known = { get: (name: string) => sessions.get(name), [Symbol.iterator]: () => sessions.values() };
const FROM_SESSION = { referer: "https://slim-gecko.example.com/" };

test.each([
  ["of a session", "http://slim-gecko.example.com/a", {}, { session: "slim-gecko" }],
  [
    "under a domain of one",
    "http://pr-1.example.com/",
    {},
    { session: null, public_host: "pr-1.example.com" },
  ],
  ["of a domain itself", "http://example.com:9080/", {}, { session: null, public_host: "example.com" }],
  ["of this machine", "http://pr-1.localhost/", {}, { failure: { status: 422, code: "unknown-session" } }],
  ["of nobody here", "http://example.org/", {}, { failure: { status: 422, code: "unknown-session" } }],
  [
    "foreign, from a page",
    "http://evil.org/",
    FROM_SESSION,
    { failure: { status: 421, code: "misdirected" } },
  ],
  [
    "foreign, by tracestate",
    "http://evil.org/",
    { tracestate: "linkup-session=slim-gecko" },
    { failure: { status: 404, code: "no-target" } },
  ],
  [
    "with a path that is longer than patterns are searched in",
    `http://slim-gecko.example.com/${"a".repeat(16_384)}`,
    {},
    { failure: { status: 414, code: "path-too-long" } },
  ],
  [
    "with a long query",
    `http://slim-gecko.example.com/?${"a".repeat(16_384)}`,
    {},
    { session: "slim-gecko", decision: { outcome: "routed" } },
  ],
  [
    "of a session below localhost",
    "http://big-fish.localhost:9080/",
    {},
    { session: "big-fish", decision: { outcome: "routed" } },
  ],
  [
    "without a session but baggage",
    "http://example.com/",
    { baggage: "linkup-session=slim-gecko" },
    { session: "slim-gecko" },
  ],
  [
    "whose session has switched baggage off",
    "http://example.com/",
    { baggage: "linkup-session=big-fish" },
    { session: null },
  ],
  [
    "that goes round",
    "http://slim-gecko.example.com/",
    { "linkup-hops": "16" },
    { failure: { status: 508, code: "loop" } },
  ],
])("a host %s", (_what, url, headers, expected) => {
  const head = headOfUrl(url, headers as Record<string, string>);
  const explanation = explainRequest(known, head);
  expect(explanation).toMatchObject(expected);
  // What the local server does is asked of the same function.
  const verdict = decideRequest(known, "browser", head, () => true);
  expect("publicHost" in verdict ? verdict.publicHost : undefined).toBe(explanation.public_host);
  expect("failure" in verdict ? verdict.failure.status : undefined).toBe(explanation.failure?.status);
});
