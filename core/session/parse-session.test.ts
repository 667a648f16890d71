import { describe, expect, test } from "vitest";
import { parseSession, parseUpsert } from "./parse-session.ts";
import { isLocal } from "./session-document.ts";

const valid = {
  session_token: "t",
  services: [{ name: "web", location: "http://localhost:3000" }],
  domains: [{ domain: "example.com", default_service: "web" }],
};

test("kind defaults to tunneled, lists that are missing or null are empty, unknown keys are left out", () => {
  expect(parseSession({ ...valid, cache_routes: null, more: 1 })).toEqual({
    ok: true,
    value: {
      kind: "tunneled",
      session_token: "t",
      services: [{ name: "web", location: "http://localhost:3000", rewrites: [] }],
      domains: [{ domain: "example.com", default_service: "web", routes: [] }],
      cache_routes: [],
    },
  });
});

test("at most 1,000 domains", () => {
  const domains = Array.from({ length: 1001 }, (_, n) => ({
    domain: `d${n}.example.com`,
    default_service: "web",
  }));
  expect(parseUpsert({ ...valid, domains })).toEqual({
    ok: false,
    errors: ["domains: must have at most 1000 domains"],
  });
  expect(parseUpsert({ ...valid, domains: domains.slice(1) }).ok).toBe(true);
});

describe("every problem at once, with its place", () => {
  test("of a session", () => {
    const result = parseSession({
      kind: "other",
      session_token: 1,
      services: [{ name: "", location: "ftp://x", rewrites: [{ source: "(", target: "" }] }],
      domains: [],
    });
    expect(result.ok ? [] : result.errors.map((problem) => problem.split(":")[0])).toEqual([
      "kind",
      "session_token",
      "services[0].name",
      "services[0].location",
      "services[0].rewrites[0].source",
      "domains",
    ]);
  });

  test("of services that do not exist", () => {
    const result = parseSession({
      ...valid,
      domains: [{ domain: "a.com", default_service: "x", routes: [{ path: "/", service: "y" }] }],
    });
    expect(result).toEqual({
      ok: false,
      errors: [
        'domains[0].default_service: names the service "x", which is not one of the services (web)',
        'domains[0].routes[0].service: names the service "y", which is not one of the services (web)',
      ],
    });
  });

  test("of a name that no header could carry", () => {
    const named = (name: string) => ({
      ...valid,
      services: [{ ...valid.services[0], name }],
      domains: [{ domain: "example.com", default_service: name }],
    });
    expect(parseUpsert(named("x".repeat(255))).ok).toBe(true);
    expect(parseUpsert(named("x".repeat(256)))).toMatchObject({
      ok: false,
      errors: expect.arrayContaining(["services[0].name: must have at most 255 characters"]),
    });
  });

  test("of an upsert request's name", () => {
    const result = parseUpsert({ ...valid, desired_name: "Slim_Gecko" });
    expect(result).toMatchObject({
      ok: false,
      errors: [expect.stringMatching(/^desired_name: .*"Slim_Gecko"/)],
    });
    expect(parseUpsert({ ...valid, desired_name: null, name_kind: "animal" })).toMatchObject({ ok: true });
  });

  test("h2c is for the local server, not for the Worker", () => {
    const services = [{ ...valid.services[0], location: "h2c://localhost:50051" }];
    expect(parseSession({ ...valid, services })).toMatchObject({ ok: true });
    expect(parseUpsert({ ...valid, services })).toEqual({
      ok: false,
      errors: ['services[0].location: must be an http or https URL, not "h2c://localhost:50051"'],
    });
  });

  test.each([null, undefined, 1, "x", []])("of %o", (json) => {
    expect(parseSession(json).ok).toBe(false);
  });
});

test.each([
  ["http://localhost:3000", true],
  ["http://LOCALHOST", true],
  ["http://web.localhost:1", true],
  ["https://127.0.0.1", true],
  ["http://127.9.9.9:80/x", true],
  ["http://[::1]:3000/", true],
  ["http://localhost.example.com", false],
  ["http://user@localhost@example.com", false],
  ["https://example.com/localhost", false],
  ["http://10.0.0.1", false],
  ["h2c://localhost:50051", true],
])("%s is local: %s", (location, local) => {
  expect(isLocal(location)).toBe(local);
});
