import { describe, expect, test } from "vitest";
import { completions } from "./completion.ts";
import { apply } from "./edits.ts";
import { NO_FACTS } from "./facts.ts";
import { modelOf } from "./model.ts";
import { cursor, expanded, SHOP, shop } from "./testing.ts";

function labels(marked: string, facts = NO_FACTS): string[] {
  const { text, offset } = cursor(marked);
  return completions(modelOf(text), facts, offset).map(({ label }) => label);
}

/** The text after the choice with that label. */
function chosen(marked: string, label: string, facts = NO_FACTS): string {
  const { text, offset } = cursor(marked);
  const choice = completions(modelOf(text), facts, offset).find((completion) => completion.label === label);
  if (!choice) throw new Error(`There is no ${label} among ${labels(marked, facts).join(", ")}`);
  return apply(text, [{ start: choice.start, end: choice.end, text: expanded(choice.snippet) }]);
}

describe("keys", () => {
  test.each<[string, string, string[]]>([
    ["of an empty file", "█", ["linkup", "services", "domains"]],
    ["that the file lacks", `${SHOP}█`, []],
    ["at the start of a word", "li█", ["linkup", "services", "domains"]],
    ["of linkup", shop("\nservices:", "\n  █\nservices:"), ["worker_token", "cache_routes"]],
    [
      "of a service, below",
      shop("    rewrites:", "    █\n    rewrites:"),
      ["directory", "health", "preserve_host"],
    ],
    [
      "of a service, typed",
      shop("    rewrites:", "    he█\n    rewrites:"),
      ["directory", "health", "preserve_host"],
    ],
    [
      "of a service, last",
      shop("localhost:4000\n", "localhost:4000\n    █\n"),
      ["directory", "rewrites", "health", "preserve_host"],
    ],
    [
      "of a new service",
      shop("\ndomains:", "\n  - █\ndomains:"),
      ["service", "name", "remote", "local", "directory", "rewrites", "health", "preserve_host"],
    ],
    [
      "before others of a service",
      shop("- name: api # the backend\n", "- █\n"),
      ["name", "directory", "rewrites", "health", "preserve_host"],
    ],
    ["of health", shop("    rewrites:", "    health:\n      █\n    rewrites:"), ["path", "statuses"]],
    [
      "of a route",
      shop("      - path: ^/api/.*\n        service: api\n", "      - path: ^/api/.*\n        █\n"),
      ["service"],
    ],
    ["in braces", shop("    rewrites:", "    health: { █ }\n    rewrites:"), ["path", "statuses"]],
    [
      "in braces, the second",
      shop("    rewrites:", "    health: { path: /, █ }\n    rewrites:"),
      ["statuses"],
    ],
    ["in braces that are open", "domains: [{ domain: x, █", ["default_service", "routes"]],
    [
      "of lists without indent",
      "services:\n- name: web\n  █",
      ["remote", "local", "directory", "rewrites", "health", "preserve_host"],
    ],
    ["not in comments", shop("# What", "# █What"), []],
    ["not in unknown maps", "x:\n  █", []],
  ])("%s", (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  test("merged ones are there", () => {
    const text =
      "services:\n  - &base\n    remote: https://a.example.com\n    name: a\n    local: http://localhost:1\n  - name: b\n    <<: *base\n    █\n";
    expect(labels(text)).toContain("health");
  });

  test("are documented", () => {
    const { text, offset } = cursor(shop("    rewrites:", "    █\n    rewrites:"));
    const [directory] = completions(modelOf(text), NO_FACTS, offset);
    expect(directory?.documentation).toContain("relative to this file");
  });
});

describe("values", () => {
  test.each<[string, string, string[]]>([
    ["the default service", shop("default_service: web", "default_service: █"), ["web", "api"]],
    ["a route's service", shop("service: api\n", "service: a█pi\n"), ["web", "api"]],
    [
      "a service in braces",
      "services: [{name: web}, {name: api}]\ndomains:\n  - { domain: x, default_service: █ }",
      ["web", "api"],
    ],
    ["true or false", shop("    rewrites:", "    preserve_host: █\n    rewrites:"), ["true", "false"]],
    ["a token", shop("\nservices:", "\n  worker_token: █\nservices:"), ["${env:LINKUP_WORKER_TOKEN}"]],
    ["a list", shop("    rewrites:", "    health: { statuses: █ }\n    rewrites:"), ["[200, 204]"]],
    ["an item of a list", shop("\nservices:", "\n  cache_routes: [█]\nservices:"), ["^/static/.*"]],
    ["an item behind a dash", shop("\nservices:", "\n  cache_routes:\n    - █\nservices:"), ["^/static/.*"]],
    ["a pattern", shop("path: ^/api/.*", "path: █"), ["^/api/.*"]],
    ["an anchor", "a: &one x\nb: &two y\nservices:\n  - name: *█", ["*one", "*two"]],
  ])("%s", (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  test("ports on which something listens now, those of other services left out", () => {
    const facts = { ...NO_FACTS, listening: new Set([22, 3000, 5173, 8080, 41233]) };
    expect(labels(shop("local: http://localhost:4000", "local: █"), facts)).toEqual([
      "http://localhost:5173",
      "http://localhost:8080",
      "http://localhost:41233",
      "http://localhost:3000",
    ]);
  });
});

describe("what a choice makes of the text", () => {
  test.each<[string, string, string, string]>([
    ["a key", "linkup:\n  wor█", "worker_url", "linkup:\n  worker_url: "],
    ["a key that has its colon", "linkup:\n  wor█: x", "worker_url", "linkup:\n  worker_url: x"],
    ["a section", "█", "domains", "domains:\n  - domain: example.com\n    default_service: web"],
    [
      "routes",
      "domains:\n  - domain: example.com\n    █\n",
      "routes",
      "domains:\n  - domain: example.com\n    routes:\n      - path: ^/api/.*\n        service: api\n",
    ],
    [
      "a service behind its dash",
      "services:\n  - █\n",
      "service",
      "services:\n  - name: web\n    remote: https://web.example.com\n    local: http://localhost:3000\n",
    ],
    [
      "a service without one",
      "services:\n  █\n",
      "service",
      "services:\n  - name: web\n    remote: https://web.example.com\n    local: http://localhost:3000\n",
    ],
    [
      "a route, with a service that exists",
      "services: [{ name: shop }]\ndomains:\n- domain: x\n  routes:\n  - path: /\n    service: shop\n  █",
      "route",
      "services: [{ name: shop }]\ndomains:\n- domain: x\n  routes:\n  - path: /\n    service: shop\n  - path: ^/api/.*\n    service: shop",
    ],
    [
      "a rewrite",
      "services:\n  - name: a\n    rewrites:\n      - █",
      "rewrite",
      "services:\n  - name: a\n    rewrites:\n      - source: /foo/(.*)\n        target: /bar/$1",
    ],
    [
      "a domain in brackets",
      "domains: [█]",
      "domain",
      "domains: [{ domain: example.com, default_service: web }]",
    ],
    [
      "a service's name, the old one replaced",
      shop("service: api\n", "service: a█pi\n"),
      "web",
      shop("service: api\n", "service: web\n"),
    ],
    [
      "Windows' line ends",
      "services:\r\n  - █\r\n",
      "service",
      "services:\r\n  - name: web\r\n    remote: https://web.example.com\r\n    local: http://localhost:3000\r\n",
    ],
  ])("%s", (_, marked, label, expected) => {
    expect(chosen(marked, label)).toBe(expected);
  });
});
