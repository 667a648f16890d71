// The order of the house: which package may import which, and the layers inside each, lowest first. A module may import what
// stands above its own line here, never what stands below, and no cycle, of types neither. Tests may import anything.
//
//   "routing"      the modules directly in that folder; a folder below it has a line of its own
//   ["a", "b"]     beside each other: neither imports the other
//   "index.ts"     one module in the package's own folder
export const PACKAGES = {
  core: {
    imports: [],
    layers: [
      ["hex.ts", "http-token.ts", "own-value.ts", "text.ts", "version-order.ts"],
      "hmac.ts",
      "lazy.ts",
      "regex",
      "regex/analysis",
      "session",
      "routing",
      "access",
      "api",
      "exchange",
      "certificates",
      "config/yaml",
      "config/model",
      "config/checks",
      "config",
    ],
  },
  node: { imports: ["core"], layers: ["*.ts"] },
  worker: {
    imports: ["core"],
    layers: [
      ["env.ts", "secret.ts", "version.ts", "rate-limit.ts"],
      "tunnel",
      "objects",
      "proxy",
      "api",
      "page",
      "sweep.ts",
      "index.ts",
    ],
  },
  "local-server": {
    imports: ["core", "node"],
    layers: [
      "node-internals.ts",
      ["options.ts", "served-sessions.ts", "listen.ts"],
      ["leases.ts", "idle-detector.ts", "browser-port.ts", "standard-ports.ts", "certificates.ts"],
      ["http", "dns"],
      "http2",
      "upstream",
      ["auto", "downstream"],
      ["access-log", "edge"],
      "proxy",
      "control",
      "server.ts",
      "main.ts",
    ],
  },
  manager: {
    imports: ["core", "node"],
    layers: [
      "model",
      "files",
      "process",
      "store",
      "components/system",
      "components/certificates",
      ["components/env-files", "components/local-server", "components/worker-api"],
      "components/tunnel",
      "components/local-dns",
      "reconcile",
      ["discovery", "doctor", "operations"],
      "manager.ts",
    ],
  },
  infra: { imports: ["core", "node"], layers: ["*.ts"] },
  action: { imports: ["core", "node", "manager"], layers: ["*.ts"] },
  "agent-tools": { imports: ["core", "node", "manager"], layers: ["*.ts"] },
  extension: {
    imports: ["core", "node", "infra", "manager", "agent-tools"],
    layers: [
      ["ids.ts", "words.ts", "waiting.ts", "steps.ts", "expand-path.ts", "read-secret.ts"],
      ["markdown.ts", "settings.ts"],
      "labels.ts",
      "language/document",
      "language/features",
      "window-model.ts",
      "replace-file.ts",
      "joined-list.ts",
      "joined-sessions.ts",
      ["read-config-file.ts", "config-files.ts", "own-paths.ts"],
      "linkup.ts",
      ["open-url.ts", "show-in-config.ts", "report-problem.ts"],
      ["problem-watch.ts", "worker-token-storage.ts", "context-keys.ts"],
      "requests",
      "requests/webview",
      "views",
      "log-channels.ts",
      "commands",
      ["terminal", "tools"],
      "language/editor",
      "language",
      "public-api.ts",
      "extension.ts",
    ],
  },
  cli: {
    imports: ["core", "node", "infra", "manager", "agent-tools"],
    layers: [
      ["exit-codes.ts", "version.ts"],
      "print",
      ["confirm.ts", "context.ts"],
      "mcp",
      "commands",
      "program.ts",
      "main.ts",
    ],
  },
};

export const names = Object.keys(PACKAGES);
const among = (patterns) => `^(?:${patterns.join("|")})$`;
const TEST = "\\.test\\.ts$";

/** The paths of a layer's modules, as a part of a regular expression. */
function paths(name, layer) {
  const path = `${name}/${layer}`.replaceAll(".", "\\.");
  return layer.endsWith(".ts") ? path.replace("*", "[^/]+") : `${path}/[^/]+`;
}

/** What a layer must not import in its own package: all that is further up, and what stands beside it. */
function orderOf(name, layers) {
  const lines = layers.map((line) => [line].flat());
  return lines.flatMap((line, index) =>
    line.flatMap((layer) => {
      const others = [...line.filter((other) => other !== layer), ...lines.slice(index + 1).flat()];
      if (others.length === 0) return [];
      return {
        name: `${name}: ${layer} imports nothing of a later layer`,
        from: { path: among([paths(name, layer)]), pathNot: TEST },
        to: { path: among(others.map((other) => paths(name, other))) },
      };
    }),
  );
}

/** A module that no line of the order names, whether it imports, is imported, or neither. */
function placesOf(name, layers) {
  const known = layers.flat().map((layer) => paths(name, layer));
  const stray = { path: `^${name}/`, pathNot: [among(known), `^${name}/[^/]+${TEST}`] };
  const rule = `${name}: every module stands in a layer`;
  return [
    { name: rule, from: stray, to: {} },
    { name: rule, from: {}, to: stray },
    { name: rule, from: { ...stray, orphan: true }, to: {} },
  ];
}

const forbidden = [
  ...Object.entries(PACKAGES).flatMap(([name, { imports, layers }]) => [
    { name: `${name}: no cycle`, from: { path: `^${name}/` }, to: { circular: true } },
    {
      name: `${name}: imports ${imports.join(", ") || "nothing of ours"}`,
      from: { path: `^${name}/`, pathNot: TEST },
      to: {
        path: `^(?:${[...names, "test", "examples", "scripts"].join("|")})/`,
        pathNot: `^(?:${[name, ...imports].join("|")})/`,
      },
    },
    ...orderOf(name, layers),
    ...placesOf(name, layers),
  ]),
  {
    name: "core: does no I/O, so that it runs unchanged in workerd, Node and tests",
    from: { path: "^core/", pathNot: TEST },
    to: { dependencyTypes: ["core"] },
  },
  {
    name: "node: imports types of core only",
    from: { path: "^node/", pathNot: TEST },
    to: { path: "^core/", dependencyTypesNot: ["type-only"] },
  },
  {
    name: "unit tests: start no process and open no socket; those stand in test/integration",
    from: { path: `^(?:${names.join("|")}|examples)/.*${TEST}` },
    to: {
      path: "^(?:child_process|cluster|dgram|http|http2|https|net|tls|worker_threads)$",
      dependencyTypesNot: ["type-only"],
    },
  },
  {
    name: "vscode: only the extension imports it, and not what knows documents",
    from: { pathNot: [TEST, "^test/", "^extension/(?!language/(?:document|features)/)"] },
    to: { path: "^vscode$" },
  },
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: forbidden.map((rule) => ({ ...rule, severity: "error" })),
  options: {
    // TypeScript 7 has no interface for programs yet, so swc reads the modules; imports of types alone are seen as well.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules" },
    enhancedResolveOptions: { extensions: [".ts", ".mts", ".mjs", ".js"] },
  },
};
