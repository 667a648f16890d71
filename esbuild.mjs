// One bundle per process: extension (in four parts), local server, local DNS, command line, Worker.
//   node esbuild.mjs [--dev] [extension|manager|language|doctor|local-server|local-dns|cli|worker]…    all of them when none is named
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

/**
 * What the extension needs later than at once is in files of their own: the manager; linkup.yaml in the editor, with what
 * else knows its schema or YAML; and Doctor, which knows certificates. `import()` reads them.
 */
const PARTS = {
  manager: /\/manager\/manager\.ts$/,
  language:
    /\/(language\/language|config\/config|core\/session\/session|template|discovery\/find-services)\.ts$/,
  doctor: /\/doctor\/doctor\.ts$/,
};
/** @type {import("esbuild").Plugin} */
const apart = {
  name: "apart",
  setup: ({ onResolve }) => {
    for (const [part, filter] of Object.entries(PARTS))
      onResolve({ filter }, ({ kind }) =>
        kind === "dynamic-import" ? { path: `./${part}.js`, external: true } : undefined,
      );
  },
};
/** `import()` becomes `require`, which every extension host has. */
const inParts = { plugins: [apart], supported: { "dynamic-import": false }, mainFields: ["module", "main"] };

/** @type {Record<string, import("esbuild").BuildOptions>} */
const bundles = {
  extension: {
    ...node,
    entryPoints: ["extension/extension.ts"],
    outfile: "dist/extension.js",
    external: ["vscode"],
    ...inParts,
  },
  manager: { ...node, entryPoints: ["manager/manager.ts"], outfile: "dist/manager.js", ...inParts },
  language: {
    ...node,
    entryPoints: ["extension/language/language.ts"],
    outfile: "dist/language.js",
    external: ["vscode"],
    mainFields: ["module", "main"],
  },
  doctor: { ...node, entryPoints: ["manager/doctor/doctor.ts"], outfile: "dist/doctor.js" },
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
