// The bundles: the extension in parts, and one file for each other process.
//   node esbuild.mjs [--dev] [extension|local-server|local-dns|infra|mcp-server|cli|worker]…    all of them when none is named
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";

const root = import.meta.dirname;
const dist = join(root, "dist");
const dev = process.argv.includes("--dev");

/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  minify: !dev,
  sourcemap: dev ? "inline" : false,
  keepNames: false,
  // Licences are told in THIRD_PARTY_NOTICES.txt, which `npm run package` makes of what is bundled.
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: root,
  outdir: "dist",
  metafile: true,
  write: false,
};
/** VS Code 1.101 runs extensions, and so everything they start, on Node 22. */
const node = { ...shared, platform: "node", target: "node22", format: "cjs" };

/** These are files of their own, for the command line and the extension: most runs of either never read them. */
/** @type {import("esbuild").Plugin} */
const apart = {
  name: "apart",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/infra\/infra\.ts$/ }, () => ({ path: "./infra.js", external: true }));
    onResolve({ filter: /\/mcp\/mcp-server\.ts$/ }, () => ({ path: "./mcp-server.js", external: true }));
  },
};

/** @type {Record<string, import("esbuild").BuildOptions>} */
const bundles = {
  // Each `import()` makes a part that is read when it is needed. What several parts need is in a file of its own, so that
  // every class exists once. esbuild splits ES modules only: the files become CommonJS afterwards.
  extension: {
    ...node,
    entryPoints: ["extension/extension.ts"],
    format: "esm",
    splitting: true,
    chunkNames: "extension-[name]-[hash]",
    external: ["vscode"],
    mainFields: ["module", "main"],
    plugins: [apart],
  },
  "local-server": { ...node, entryPoints: { "local-server": "local-server/main.ts" } },
  "local-dns": { ...node, entryPoints: { "local-dns": "local-server/dns/main.ts" } },
  infra: { ...node, entryPoints: { infra: "infra/infra.ts" }, mainFields: ["module", "main"] },
  "mcp-server": { ...node, entryPoints: { "mcp-server": "cli/mcp/mcp-server.ts" } },
  cli: {
    ...node,
    entryPoints: { cli: "cli/main.ts" },
    banner: { js: "#!/usr/bin/env node" },
    plugins: [apart],
  },
  worker: {
    ...shared,
    entryPoints: { worker: "worker/index.ts" },
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  },
};

/**
 * The most bytes that may be read at the start of a process, and additionally for each module that the extension imports by
 * `import()`. About a tenth more than there are: what grows by more than that is looked at before it ships.
 */
const BUDGETS = {
  "extension/extension.ts": 64_000,
  "extension/language/language.ts": 280_000,
  "extension/commands/template.ts": 40_000,
  "agent-tools/catalogue.ts": 70_000,
  "manager/manager.ts": 148_000,
  "manager/doctor/doctor.ts": 360_000,
  "manager/reconcile/stop-unwritten.ts": 71_000,
  "manager/discovery/find-services.ts": 132_000,
  "manager/components/local-dns/changes.ts": 5_000,
  "core/config/parse-config.ts": 221_000,
  "core/session/session-document.ts": 62_000,
  "local-server/main.ts": 1_800_000,
  "local-server/dns/main.ts": 44_000,
  "infra/infra.ts": 560_000,
  "cli/mcp/mcp-server.ts": 310_000,
  "cli/main.ts": 854_000,
  "worker/index.ts": 137_000,
};

/** Writes these bundles into dist/, and returns esbuild's account of each. */
export async function bundle(names = Object.keys(bundles)) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await write(name)])));
}

async function write(name) {
  const { outputFiles, metafile } = await build(bundles[name]);
  // The entry comes last, when all that it needs is there.
  const files = outputFiles.toSorted((a, b) => isChunk(b.path) - isChunk(a.path));
  await mkdir(dist, { recursive: true });
  for (const { path, text } of files)
    await replace(path, bundles[name].splitting ? await commonJs(text) : text);
  const chunks = new Set(files.map(({ path }) => basename(path)).filter(isChunk));
  if (bundles[name].splitting)
    for (const file of await readdir(dist))
      if (isChunk(file) && !chunks.has(file)) await rm(join(dist, file), { force: true });
  return metafile;
}

function isChunk(path) {
  return basename(path).startsWith("extension-");
}

async function commonJs(text) {
  const { minify, sourcemap, target } = bundles.extension;
  const supported = { "dynamic-import": false };
  return (await transform(text, { format: "cjs", platform: "node", minify, sourcemap, target, supported }))
    .code;
}

/** Several processes may build at the same time: a file is replaced as a whole, never half written. */
async function replace(path, text) {
  const written = `${path}.${process.pid}`;
  await writeFile(written, text);
  await rename(written, path);
}

/**
 * The bytes that are read at the start of each bundle, and for each part of the extension those that nothing before it has
 * read. Keys are the modules' paths.
 */
export function sizes(metafiles) {
  const found = {};
  for (const { outputs } of Object.values(metafiles)) {
    const entries = Object.entries(outputs).filter(([, { entryPoint }]) => entryPoint);
    const start = entries.find(([path]) => !isChunk(path))[0];
    const present = reach(outputs, start);
    for (const [path, { entryPoint }] of entries) {
      const read = [...reach(outputs, path)].filter((file) => path === start || !present.has(file));
      found[entryPoint] = read.reduce((sum, file) => sum + outputs[file].bytes, 0);
    }
  }
  return found;
}

/** The output files that are read with this one. */
function reach(outputs, path, found = new Set()) {
  if (found.has(path) || !outputs[path]) return found;
  found.add(path);
  for (const { path: imported, kind } of outputs[path].imports)
    if (kind === "import-statement") reach(outputs, imported, found);
  return found;
}

/** What is larger than it may be, or has no budget: a sentence each. */
export function overBudget(metafiles) {
  return Object.entries(sizes(metafiles)).flatMap(([module, bytes]) => {
    const budget = BUDGETS[module];
    if (budget === undefined)
      return [`${module} is a bundle of ${bytes} bytes without a budget in esbuild.mjs`];
    return bytes > budget ? [`${module} has ${bytes} bytes, more than its ${budget}`] : [];
  });
}

if (process.argv[1] === import.meta.filename) {
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  console.log(sizes(await bundle(named.length > 0 ? named : undefined)));
}
