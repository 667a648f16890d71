import { expect, test } from "vitest";
import { findings } from "./diagnostics.ts";
import { apply } from "./edits.ts";
import { NO_FACTS } from "./facts.ts";
import { fixes } from "./fixes.ts";
import { modelOf } from "./model.ts";
import { RUNNING, SHOP, shop } from "./testing.ts";

/** What the fixes of the finding of that code make of the text, by their titles. */
function fixed(text: string, code: string, facts = NO_FACTS): Record<string, string> {
  const model = modelOf(text);
  const finding = findings(model, facts).find((finding) => finding.code === code);
  if (!finding) throw new Error(`There is no ${code}`);
  return Object.fromEntries(
    fixes(model, finding, facts).map(({ title, edits }) => [title, apply(text, edits)]),
  );
}

/** The bad piece of SHOP, the finding, the title of the first fix, and what stands in the bad piece's place then. */
test.each<[string, string, string, string, string]>([
  [
    "local: http://localhost:3000",
    'local: "http://localhost:3000',
    "yaml-syntax",
    'Change to ""http://localhost:3000""',
    'local: "http://localhost:3000"',
  ],
  [
    "default_service: web",
    "default_service: web\n    x: [1, 2 # y",
    "yaml-syntax",
    'Change to "[1, 2]"',
    "default_service: web\n    x: [1, 2] # y",
  ],
  [
    "    local: http://localhost:3000",
    "\t\tlocal: http://localhost:3000",
    "tab-indent",
    "Use spaces",
    "    local: http://localhost:3000",
  ],
  [
    "    local: http://localhost:4000\n",
    "    local: http://localhost:4000\n    local: x # y\n",
    "duplicate-key",
    "Remove this key",
    "    local: http://localhost:4000\n",
  ],
  [
    "default_service: web",
    "default_service: *nam",
    "unknown-anchor",
    'Change to "*name"',
    "default_service: *name",
  ],
  ["    remote: https://api.example.com\n", "", "missing-key", 'Add the key "remote"', ""],
  [
    "http://localhost:3000",
    "3000",
    "wrong-value",
    'Change to "http://localhost:3000"',
    "http://localhost:3000",
  ],
  [
    "https://web.example.com",
    "web.example.com",
    "wrong-value",
    'Change to "https://web.example.com"',
    "https://web.example.com",
  ],
  [
    "http://localhost:3000",
    '"localhost:3000"',
    "wrong-value",
    'Change to ""http://localhost:3000""',
    '"http://localhost:3000"',
  ],
  [
    "    rewrites:",
    "    preserve_host: yes\n    rewrites:",
    "wrong-value",
    'Change to "true"',
    "    preserve_host: true\n    rewrites:",
  ],
  [
    "    rewrites:",
    "    health: { statuses: 200 }\n    rewrites:",
    "wrong-value",
    'Change to "[200]"',
    "    health: { statuses: [200] }\n    rewrites:",
  ],
  [
    "    rewrites:",
    '    health: { statuses: ["200"] }\n    rewrites:',
    "wrong-value",
    'Change to "200"',
    "    health: { statuses: [200] }\n    rewrites:",
  ],
  ["rewrites:", "rewrite:", "unknown-key", 'Change to "rewrites"', "rewrites:"],
  [
    "default_service: web",
    "default_service: wbe # here",
    "unknown-service",
    'Change to "web"',
    "default_service: web # here",
  ],
  ["- name: api #", "- name: web #", "duplicate-service", 'Rename this one to "web-2"', "- name: web-2 #"],
  ["example.org", "https://Example.org/", "invalid-domain", 'Change to "example.org"', "example.org"],
  ["^/api/.*", "^/api/(.*", "invalid-pattern", "Add ) at the end", "^/api/(.*)"],
  ["^/api/.*", "'*/api'", "invalid-pattern", "Change * to .*", "'.*/api'"],
  ["^/api/.*", '"^/[z-a]"', "invalid-pattern", "Change z-a to a-z", '"^/[a-z]"'],
  ["^/api/.*", "^/(api", "invalid-pattern", "Add ) at the end", "^/(api)"],
  ["^/api/.*", "^/a{3,1}", "invalid-pattern", "Change {3,1} to {1,3}", "^/a{1,3}"],
  ["^/api/.*", "\\A/api", "pattern-dialect", "Change \\A to ^", "^/api"],
  ["^/api/.*", "/api\\z", "pattern-dialect", "Change \\z to $", "/api$"],
  ["^/api/.*", "/(?P<v>\\d+)", "pattern-dialect", "Change (?P< to (?<", "/(?<v>\\d+)"],
  ["^/api/.*", "^/(a+)+$", "pattern-backtracking", "Remove the outer repetition", "^/(a+)$"],
  ["/bar/$1", "/bar/$2", "unknown-group", "Change $2 to $1", "/bar/$1"],
  ["/bar/$1", "/bar/\\1", "unknown-group", "Change \\1 to ${1}", "/bar/${1}"],
  ["/bar/$1", "/bar/$1x", "unknown-group", "Change $1x to ${1}x", "/bar/${1}x"],
  [
    "http://localhost:4000",
    "https://api.example.com/",
    "same-location",
    'Change to "http://localhost:3001"',
    "http://localhost:3001",
  ],
  [
    "http://localhost:4000",
    "http://localhost:3000/",
    "shared-port",
    "Use port 3001, which no other service has",
    "http://localhost:3001/",
  ],
])("%s as %s: %s", (good, bad, code, title, expected) => {
  const start = (code === "unknown-anchor" ? SHOP.replace("- name: web", "- name: &name web") : SHOP).replace(
    good,
    () => bad,
  );
  const [[first, text] = []] = Object.entries(fixed(start, code));
  expect(first).toBe(title);
  if (code === "missing-key") return;
  expect(text).toBe(start.replace(bad, () => expected));
});

test("a missing key comes behind the last one, with its example", () => {
  expect(fixed(shop("    remote: https://api.example.com\n", ""), "missing-key")).toEqual({
    'Add the key "remote"': shop(
      "    remote: https://api.example.com\n    local: http://localhost:4000\n",
      "    local: http://localhost:4000\n    remote: https://web.example.com\n",
    ),
  });
  expect(fixed("linkup:\r\n  worker_url: https://x.example.com\r\n", "missing-key")).toEqual({
    'Add the key "services"':
      "linkup:\r\n  worker_url: https://x.example.com\r\nservices:\r\n  - name: web\r\n    remote: https://web.example.com\r\n    local: http://localhost:3000\r\n",
  });
  expect(
    fixed(
      "linkup: { worker_url: https://x.example.com }\nservices: [{ name: a }]\ndomains: []",
      "missing-key",
    ),
  ).toEqual({
    'Add the key "remote"':
      "linkup: { worker_url: https://x.example.com }\nservices: [{ name: a, remote: https://web.example.com }]\ndomains: []",
  });
});

test("an unknown service can be added, a copy can go, with its comment", () => {
  const unknown = fixed(shop("service: api\n", "service: shipping\n"), "unknown-service");
  expect(unknown['Add the service "shipping"']).toBe(
    shop("service: api\n", "service: shipping\n").replace(
      "domains:",
      "  - name: shipping\n    remote: https://shipping.example.com\n    local: http://localhost:3001\ndomains:",
    ),
  );
  const twice = SHOP.replace("example.org", "example.com").replace(
    '  - domain: example.com\n    default_service: "api"',
    "  # again\n$&",
  );
  expect(fixed(twice, "duplicate-domain")).toEqual({
    "Remove this domain": SHOP.slice(0, SHOP.indexOf("  - domain: example.org")),
  });
  expect(fixed(shop("rewrites:", "colour:"), "unknown-key")).toHaveProperty("Remove this key");
});

test("a route moves before the one that takes its paths", () => {
  const routes = (...lines: string[]) =>
    shop("      - path: ^/api/.*\n        service: api\n", lines.join(""));
  const all = "      # everything else\n      - path: /\n        service: web\n";
  const api = "      # the backend\n      - path: ^/api/.* # all of it\n        service: api\n";
  expect(fixed(routes(all, api), "unreachable-route")).toEqual({
    "Move it before the route that takes its paths": routes(api, all),
    "Remove this route": routes(all),
  });
  expect(Object.keys(fixed(routes(api, api), "unreachable-route"))).toEqual(["Remove this route"]);
});

test("a token goes to the environment, or to the editor's secrets", () => {
  const text = shop(
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: secret # mine\n",
  );
  expect(fixed(text, "token-in-file", { ...NO_FACTS, tracked: true })).toEqual({
    "Read it from the variable LINKUP_WORKER_TOKEN": text.replace("secret", "${env:LINKUP_WORKER_TOKEN}"),
    "Move it to the editor's secret storage": SHOP,
  });
});

test("a silent local service can be routed to remote", () => {
  const facts = { ...RUNNING, listening: new Set<number>() };
  const model = modelOf(SHOP);
  const [web, api] = findings(model, facts).map((finding) => fixes(model, finding, facts));
  expect(web).toEqual([
    { title: "Route web to remote", edits: [], command: { command: "routeToRemote", service: "web" } },
  ]);
  expect(api).toEqual([]);
});
