import { expect, test } from "vitest";
import { CODES, findings } from "./diagnostics.ts";
import { NO_FACTS } from "./facts.ts";
import { modelOf } from "./model.ts";
import { cursor, RUNNING, SHOP, shop } from "./testing.ts";

/** `severity code "what is underlined"`, with `< "the related place"`. */
function found(text: string, facts = NO_FACTS): string[] {
  return findings(modelOf(text), facts).map(({ severity, code, start, end, related }) => {
    const place = (at: { start: number; end: number }) => JSON.stringify(text.slice(at.start, at.end));
    return `${severity} ${code} ${place({ start, end })}${related ? ` < ${place(related)}` : ""}`;
  });
}

test("a good file", () => {
  expect(found(SHOP)).toEqual([]);
});

test.each<[string, string, string, string[]]>([
  [
    "broken YAML",
    "local: http://localhost:3000",
    'local: "http://localhost:3000',
    ['error yaml-syntax "\\"http://localhost:3000"'],
  ],
  [
    "an open list",
    "default_service: web",
    "default_service: web\n    x: [1, 2",
    ['warning unknown-key "x"', 'error yaml-syntax "[1, 2"'],
  ],
  ["a tab", "    local: http://localhost:3000", "\tlocal: http://localhost:3000", ['error tab-indent "\\t"']],
  [
    "a key twice",
    "    local: http://localhost:4000",
    "    local: http://localhost:4000\n    local: x",
    ['error duplicate-key "local" < "local"'],
  ],
  ["an alias of nothing", "default_service: web", "default_service: *web", ['error unknown-anchor "*web"']],
  [
    "a missing key",
    "    remote: https://api.example.com\n",
    "",
    ['error missing-key "name: api # the backend"'],
  ],
  ["a wrong type", "http://localhost:3000", "3000", ['error wrong-value "3000"']],
  ["an unknown key", "rewrites:", "rewrite:", ['warning unknown-key "rewrite"']],
  ["an unknown service in a route", "service: api", "service: apu", ['error unknown-service "apu"']],
  [
    "an unknown default service",
    "default_service: web",
    "default_service: wbe",
    ['error unknown-service "wbe"'],
  ],
  [
    "a service twice",
    "- name: api",
    "- name: web",
    [
      'error duplicate-service "web" < "web"',
      'error unknown-service "api"',
      'error unknown-service "\\"api\\""',
    ],
  ],
  ["a domain twice", "example.org", "example.com", ['error duplicate-domain "example.com" < "example.com"']],
  [
    "a URL for a domain",
    "example.org",
    "https://example.org/",
    ['error invalid-domain "https://example.org/"'],
  ],
  [
    "a session's address",
    "example.org",
    "slim-gecko.example.com",
    ['warning session-domain "slim-gecko.example.com" < "example.com"'],
  ],
  [
    "what could be one",
    "example.org",
    "api.example.com",
    ['hint session-domain "api.example.com" < "example.com"'],
  ],
  ["a bad pattern", "^/api/.*", "^/api/(.*", ['error invalid-pattern "("']],
  ["a dialect", "^/api/.*", "\\A/api/", ['warning pattern-dialect "\\\\A"']],
  ["a slow pattern", "^/api/.*", "^/(a+)+$", ['warning pattern-backtracking "(a+)+"']],
  ["a group too many", "/bar/$1", "/bar/$2", ['warning unknown-group "$2" < "/foo/(.*)"']],
  [
    "a route behind one that takes all",
    "        service: api\n",
    "        service: api\n      - path: ^/api/v1/\n        service: web\n",
    ['warning unreachable-route "^/api/v1/" < "^/api/.*"'],
  ],
  ["a route that no path has", "^/api/.*", "^api/", ['warning unreachable-route "^api/"']],
  [
    "local is remote",
    "http://localhost:4000",
    "https://api.example.com",
    ['warning same-location "https://api.example.com" < "https://api.example.com"'],
  ],
  [
    "one port for two",
    "http://localhost:4000",
    "http://127.0.0.1:3000/",
    ['warning shared-port "http://127.0.0.1:3000/" < "http://localhost:3000"'],
  ],
])("%s", (_, from, to, expected) => {
  expect(found(shop(from, to))).toEqual(expected);
});

test("what is broken in one service leaves the rest checked", () => {
  const text = shop("remote: https://web.example.com", "remote: {{").replace("service: api", "service: apo");
  expect(found(text).filter((line) => !line.includes("yaml-syntax"))).toContain(
    'error unknown-service "apo"',
  );
});

test("what only this machine knows", () => {
  const withToken = shop(
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: secret\n",
  );
  expect(found(withToken, { ...NO_FACTS, tracked: true })).toEqual(['warning token-in-file "secret"']);
  expect(found(withToken, NO_FACTS)).toEqual([]);
  expect(found(withToken.replace("secret", "${env:TOKEN}"), { ...NO_FACTS, tracked: true })).toEqual([]);
  expect(found(SHOP, { ...NO_FACTS, listening: new Set([3000, 22]) })).toEqual([
    'hint nothing-listens "http://localhost:4000"',
  ]);
  const named = shop("example.org", "api.example.com");
  expect(found(named, { ...RUNNING, sessionNames: ["api"] })).toEqual([
    'warning session-domain "api.example.com" < "example.com"',
  ]);
});

test("every code can be met", () => {
  // The tables above name them all; a new code needs a line there.
  const met = new Set(
    [...diagnosticsTable.matchAll(/(?:error|warning|hint) ([a-z-]+)/g)].map(([, code]) => code),
  );
  expect(CODES.filter((code) => !met.has(code))).toEqual([]);
});

const { readFileSync } = await import("node:fs");
const diagnosticsTable = readFileSync(import.meta.filename, "utf8");

test("the cursor of tests", () => {
  expect(cursor("a█b")).toEqual({ text: "ab", offset: 1 });
});
