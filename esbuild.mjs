// One bundle per process: extension, local server, command line, Worker.
import { build } from "esbuild";

/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  minify: !process.argv.includes("--dev"),
  sourcemap: process.argv.includes("--dev") ? "inline" : false,
  keepNames: false,
  legalComments: "none",
  logLevel: "warning",
};
/** VS Code 1.101 runs extensions, and so everything they start, on Node 22. */
const node = { ...shared, platform: "node", target: "node22", format: "cjs" };

await Promise.all([
  build({
    ...node,
    entryPoints: ["extension/extension.ts"],
    outfile: "dist/extension.js",
    external: ["vscode"],
    mainFields: ["module", "main"],
  }),
  build({ ...node, entryPoints: ["local-server/main.ts"], outfile: "dist/local-server.js" }),
  build({
    ...node,
    entryPoints: ["cli/main.ts"],
    outfile: "dist/cli.js",
    banner: { js: "#!/usr/bin/env node" },
  }),
  build({
    ...shared,
    entryPoints: ["worker/index.ts"],
    outfile: "dist/worker.js",
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  }),
]);
