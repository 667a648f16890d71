import { describe, expect, test } from "vitest";
import { parseSession } from "../session/parse-session.ts";
import type { Session } from "../session/session-document.ts";
import { noTarget } from "./proxy-failure.ts";
import { addedHeaders } from "./proxy-headers.ts";
import { keepsCaching, route } from "./route-request.ts";
import { headOfUrl } from "./routing-input.ts";

function session(json: unknown): Session {
  const parsed = parseSession(json);
  if (!parsed.ok) throw new Error(parsed.errors.join("; "));
  return parsed.value;
}

const documented = session({
  session_token: "token",
  services: [
    {
      name: "frontend",
      location: "http://localhost:8000",
      rewrites: [{ source: "/foo/(.*)", target: "/bar/$1" }],
    },
    {
      name: "backend",
      location: "http://localhost:8001/",
      rewrites: [{ source: "/api/v2/(.*)", target: "/$1" }],
    },
    { name: "other-frontend", location: "http://localhost:5000", rewrites: null },
  ],
  domains: [
    {
      domain: "example.com",
      default_service: "frontend",
      routes: [
        { path: "/api/v1/.*", service: "backend" },
        { path: "/api/v2/.*", service: "backend" },
      ],
    },
    { domain: "api.example.com", default_service: "backend", routes: null },
    { domain: "other-example.com", default_service: "other-frontend" },
  ],
});

/** `service url` of the request's target, or the outcome. */
function target(
  url: string,
  headers: Record<string, string> = {},
  of = documented,
  name = "slim-gecko",
): string {
  const decision = route(name, of, headOfUrl(url, headers));
  return decision.outcome === "routed"
    ? `${decision.service.name} ${decision.origin}${decision.target}`
    : decision.outcome;
}

const service = (name: string, location: string) => ({ name, location, rewrites: [] });

const traced = { tracestate: "linkup-session=slim-gecko" };

describe("the documented routing", () => {
  test.each([
    ["http://slim-gecko.example.com/?a=b", {}, "frontend http://localhost:8000/?a=b"],
    ["http://slim-gecko.example.com/foo/b/c/?a=b", {}, "frontend http://localhost:8000/bar/b/c/?a=b"],
    ["http://slim-gecko.example.com/api/v1/?a=b", {}, "backend http://localhost:8001/api/v1/?a=b"],
    ["http://api.example.com/api/v1/?a=b", traced, "backend http://localhost:8001/api/v1/?a=b"],
    ["http://example.com/api/v2/user", traced, "backend http://localhost:8001/user"],
    [
      "http://other-example.com/",
      { referer: "https://slim-gecko.example.com/" },
      "other-frontend http://localhost:5000/",
    ],
  ])("%s %o → %s", (url, headers, expected) => {
    expect(target(url, headers)).toBe(expected);
  });

  test("the next hop, with the headers the first one added, does not rewrite again", () => {
    const head = headOfUrl("http://example.com/api/v2/user", traced);
    const first = route("slim-gecko", documented, head);
    if (first.outcome !== "routed") throw new Error(first.outcome);
    const added = Object.fromEntries(addedHeaders("slim-gecko", documented, first, head));
    expect(
      target(`https://tunnel-slim-gecko.tunnels.example.net${first.target}`, { ...traced, ...added }),
    ).toBe("backend http://localhost:8001/user");
  });

  test("the how-it-works example", () => {
    const smart = session({
      session_token: "t",
      services: [
        { name: "frontend", location: "https://frontend.example.net" },
        { name: "api", location: "https://api.example.net" },
        { name: "auth", location: "https://auth.example.net" },
      ],
      domains: [
        {
          domain: "example.com",
          default_service: "frontend",
          routes: [{ path: "/auth.*", service: "auth" }],
        },
        { domain: "api.example.com", default_service: "api" },
      ],
    });
    const of = (url: string, headers = {}) => target(url, headers, smart, "smart-snake");
    expect(of("https://smart-snake.example.com/")).toBe("frontend https://frontend.example.net/");
    expect(of("https://smart-snake.example.com/auth/login")).toBe("auth https://auth.example.net/auth/login");
    expect(of("https://smart-snake.api.example.com/me")).toBe("api https://api.example.net/me");
    expect(of("https://api.example.com/me", { referer: "https://smart-snake.example.com/" })).toBe(
      "api https://api.example.net/me",
    );
    expect(of("https://elsewhere.com/", { tracestate: "linkup-session=smart-snake" })).toBe("no-target");
  });
});

describe("choosing the domain", () => {
  test.each([
    [
      "the URL's host comes first",
      "http://api.example.com/",
      { "x-forwarded-host": "slim-gecko.other-example.com" },
      "backend",
    ],
    [
      "then x-forwarded-host",
      "http://tunnel.net/",
      { "x-forwarded-host": "slim-gecko.other-example.com", referer: "http://example.com/" },
      "other-frontend",
    ],
    [
      "then Referer",
      "http://tunnel.net/",
      { referer: "http://other-example.com/x", origin: "http://example.com" },
      "other-frontend",
    ],
    ["then Origin", "http://tunnel.net/", { origin: "http://slim-gecko.example.com" }, "frontend"],
    ["ports and case do not count", "http://SLIM-GECKO.Example.com:8787/", {}, "frontend"],
    ["another session's label is not stripped", "http://big-fish.example.com/", {}, "no-target"],
    ["a subdomain is another domain", "http://www.example.com/", {}, "no-target"],
  ])("%s", (_, url, headers, service) => {
    expect(target(url, headers as unknown as Record<string, string>).split(" ")[0]).toBe(service);
  });
});

describe("choosing the service", () => {
  test("linkup-destination wins and its path is unchanged", () => {
    expect(target("http://slim-gecko.example.com/foo/x", { "linkup-destination": "frontend" })).toBe(
      "frontend http://localhost:8000/foo/x",
    );
    expect(target("http://nowhere.net/x", { "linkup-destination": "backend" })).toBe(
      "backend http://localhost:8001/x",
    );
  });

  test("a linkup-destination that names no service is as if it were absent", () => {
    expect(target("http://slim-gecko.example.com/foo/x", { "linkup-destination": "nobody" })).toBe(
      "frontend http://localhost:8000/bar/x",
    );
  });

  test("a route is found anywhere in the path, never in the query", () => {
    expect(target("http://slim-gecko.example.com/x/api/v1/")).toMatch(/^backend/);
    expect(target("http://slim-gecko.example.com/x?/api/v1/")).toMatch(/^frontend/);
  });

  test("a location's path is ignored, its credentials are not sent as a host", () => {
    const one = session({
      session_token: "t",
      services: [{ name: "a", location: "https://user:pw@a.example.com:8443/base?x#y" }],
      domains: [{ domain: "example.com", default_service: "a" }],
    });
    expect(target("http://slim-gecko.example.com/p?q", {}, one)).toBe("a https://a.example.com:8443/p?q");
  });

  test("of two services or domains of one name the first counts, whatever the case of the domain", () => {
    const twice: Session = {
      ...documented,
      services: [service("web", "http://first"), service("web", "http://second")],
      domains: [
        { domain: "Example.COM", default_service: "web", routes: [] },
        { domain: "example.com", default_service: "other", routes: [] },
      ],
    };
    expect(target("http://slim-gecko.example.com/x", {}, twice)).toBe("web http://first/x");
  });

  test("patterns that cannot be read match nothing, and the others keep their places", () => {
    const broken: Session = {
      ...documented,
      services: [
        {
          ...service("web", "http://web"),
          rewrites: [
            { source: "(", target: "/no" },
            { source: "^/a", target: "/b" },
          ],
        },
        service("api", "http://api"),
      ],
      domains: [
        {
          domain: "example.com",
          default_service: "web",
          routes: [
            { path: "(", service: "web" },
            { path: "^/api/", service: "api" },
          ],
        },
      ],
      cache_routes: ["(", "^/static/"],
    };
    expect(target("http://slim-gecko.example.com/a/x", {}, broken)).toBe("web http://web/b/x");
    const decision = route("slim-gecko", broken, headOfUrl("http://slim-gecko.example.com/api/x"));
    expect(decision).toMatchObject({ reason: { by: "route", index: 1, pattern: "^/api/" } });
    expect(keepsCaching(broken, "/static/x?y")).toBe(true);
    expect(keepsCaching(broken, "/x?/static/")).toBe(false);
  });

  test("only the result of the last rewrite is made a path", () => {
    const of = session({
      session_token: "t",
      services: [
        {
          name: "a",
          location: "http://a",
          rewrites: [
            { source: "^/api/v2/", target: "" },
            { source: "^users", target: "people" },
            { source: "x y", target: "z" },
          ],
        },
      ],
      domains: [{ domain: "example.com", default_service: "a" }],
    });
    expect(target("http://slim-gecko.example.com/api/v2/users/7", {}, of)).toBe("a http://a/people/7");
    const decision = route("slim-gecko", of, headOfUrl("http://slim-gecko.example.com/api/v2/users/7"));
    expect(decision.outcome === "routed" && decision.rewrites.map(({ path }) => path)).toEqual([
      "users/7",
      "/people/7",
    ]);
  });

  test("rewrites apply in order, every match, and their result is a path", () => {
    const of = (rewrites: { source: string; target: string }[], url: string) =>
      target(
        url,
        {},
        session({
          session_token: "t",
          services: [{ name: "a", location: "http://a", rewrites }],
          domains: [{ domain: "example.com", default_service: "a" }],
        }),
      );
    const base = "http://slim-gecko.example.com";
    expect(
      of(
        [
          { source: "a", target: "b" },
          { source: "b", target: "cc" },
        ],
        `${base}/aba`,
      ),
    ).toBe("a http://a/cccccc");
    expect(of([{ source: "^/x/", target: "" }], `${base}/x/y?z`)).toBe("a http://a/y?z");
    expect(of([{ source: "/x", target: "/q?r#s t" }], `${base}/x?z`)).toBe("a http://a/q%3Fr%23s%20t?z");
  });
});

test("the explanation says which header, domain, route and rewrite decided", () => {
  const decision = route(
    "slim-gecko",
    documented,
    headOfUrl("http://tunnel.net/api/v2/a?b", { referer: "http://slim-gecko.example.com/" }),
  );
  expect(decision).toMatchObject({
    outcome: "routed",
    reason: { by: "route", index: 1, pattern: "/api/v2/.*" },
    match: { domain: { domain: "example.com" }, source: "referer" },
    rewrites: [{ source: "/api/v2/(.*)", target: "/$1", path: "/a" }],
    target: "/a?b",
    gaveUp: [],
  });
});

test("the 404 begins as the contract requires and names the searched places", () => {
  const decision = route("slim-gecko", documented, headOfUrl("http://slim-gecko.nowhere.com/"));
  if (decision.outcome !== "no-target") throw new Error(decision.outcome);
  const text = noTarget("slim-gecko", documented, decision).explanation;
  expect(text).toMatch(/^The request belonged to a session, but there was no target for the request\./);
  expect(text).toContain("nowhere.com (host)");
  expect(text).toContain("example.com, api.example.com, other-example.com");
});
