import { describe, expect, test } from "vitest";
import type { Routing } from "../session/session-document.ts";
import { type CorsRequest, corsChanges, isPreflight } from "./cors.ts";
import { clientAddress } from "./forwarded.ts";

const session: Routing = {
  services: [{ name: "web", location: "http://localhost:1", rewrites: [] }],
  domains: [
    { domain: "app.example.com", default_service: "web", routes: [] },
    { domain: "example.com", default_service: "web", routes: [] },
  ],
  cache_routes: [],
};
const page = "https://slim-gecko.app.example.com";

function changes(
  origin: string,
  response: Record<string, string> = {},
  more: {
    method?: string;
    headers?: Record<string, string>;
    authority?: string;
    pagePorts?: number[];
    isLocal?: boolean;
  } = {},
) {
  const headers: Record<string, string> = { origin, ...more.headers };
  const request: CorsRequest = {
    method: more.method ?? "GET",
    head: { header: (name) => headers[name] },
    client: clientAddress("https", more.authority ?? "api.example.com"),
    ...(more.pagePorts ? { pagePorts: more.pagePorts } : {}),
    isLocal: more.isLocal ?? false,
  };
  const names = () => Object.keys(response);
  return corsChanges("slim-gecko", session, request, { get: (name) => response[name], names });
}

describe("Linkup's own grant", () => {
  test("the page's origin with credentials, and the response's headers exposed", () => {
    expect(changes(page, { "x-total": "1", "content-type": "text/plain", "set-cookie": "a=1" })).toEqual({
      remove: [],
      set: [
        ["access-control-allow-origin", page],
        ["access-control-allow-credentials", "true"],
        ["access-control-expose-headers", "x-total"],
      ],
      answersPreflight: false,
    });
  });

  test("replaces each Allow-* that stands without an origin", () => {
    expect(changes(page, { "access-control-allow-credentials": "true" })?.remove).toEqual([
      "access-control-allow-credentials",
    ]);
  });

  test("keeps what the service exposes itself", () => {
    const own = changes(page, { "access-control-expose-headers": "x-a", "x-b": "1" });
    expect(own?.set.map(([name]) => name)).not.toContain("access-control-expose-headers");
  });

  test("answers a preflight with what it asks for", () => {
    const preflight = changes(
      page,
      {},
      {
        method: "OPTIONS",
        headers: { "access-control-request-method": "PUT", "access-control-request-headers": "x-own" },
      },
    );
    expect(preflight?.answersPreflight).toBe(true);
    expect(Object.fromEntries(preflight!.set)).toMatchObject({
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-own",
      "access-control-max-age": "86400",
    });
  });
});

describe("the service's own grant", () => {
  test.each(["*", page, "https://only.example.org"])("%s stands", (granted) =>
    expect(changes(page, { "access-control-allow-origin": granted })).toBeUndefined(),
  );

  test("of the same domain without the session is moved to the page's origin", () => {
    expect(changes(page, { "access-control-allow-origin": "https://app.example.com" })).toEqual({
      remove: [],
      set: [["access-control-allow-origin", page]],
      answersPreflight: false,
    });
  });

  test("of a page on this machine is moved to the page's origin, by a service that runs there", () => {
    for (const granted of ["http://localhost:3000", "https://127.0.0.1:5173"]) {
      const grants = { "access-control-allow-origin": granted };
      expect(changes(page, grants)).toBeUndefined();
      expect(changes(page, grants, { isLocal: true })).toEqual({
        remove: [],
        set: [["access-control-allow-origin", page]],
        answersPreflight: false,
      });
    }
    const other = { "access-control-allow-origin": "https://only.example.org" };
    expect(changes(page, other, { isLocal: true })).toBeUndefined();
    expect(
      changes(
        "https://evil.example.org",
        { "access-control-allow-origin": "http://localhost:3000" },
        { isLocal: true },
      ),
    ).toBeUndefined();
  });

  test("of another domain of the session stands", () => {
    expect(changes(page, { "access-control-allow-origin": "https://example.com" })).toBeUndefined();
  });
});

test("every page of the session is granted its origin, and no other page", () => {
  for (const origin of [
    page,
    "https://app.example.com",
    "https://example.com",
    "https://slim-gecko.example.com",
  ])
    expect(Object.fromEntries(changes(origin)!.set)).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
    });
  for (const origin of ["https://big-fish.example.com", "https://slim-gecko.example.com.evil.com", ""])
    expect(changes(origin)).toBeUndefined();
});

test("a preflight is an OPTIONS request with both headers of one", () => {
  const preflight: Record<string, string> = { origin: page, "access-control-request-method": "PUT" };
  const head = (names: string[]) => ({
    header: (name: string) => (names.includes(name) ? preflight[name] : null),
  });
  expect(isPreflight("OPTIONS", head(Object.keys(preflight)))).toBe(true);
  expect(isPreflight("OPTIONS", head(["origin"]))).toBe(false);
  expect(isPreflight("GET", head(Object.keys(preflight)))).toBe(false);
});

describe("origins that get nothing", () => {
  test.each([
    "http://slim-gecko.app.example.com",
    "https://slim-gecko.app.example.com:3000",
    "chrome-extension://slim-gecko.app.example.com",
    "https://evil.example.org",
    "https://evil.com\\@slim-gecko.app.example.com",
    "null",
  ])("%s", (origin) => expect(changes(origin)).toBeUndefined());

  test("a port counts where pages are served: the request's own, and those that are named", () => {
    const origin = "https://slim-gecko.app.example.com:8443";
    expect(changes(origin, {}, { authority: "api.example.com:8443" })).toBeDefined();
    expect(changes(origin, {}, { pagePorts: [8443] })).toBeDefined();
  });
});
