// One bundle per process: extension, local server, local DNS, command line, Worker.
//   node esbuild.mjs [--dev] [extension|local-server|local-dns|cli|worker]…    all of them when none is named
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { build } from "esbuild";

const dev = process.argv.includes("--dev");

/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  minify: !dev,
  sourcemap: dev ? "inline" : false,
  keepNames: false,
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: import.meta.dirname,
  write: false,
};
/** VS Code 1.101 runs extensions, and so everything they start, on Node 22. */
const node = { ...shared, platform: "node", target: "node22", format: "cjs" };

/** @type {Record<string, import("esbuild").BuildOptions>} */
const bundles = {
  extension: {
    ...node,
    entryPoints: ["extension/extension.ts"],
    outfile: "dist/extension.js",
    external: ["vscode"],
    mainFields: ["module", "main"],
  },
  "local-server": { ...node, entryPoints: ["local-server/main.ts"], outfile: "dist/local-server.js" },
  "local-dns": { ...node, entryPoints: ["local-server/dns/main.ts"], outfile: "dist/local-dns.js" },
  cli: {
    ...node,
    entryPoints: ["cli/main.ts"],
    outfile: "dist/cli.js",
    banner: { js: "#!/usr/bin/env node" },
  },
  worker: {
    ...shared,
    entryPoints: ["worker/index.ts"],
    outfile: "dist/worker.js",
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  },
};

const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
await Promise.all((named.length > 0 ? named : Object.keys(bundles)).map(bundle));

/** Several processes may build at the same time: a bundle is replaced as a whole, never half written. */
async function bundle(name) {
  const { outputFiles } = await build(bundles[name]);
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    const written = `${path}.${process.pid}`;
    await writeFile(written, contents);
    await rename(written, path);
  }
}
