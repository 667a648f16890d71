import { describe, expect, test } from "vitest";
import { clientAddress } from "../routing/forwarded.ts";
import { headOfUrl } from "../routing/routing-input.ts";
import { OWNER } from "./access-cookie.ts";
import { type CheckedProof, decideAccess } from "./decide-access.ts";

const NOW = 1_000_000;
const access = { open: ["^/webhooks/", "^/health$"], invites: { ada: NOW + 1, old: NOW } };
const domains = ["example.com", "other.example.net"].map((domain) => ({
  domain,
  default_service: "web",
  routes: [],
}));
const cookie: CheckedProof = { kind: "cookie", id: "ada", genuine: true, expires: NOW + 1 };
const network: CheckedProof = { kind: "network", id: "ada", genuine: true, expires: NOW + 1 };

function decide(
  proofs: CheckedProof[],
  headers: Record<string, string> = {},
  url = "https://slim-gecko.example.com/page",
) {
  const head = headOfUrl(url, headers);
  const client = clientAddress("https", head.host);
  const decision = decideAccess(
    { name: "slim-gecko", routing: { domains }, access, head, client },
    proofs,
    NOW,
  );
  return decision.allowed ? decision.by : decision.why;
}

test("a session that is not private is open to everybody", () => {
  const head = headOfUrl("https://slim-gecko.example.com/");
  const client = clientAddress("https", head.host);
  const request = { name: "slim-gecko", routing: { domains }, access: null, head, client };
  expect(decideAccess(request, [], NOW)).toEqual({ allowed: true, by: "public" });
});

test.each([
  ["none", [], "no-proof"],
  ["a cookie", [cookie], "cookie"],
  ["the owner's, whose end is its own", [{ ...cookie, id: OWNER }], "cookie"],
  ["a forged one", [{ ...cookie, genuine: false }], "wrong"],
  ["a token that nobody was given", [{ kind: "header", id: null, genuine: false }], "wrong"],
  ["one that has ended", [{ ...cookie, expires: NOW }], "expired"],
  ["one whose invite has ended", [{ ...cookie, id: "old" }], "expired"],
  ["one whose invite was revoked", [{ ...cookie, id: "eve" }], "revoked"],
  ["one named like a property of objects", [{ ...cookie, id: "constructor" }], "revoked"],
  [
    "the first that holds",
    [
      { ...cookie, id: "eve" },
      { kind: "trace", id: "ada", genuine: true },
    ],
    "trace",
  ],
] as [string, CheckedProof[], string][])("%s", (_, proofs, expected) => {
  expect(decide(proofs)).toBe(expected);
});

describe("the client's network", () => {
  test.each([
    ["a page of the session", { origin: "https://slim-gecko.example.com" }, "network"],
    ["its page on another domain", { origin: "https://slim-gecko.other.example.net" }, "network"],
    ["an image of such a page", { referer: "https://slim-gecko.example.com/a?b" }, "network"],
    ["the same origin", { "sec-fetch-site": "same-origin" }, "network"],
    ["no page", {}, "no-proof"],
    ["a page that hides itself", { "sec-fetch-site": "cross-site" }, "foreign-page"],
    ["evil.example", { origin: "https://evil.example" }, "foreign-page"],
    ["evil.example, with a Referer", { referer: "https://evil.example/slim-gecko.example.com" }, "no-proof"],
    [
      "evil.example, which looks alike",
      { origin: "https://slim-gecko.example.com.evil.example" },
      "foreign-page",
    ],
    ["another session", { origin: "https://other.example.com" }, "foreign-page"],
    ["a domain, where any session has pages", { origin: "https://example.com" }, "foreign-page"],
    ["a page without TLS", { origin: "http://slim-gecko.example.com" }, "foreign-page"],
    ["a page at another port", { origin: "https://slim-gecko.example.com:8443" }, "foreign-page"],
  ])("counts for %s: %j → %s", (_, headers, expected) => {
    expect(decide([network], headers as Record<string, string>)).toBe(expected);
  });
});

/** What browsers send for a part of a page on the same site. */
function part(referer?: string): Record<string, string> {
  const common = { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" };
  return referer === undefined ? common : { ...common, referer };
}

describe("a cookie", () => {
  test.each([
    ["evil.example", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, "foreign-page"],
    [
      "another session",
      { origin: "https://other.example.com", "sec-fetch-site": "same-site" },
      "foreign-page",
    ],
    ["a frame without an origin", { origin: "null", "sec-fetch-site": "cross-site" }, "foreign-page"],
    ["its own page that sends no Referer", { origin: "null", "sec-fetch-site": "same-origin" }, "cookie"],
    ["its own page at the domain", { origin: "https://example.com" }, "cookie"],
    ["an image of another session's page", part("https://bold-cat.example.com/"), "foreign-page"],
    ["an image of such a page that hides itself", part(), "foreign-page"],
    ["a look-alike's", part("https://slim-gecko.example.com.evil.example/"), "foreign-page"],
    ["an image of its own page", part("https://slim-gecko.other.example.net/"), "cookie"],
    ["an image of its own page at the domain", part("https://example.com/"), "cookie"],
    [
      "a link on another session's page",
      { ...part("https://bold-cat.example.com/"), "sec-fetch-mode": "navigate" },
      "cookie",
    ],
  ])("with a request of %s", (_, headers, expected) => {
    const url = "https://example.com/page";
    expect(decide([cookie], headers as Record<string, string>, url)).toBe(expected);
  });
});

test.each(["x-original-url", "x-rewrite-url"])("%s leads out of no open path", (name) => {
  const url = "https://slim-gecko.example.com/webhooks/github";
  expect([decide([], {}, url), decide([], { [name]: "/admin" }, url)]).toEqual(["open-path", "no-proof"]);
});

describe("open paths", () => {
  test.each([
    ["/webhooks/github?x=1", "open-path"],
    ["/health", "open-path"],
    ["/health/x", "no-proof"],
    ["/?/webhooks/", "no-proof"],
    ["/webhooks/%2e%2e/admin", "no-proof"],
    ["/webhooks/%252E%252e/admin", "no-proof"],
    ["/webhooks/..;/admin", "no-proof"],
    ["/webhooks/..%2fadmin", "no-proof"],
    ["/webhooks/%5c..%5cadmin", "no-proof"],
    ["/webhooks//admin", "no-proof"],
    ["/webhooks/..%3b/admin", "no-proof"],
    ["/webhooks/%c0%ae%c0%ae/admin", "no-proof"],
    ["/webhooks/.%09./admin", "no-proof"],
    ["/webhooks/v1.2/x..y", "open-path"],
  ])("%s → %s", (target, expected) => {
    // As a client sends it: a URL parser would resolve the dots.
    const head = { ...headOfUrl("https://slim-gecko.example.com/"), target };
    const client = clientAddress("https", head.host);
    const decision = decideAccess(
      { name: "slim-gecko", routing: { domains }, access, head, client },
      [],
      NOW,
    );
    expect(decision.allowed ? decision.by : decision.why).toBe(expected);
  });
});
