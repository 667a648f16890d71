import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expandEnv } from "./expand-env.ts";
import { routingOf } from "./model/config-model.ts";
import { parseConfig } from "./parse-config.ts";

const valid = `linkup:
  worker_url: https://linkup.example.com
  worker_token: token
  cache_routes: ["^/static/.*"]
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
    directory: ./web
    health: { path: /healthz, statuses: [200] }
    rewrites:
      - source: /foo/(.*)
        target: /bar/$1
  - name: api
    remote: https://api.example.com
    local: http://localhost:4000
    rewrites: null
domains:
  - domain: example.com
    default_service: web
    routes:
      - path: ^/api/.*
        service: api
  - domain: api.example.com
    default_service: api
    routes: null
`;

/** Each problem but the hints as `line:column "what is underlined" code`, lines and columns as an editor shows them. */
function problems(text: string): string[] {
  const found = parseConfig(text).diagnostics.filter(({ severity }) => severity !== "hint");
  return found.map(({ range: { start, end }, code, severity }) => {
    const underlined = text.slice(start.offset, end.offset);
    return `${start.line + 1}:${start.column + 1} ${JSON.stringify(underlined)} ${severity} ${code}`;
  });
}

/** The valid file with one piece of text replaced. */
const changed = (from: string, to: string) => {
  expect(valid).toContain(from);
  return valid.replace(from, to);
};

test("a good file has no problems, and null is as good as missing", () => {
  const { config, diagnostics: problems } = parseConfig(valid);
  expect(problems.map(({ code, severity }) => [code, severity])).toEqual([["session-domain", "hint"]]);
  expect(config).toEqual({
    linkup: {
      worker_url: "https://linkup.example.com",
      worker_token: "token",
      cache_routes: ["^/static/.*"],
    },
    services: [
      {
        name: "web",
        remote: "https://web.example.com",
        local: "http://localhost:3000",
        directory: "./web",
        health: { path: "/healthz", statuses: [200] },
        rewrites: [{ source: "/foo/(.*)", target: "/bar/$1" }],
      },
      {
        name: "api",
        remote: "https://api.example.com",
        local: "http://localhost:4000",
        health: {},
        rewrites: [],
      },
    ],
    domains: [
      { domain: "example.com", default_service: "web", routes: [{ path: "^/api/.*", service: "api" }] },
      { domain: "api.example.com", default_service: "api", routes: [] },
    ],
  });
});

describe("each problem has its exact place", () => {
  test.each<[string, string, string, string[]]>([
    [
      "a missing key, at the map it belongs to",
      "    remote: https://api.example.com\n",
      "",
      ['14:5 "name: api" error missing-key'],
    ],
    ["a wrong type", "local: http://localhost:3000", "local: 3000", ['8:12 "3000" error wrong-value']],
    [
      "not a URL",
      "https://linkup.example.com",
      "linkup.example.com",
      ['2:15 "linkup.example.com" error wrong-value'],
    ],
    [
      "a URL that only starts as one",
      "https://api.example.com\n",
      "https://api.example.com:99999\n",
      ['15:13 "https://api.example.com:99999" error wrong-value'],
    ],
    ["an invalid status", "[200]", "[200, 99]", ['10:47 "99" error wrong-value']],
    ["an unknown key", "directory:", "directry:", ['9:5 "directry" warning unknown-key']],
    [
      "an unknown service of a route",
      "        service: api",
      "        service: ap",
      ['23:18 "ap" error unknown-service'],
    ],
    [
      "an unknown default service",
      "default_service: web",
      "default_service: wbe",
      ['20:22 "wbe" error unknown-service'],
    ],
    [
      "a duplicate service",
      "name: api",
      "name: web",
      [
        '14:11 "web" error duplicate-service',
        '23:18 "api" error unknown-service',
        '25:22 "api" error unknown-service',
      ],
    ],
    [
      "a duplicate domain",
      "domain: api.example.com",
      "domain: example.com",
      ['24:13 "example.com" error duplicate-domain'],
    ],
    [
      "a domain with a scheme",
      "domain: api.example.com",
      "domain: https://api.example.com/",
      ['24:13 "https://api.example.com/" error invalid-domain'],
    ],
    [
      "the same location twice",
      "local: http://localhost:4000",
      "local: https://api.example.com/",
      ['16:12 "https://api.example.com/" warning same-location'],
    ],
    [
      "a group that the source lacks",
      "target: /bar/$1",
      "target: /bar/$2",
      ['13:22 "$2" warning unknown-group'],
    ],
  ])("%s", (_, from, to, expected) => {
    expect(problems(changed(from, to))).toEqual(expected);
  });

  test("inside a regular expression, plain and quoted", () => {
    expect(problems(changed("source: /foo/(.*)", "source: /foo/(.*"))[0]).toMatch(
      /^12:\d+ ".+" error invalid-pattern$/,
    );
    expect(problems(changed("path: ^/api/.*", 'path: "^/api/[z-a]"'))).toEqual([
      '22:23 "z-a" error invalid-pattern',
    ]);
  });

  test("broken YAML", () => {
    expect(problems(changed("services:", "services: ["))[0]).toMatch(/yaml-syntax$/);
    expect(problems("")).toEqual(['1:1 "" error missing-key']);
    expect(problems("just text")).toEqual(['1:1 "just text" error wrong-value']);
  });
});

test("all problems at once, in the order of the file", () => {
  const text = changed("name: web", "nam: web")
    .replace("default_service: web", "default_service: web2")
    .replace("worker_url: ", "worker_url: x");
  expect(problems(text)).toEqual([
    '2:15 "xhttps://linkup.example.com" error wrong-value',
    '6:5 "nam" error unknown-key',
    '20:22 "web2" error unknown-service',
  ]);
  expect(parseConfig(text).config).toBeUndefined();
});

test("a duplicate names the first place, a misspelling what was meant", () => {
  const duplicate = parseConfig(changed("domain: api.example.com", "domain: example.com")).diagnostics[0]!;
  expect(duplicate.related?.range.start.line).toBe(18);
  expect(parseConfig(changed("directory:", "directry:")).diagnostics[0]!.suggestion).toBe("directory");
  expect(
    parseConfig(changed("default_service: web", "default_service: wbe")).diagnostics[0]!.suggestion,
  ).toBe("web");
  expect(
    parseConfig(changed("domain: api.example.com", "domain: https://api.example.com:1/")).diagnostics[0]!
      .suggestion,
  ).toBe("api.example.com");
});

test("access is a word, or a map with the paths that stay open", () => {
  const withAccess = (access: string) => changed("  cache_routes:", `  access: ${access}\n  cache_routes:`);
  const accessOf = (access: string) => parseConfig(withAccess(access)).config?.linkup;
  for (const word of ["public", "unguessable", "private"]) {
    expect(accessOf(word)).toMatchObject({ access: word });
    expect(accessOf(`{ mode: ${word} }`)).toMatchObject({ access: word });
  }
  expect(accessOf("{ mode: private, open: [^/webhooks/] }")).toMatchObject({
    access: "private",
    access_open: ["^/webhooks/"],
  });
  for (const none of ["null", "{ mode: private, open: null }"])
    expect(accessOf(none)).not.toHaveProperty("access_open");
  expect(problems(withAccess("secret"))).toEqual(['4:11 "secret" error wrong-value']);
  expect(problems(withAccess("[private]"))).toEqual(['4:3 "access" error wrong-value']);
  expect(problems(withAccess("{ mode: secret }"))).toEqual(['4:19 "secret" error wrong-value']);
  expect(problems(withAccess("{ open: [] }"))).toEqual(['4:3 "access" error missing-key']);
  expect(problems(withAccess("{ mode: private, opn: [] }"))).toEqual(['4:28 "opn" warning unknown-key']);
  expect(problems(withAccess("{ mode: private, open: ['/a(b'] }"))).toEqual([
    `4:38 "(" error invalid-pattern`,
  ]);
});

test("a misspelt key that has to be there is one problem, an error", () => {
  const of = (service: string) =>
    parseConfig(`linkup: { worker_url: "https://w.example.com" }
services: [{ name: web, ${service}, local: "http://localhost:3000" }]
domains: [{ domain: example.com, default_service: web }]
`).diagnostics.map(({ severity, message, suggestion }) => [severity, message, suggestion]);
  const remote = '"https://web.example.com"';
  expect(of(`remotes: ${remote}`)).toEqual([
    ["error", 'Unknown key "remotes". Did you mean "remote"?', "remote"],
  ]);
  // Only one of them can be meant.
  expect(of(`remotes: ${remote}, remot: ${remote}`).map(([severity]) => severity)).toEqual([
    "error",
    "warning",
  ]);
  expect(of(`remote: ${remote}, remotes: ${remote}`).map(([severity]) => severity)).toEqual(["warning"]);
});

test.each([
  [
    "local: http://localhost:3000",
    "local: http://localhost:70000",
    '"local" of service "web" has port 70000',
  ],
  ["https://linkup.example.com", "https://linkup.example.com:65536", '"linkup.worker_url" has port 65536'],
  [
    "local: http://localhost:3000",
    "local: http://[::1:3000",
    '"local" of service "web" is not a valid URL: ',
  ],
  ["local: http://localhost:3000", "local: 3000", '"local" of service "web" must be a URL.'],
])("a message names what it is about: %s as %s", (good, bad, message) => {
  const errors = parseConfig(changed(good, bad)).diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map((error) => error.message)).toEqual([expect.stringContaining(message)]);
});

test("h2c for the copy on this machine, not for the deployed one", () => {
  const file = (remote: string, local: string) => `linkup: { worker_url: "https://w.example.com" }
services: [{ name: web, remote: "${remote}", local: "${local}" }]
domains: [{ domain: example.com, default_service: web }]
`;
  expect(parseConfig(file("https://web.example.com", "h2c://localhost:50051")).diagnostics).toEqual([]);
  const wrong = parseConfig(file("h2c://web.example.com", "h3://localhost:50051")).diagnostics;
  expect(wrong.map(({ message }) => message)).toEqual([
    expect.stringContaining("must be an http or https URL"),
    expect.stringContaining("must be an http, https or h2c URL"),
  ]);
});

test("a health path without a slash is rooted", () => {
  const { config } = parseConfig(`linkup: { worker_url: "https://w.example.com" }
services: [{ name: web, remote: "https://web.example.com", local: "http://localhost:3000", health: { path: healthz } }]
domains: [{ domain: example.com, default_service: web }]
`);
  expect(config?.services[0]?.health).toEqual({ path: "/healthz" });
});

test("numbers as names and tokens are taken as they are written", () => {
  const { config, diagnostics } =
    parseConfig(`linkup: { worker_url: https://w.example.com, worker_token: 0x1F }
services:
  - { name: &n 0123, remote: https://a.example.com, local: http://localhost:1 }
  - { name: 1.50, remote: https://b.example.com, local: http://localhost:2 }
domains:
  - { domain: example.com, default_service: *n, routes: [{ path: ^/b, service: 1.50 }] }
`);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(config?.linkup.worker_token).toBe("0x1F");
  expect(config?.services.map(({ name }) => name)).toEqual(["0123", "1.50"]);
  expect(config?.domains[0]).toMatchObject({ default_service: "0123", routes: [{ service: "1.50" }] });
});

test("anchors and merge keys", () => {
  const text = `linkup: { worker_url: "https://l.example.com" }
services:
  - &base
    name: web
    remote: https://web.example.com
    local: http://localhost:3000
  - <<: *base
    name: api
    local: http://localhost:4000
domains: [{ domain: example.com, default_service: api }]
`;
  const { config, diagnostics: problems } = parseConfig(text);
  expect(problems).toEqual([]);
  expect(config?.services[1]).toMatchObject({
    name: "api",
    remote: "https://web.example.com",
    local: "http://localhost:4000",
  });
});

test("parsing never throws and every range lies in the text", () => {
  const pieces = fc.constantFrom(
    "linkup:",
    "services:",
    "domains:",
    "- ",
    "name: a",
    "\n",
    "  ",
    "\t",
    "{",
    "]",
    "*x",
    "&x ",
    "<<: *x",
    "|",
    ">",
    '"',
    "'",
    "? ",
    "!!int ",
    "routes: [",
    "path: (",
    "#",
    "\r\n",
    "é",
    "\u{1F600}",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join("")),
      ),
      (text) => {
        for (const { range } of parseConfig(text).diagnostics) {
          expect(range.start.offset).toBeLessThanOrEqual(range.end.offset);
          expect(range.end.offset).toBeLessThanOrEqual(text.length);
          expect(Math.min(range.start.line, range.start.column)).toBeGreaterThanOrEqual(0);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test("a session's routing takes each service where it is to run", () => {
  const { config } = parseConfig(valid);
  const { services } = routingOf(config!, (name) => (name === "web" ? "local" : "remote"));
  expect(services.map(({ name, location }) => [name, location])).toEqual([
    ["web", "http://localhost:3000"],
    ["api", "https://api.example.com"],
  ]);
});

test("variables of the environment", () => {
  const env = { LINKUP_X: "1", LINKUP_Y: "2", AWS_SECRET_ACCESS_KEY: "secret" };
  expect(expandEnv("a-${env:LINKUP_X}-${env:LINKUP_Y}", env)).toEqual({
    text: "a-1-2",
    missing: [],
    forbidden: [],
    usesEnv: true,
  });
  expect(expandEnv("${env:LINKUP_X}${env:LINKUP_Z}", env)).toMatchObject({
    text: undefined,
    missing: ["LINKUP_Z"],
  });
  expect(expandEnv("${env:LINKUP_X}.${env:AWS_SECRET_ACCESS_KEY}", env)).toMatchObject({
    text: undefined,
    forbidden: ["AWS_SECRET_ACCESS_KEY"],
  });
  expect(expandEnv("plain $HOME ${x}", {})).toEqual({
    text: "plain $HOME ${x}",
    missing: [],
    forbidden: [],
    usesEnv: false,
  });
});

test.each([
  ["brackets", `linkup: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ["brackets that are never closed", `linkup: ${"[".repeat(20_000)}`],
  ["braces", `linkup: ${"{a: ".repeat(20_000)}${"}".repeat(20_000)}`],
  ["dashes", `linkup: \n  ${"- ".repeat(20_000)}a`],
])("%s nested without end are told once", (_, text) => {
  const { config, diagnostics: problems } = parseConfig(text);
  expect(config).toBeUndefined();
  const messages = problems.map(({ message }) => message);
  expect(messages.filter((message) => message === "This is nested too deeply.")).toHaveLength(1);
  expect(messages.join()).not.toContain("call stack");
});
