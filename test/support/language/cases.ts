/** The cases that are tested as functions of the text and again inside a real VS Code. */
import { SHOP, shop } from "./testing.ts";

/** What is wrong, the good piece of SHOP, the bad one, and what is found: `severity code "underlined" < "related"`. */
export const DIAGNOSTICS: [string, string, string, string[]][] = [
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
  ["a public suffix", "example.org", "co.uk", ['error invalid-domain "co.uk"']],
  ["a single label", "example.org", "intranet", ['error invalid-domain "intranet"']],
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
  [
    "more patterns than a session may have",
    "      - path: ^/api/.*\n        service: api\n",
    "      - path: ^/api/.*\n        service: api\n".repeat(2001),
    ['error too-many-patterns "linkup:"'],
  ],
  [
    "more problems than are shown",
    "    remote: https://api.example.com\n",
    `    remote: https://api.example.com\n${Array.from({ length: 202 }, (_, i) => `    key-${i}: 1\n`).join("")}`,
    [...Array.from({ length: 200 }, (_, i) => `warning unknown-key "key-${i}"`), 'warning more-problems "1"'],
  ],
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
  [
    "a variable that a repository may not read",
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: ${env:TOKEN}\n",
    ['warning token-variable "${env:TOKEN}"'],
  ],
];

/** The good piece of SHOP, the bad one, the code, the title of the first fix, and what is in the bad one's place then. */
export const FIXES: [string, string, string, string, string][] = [
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
  [
    "    remote: https://api.example.com\n    local: http://localhost:4000\n",
    "    local: http://localhost:4000\n",
    "missing-key",
    'Add the key "remote"',
    "    local: http://localhost:4000\n    remote: https://api.example.com\n",
  ],
  [
    '  - domain: example.org\n    default_service: "api"\n',
    '  - domain: example.com\n    default_service: "api"\n',
    "duplicate-domain",
    "Remove this domain",
    "",
  ],
  [
    '  - domain: example.org\n    default_service: "api"\n',
    '  # pasted\n  - domain: slim-gecko.example.com\n    default_service: "api"\n',
    "session-domain",
    "Remove this domain",
    "",
  ],
  [
    "      - path: ^/api/.*\n        service: api\n",
    "      - path: /\n        service: web # all\n      # first\n      - path: ^/api/.*\n        service: api\n",
    "unreachable-route",
    "Move it before the route that shadows it",
    "      # first\n      - path: ^/api/.*\n        service: api\n      - path: /\n        service: web # all\n",
  ],
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
  [
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: ${env:TOKEN}\n",
    "token-variable",
    'Change to "${env:LINKUP_WORKER_TOKEN}"',
    "https://linkup.example.com\n  worker_token: ${env:LINKUP_WORKER_TOKEN}\n",
  ],
];

/** The text that a case of FIXES starts from. */
export function badText([good, bad, code]: (typeof FIXES)[number]): string {
  const text = code === "unknown-anchor" ? shop("- name: web", "- name: &name web") : SHOP;
  return text.replace(good, () => bad);
}

/** Which keys are offered at the cursor `█`. */
export const KEYS: [string, string, string[]][] = [
  ["of an empty file", "█", ["linkup", "services", "domains", "compare", "defaults"]],
  ["that the file lacks", `${SHOP}█`, ["compare", "defaults"]],
  ["at the start of a word", "li█", ["linkup", "services", "domains", "compare", "defaults"]],
  [
    "of linkup",
    shop("\nservices:", "\n  █\nservices:"),
    ["worker_token", "access", "cache_routes", "session_cookie", "baggage"],
  ],
  [
    "of a service, below",
    shop("    rewrites:", "    █\n    rewrites:"),
    ["directory", "run", "health", "preserve_host", "targets", "target"],
  ],
  [
    "of a service, typed",
    shop("    rewrites:", "    he█\n    rewrites:"),
    ["directory", "run", "health", "preserve_host", "targets", "target"],
  ],
  [
    "of a service, last",
    shop("localhost:4000\n", "localhost:4000\n    █\n"),
    ["directory", "run", "rewrites", "health", "preserve_host", "targets", "target"],
  ],
  [
    "of a new service",
    shop("\ndomains:", "\n  - █\ndomains:"),
    [
      "service",
      "name",
      "remote",
      "local",
      "directory",
      "run",
      "rewrites",
      "health",
      "preserve_host",
      "targets",
      "target",
    ],
  ],
  [
    "before others of a service",
    shop("- name: api # the backend\n", "- █\n"),
    ["name", "directory", "run", "rewrites", "health", "preserve_host", "targets", "target"],
  ],
  ["of health", shop("    rewrites:", "    health:\n      █\n    rewrites:"), ["path", "statuses"]],
  [
    "of a route",
    shop("      - path: ^/api/.*\n        service: api\n", "      - path: ^/api/.*\n        █\n"),
    ["service"],
  ],
  ["in braces", shop("    rewrites:", "    health: { █ }\n    rewrites:"), ["path", "statuses"]],
  ["in braces, the second", shop("    rewrites:", "    health: { path: /, █ }\n    rewrites:"), ["statuses"]],
  ["in braces that are open", "domains: [{ domain: x, █", ["default_service", "routes"]],
  [
    "of lists without indent",
    "services:\n- name: web\n  █",
    ["remote", "local", "directory", "run", "rewrites", "health", "preserve_host", "targets", "target"],
  ],
  ["not in comments", shop("# What", "# █What"), []],
  ["not in unknown maps", "x:\n  █", []],
];

/** Which values are offered. */
export const VALUES: [string, string, string[]][] = [
  ["the default service", shop("default_service: web", "default_service: █"), ["web", "api"]],
  ["a route's service", shop("service: api\n", "service: a█pi\n"), ["web", "api"]],
  [
    "a service in braces",
    "services: [{name: web}, {name: api}]\ndomains:\n  - { domain: x, default_service: █ }",
    ["web", "api"],
  ],
  ["true or false", shop("    rewrites:", "    preserve_host: █\n    rewrites:"), ["true", "false"]],
  [
    "a target, with the file's own ones",
    shop("    rewrites:", "    targets: { staging: https://a.example.com }\n    target: █\n    rewrites:"),
    ["auto", "local", "remote", "staging"],
  ],
  ["a token", shop("\nservices:", "\n  worker_token: █\nservices:"), ["${env:LINKUP_WORKER_TOKEN}"]],
  ["a list", shop("    rewrites:", "    health: { statuses: █ }\n    rewrites:"), ["[200, 204]"]],
  ["an item of a list", shop("\nservices:", "\n  cache_routes: [█]\nservices:"), ["^/static/.*"]],
  ["an item behind a dash", shop("\nservices:", "\n  cache_routes:\n    - █\nservices:"), ["^/static/.*"]],
  ["a pattern", shop("path: ^/api/.*", "path: █"), ["^/api/.*"]],
  ["an anchor", "a: &one x\nb: &two y\nservices:\n  - name: *█", ["*one", "*two"]],
];

/** What the choice of a label makes of the text. */
export const CHOICES: [string, string, string, string][] = [
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
];
