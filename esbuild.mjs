// The bundles: the programs of this machine in parts, the GitHub Action, and the Worker.
//   node esbuild.mjs [--dev] [--into FOLDER] [NAME…]    all of them when none is named
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { build, transform } from "esbuild";
import manifest from "./package.json" with { type: "json" };

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
/** The oldest VS Code of `engines` runs extensions, and so everything they start, on the oldest Node of it. */
const node = {
  ...shared,
  platform: "node",
  target: manifest.engines.node.replace(">=", "node"),
  format: "cjs",
};

/**
 * A file of its own although it is imported by `import()`: the MCP SDK takes all of zod, and what is shared is shared whole.
 * @type {import("esbuild").Plugin}
 */
const apart = {
  name: "apart",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/mcp\/mcp-server\.ts$/ }, () => ({ path: "./mcp-server.js", external: true })),
};

/**
 * Each `import()` makes a part that is read when it is needed. What several parts need is in a file of its own, so that every
 * class exists once. esbuild splits ES modules only: they become CommonJS afterwards.
 */
const split = { ...node, format: "esm", splitting: true, mainFields: ["module", "main"] };
/** What is read by an `import()` is CommonJS, too. */
const supported = { "dynamic-import": false };

/** @type {Record<string, import("esbuild").BuildOptions>} */
const bundles = {
  // The programs of this machine.
  programs: {
    ...split,
    entryPoints: {
      extension: "extension/extension.ts",
      cli: "cli/main.ts",
      "local-dns": "local-server/dns/main.ts",
    },
    chunkNames: "part-[name]-[hash]",
    external: ["vscode"],
    plugins: [apart],
  },
  // Apart: a call of what lies in another file goes through a getter, which took a quarter of the CPU of a small request.
  "local-server": {
    ...split,
    entryPoints: { "local-server": "local-server/main.ts" },
    chunkNames: "server-part-[name]-[hash]",
  },
  "mcp-server": { ...node, entryPoints: { "mcp-server": "cli/mcp/mcp-server.ts" } },
  action: { ...node, entryPoints: { action: "action/main.ts" } },
  // The page of the Requests view, which runs in a browser.
  "requests-page": {
    ...shared,
    entryPoints: { "requests-page": "extension/requests/webview/main.ts" },
    platform: "browser",
    target: "es2024",
    format: "iife",
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
 * The most bytes that may be read at the start of a program, and additionally for each part. About a tenth more than there
 * are: what grows by more than that is looked at before it ships. A folder stands for the modules in it without a line here.
 */
const BUDGETS = {
  "extension/extension.ts": 65_000,
  "extension/commands/handlers.ts": 60_000,
  "extension/commands/override.ts": 2_800,
  "extension/tools/agent-tools.ts": 9_000,
  "extension/tools/links.ts": 15_000,
  "extension/tools/start-task.ts": 2_400,
  "extension/language/language.ts": 471_000,
  "extension/commands/template.ts": 3_000,
  "extension/commands/worker.ts": 14_000,
  "extension/commands/worker-sessions.ts": 10_000,
  "agent-tools/catalogue.ts": 96_000,
  "manager/manager.ts": 362_000,
  "extension/requests/webview/main.ts": 110_000,
  "extension/requests/request-feed.ts": 6_000,
  "extension/requests/requests-view.ts": 35_000,
  "extension/requests/request-actions.ts": 30_000,
  "extension/requests/ignored-differences.ts": 125_000,
  "manager/operations/compare.ts": 6_000,
  "manager/operations/otlp-export.ts": 40_000,
  "manager/operations/check-propagation.ts": 40_000,
  "extension/requests/span-export.ts": 40_000,
  "extension/requests/har-file.ts": 16_000,
  "core/exchange/har-reader.ts": 15_000,
  "extension/commands/check-propagation.ts": 10_000,
  "extension/commands/join-session.ts": 14_500,
  "extension/replace-file.ts": 6_000,
  "manager/doctor/doctor.ts": 535_000,
  "manager/reconcile/stop-unwritten.ts": 235_000,
  "manager/files/config-file.ts": 3_000,
  "manager/discovery/find-services.ts": 132_000,
  "manager/components/local-dns/changes.ts": 6_000,
  "core/config/parse-config.ts": 414_000,
  "core/config/yaml/yaml-tree.ts": 140_000,
  "core/config/expand-env.ts": 1_000,
  "core/session/session-document.ts": 220_000,
  "infra/deployment.ts": 130_000,
  // The QR code of a share link.
  "node_modules/uqr/dist/index.mjs": 12_000,
  "action/main.ts": 410_000,
  "core/certificates/certificate-authority.ts": 248_000,
  "local-server/main.ts": 424_000,
  "local-server/dns/main.ts": 44_000,
  "cli/main.ts": 10_000,
  "cli/program.ts": 57_000,
  "cli/print/failure.ts": 22_000,
  "cli/commands/status.ts": 200_000,
  "cli/commands/completion.ts": 3_000,
  "cli/commands": 384_000,
  "cli/commands/infra.ts": 422_000,
  "cli/commands/local-dns.ts": 610_000,
  "cli/commands/mcp.ts": 432_000,
  "cli/commands/requests.ts": 388_000,
  "cli/commands/uninstall.ts": 610_000,
  "cli/mcp/mcp-server.ts": 305_000,
  "worker/index.ts": 385_000,
};

/**
 * Modules that are read together: their small parts, with those of all that they import, are in one file. What an earlier line
 * has is in its file.
 */
const READ_TOGETHER = [
  ["extension/extension.ts"],
  ["cli/main.ts", "cli/program.ts", "cli/commands/status.ts"],
  ["extension/commands/handlers.ts"],
];
const SMALL_PART_BYTES = 8_000;

/** Writes these bundles into a folder, and returns esbuild's account of each. */
export async function bundle(names = Object.keys(bundles), folder = dist) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await write(name, folder)])));
}

async function write(name, folder) {
  const { outputFiles, metafile } = await build(bundles[name]);
  forgetUnused(metafile.outputs);
  // The entry comes last, when all that it needs is there.
  const used = outputFiles.filter(({ path }) => `dist/${basename(path)}` in metafile.outputs);
  const files = used.toSorted((a, b) => isPart(b.path) - isPart(a.path));
  await mkdir(folder, { recursive: true });
  const { splitting, chunkNames } = bundles[name];
  const texts = new Map(files.map(({ path, text }) => [basename(path), text]));
  const together = name === "programs" && !dev ? READ_TOGETHER : [];
  const written = splitting ? await commonJsFiles(texts, metafile.outputs, together) : texts;
  for (const [file, text] of written) await replace(join(folder, file), text);
  if (splitting)
    for (const file of await readdir(folder))
      if (file.startsWith(chunkNames.split("[")[0]) && !written.has(file))
        await rm(join(folder, file), { force: true });
  return metafile;
}

/** Parts of modules that are imported by code which is left out itself. */
function forgetUnused(outputs) {
  const programs = Object.keys(outputs).filter((path) => outputs[path].entryPoint && !isPart(path));
  const used = programs.map((program) => reach(outputs, program, isImport));
  for (const path of Object.keys(outputs)) if (!used.some((files) => files.has(path))) delete outputs[path];
}

function isPart(path) {
  return /^(?:server-)?part-/.test(basename(path));
}

/**
 * The outputs as CommonJS. Small parts that are read together are put into one file, where each is run when it is needed first:
 * reading a file takes longer than what most of these some fifty parts do.
 */
async function commonJsFiles(texts, outputs, readTogether) {
  const files = new Map();
  /** The file of each small part, and its number there. */
  const places = new Map();
  for (const modules of readTogether) {
    const starts = Object.keys(outputs).filter((path) => modules.includes(outputs[path].entryPoint));
    const read = new Set(starts.flatMap((path) => [...reach(outputs, path, isStatic)]));
    const names = [...read]
      .filter((path) => isPart(path) && !outputs[path].entryPoint && outputs[path].bytes < SMALL_PART_BYTES)
      .map((path) => basename(path))
      .filter((name) => !places.has(name));
    const text = withPlaces(await inOneFile(names, texts), places);
    const file = `part-small-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.js`;
    files.set(file, text);
    names.forEach((name, number) => void places.set(name, { file, number }));
  }
  for (const [name, text] of texts)
    if (!places.has(name)) files.set(name, withPlaces(await commonJs(text), places));
  return files;
}

/** A file that exports a function, which runs a part at its first call with the part's number. */
async function inOneFile(names, texts) {
  const contents = `const parts = [${names.map((name) => `() => require("./${name}")`)}];
const run = [];
module.exports = (number) => (run[number] ??= parts[number]());`;
  /** @type {import("esbuild").Plugin} */
  const parts = {
    name: "parts",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path }) => {
        const name = basename(path);
        return names.includes(name) ? { path: name, namespace: "part" } : { path, external: true };
      });
      onLoad({ filter: /./, namespace: "part" }, ({ path }) => ({ contents: withOneApi(texts.get(path)) }));
    },
  };
  const { outputFiles } = await build({ ...node, stdin: { contents }, plugins: [parts], supported });
  return outputFiles[0].text;
}

/** Small parts are asked for by their number in their file, which is read once. */
function withPlaces(text, places) {
  const files = [];
  const placed = text.replaceAll(/require\("\.\/(part-[\w-]+\.js)"\)/g, (call, name) => {
    const place = places.get(name);
    if (!place) return call;
    if (!files.includes(place.file)) files.push(place.file);
    return `small${files.indexOf(place.file)}(${place.number})`;
  });
  return files.map((file, index) => `var small${index}=require("./${file}");`).join("") + placed;
}

async function commonJs(esModule) {
  const { minify, sourcemap, target } = split;
  const options = { format: "cjs", platform: "node", minify, sourcemap, target, supported };
  return (await transform(withOneApi(esModule), options)).code;
}

/** An import of VS Code's API, which esbuild leaves as it is for each of our modules. */
const VSCODE_IMPORT = /\bimport ?\* ?as ([\w$]+) from ?"vscode";/g;

/** Asks for VS Code's API once: as the namespace of an ES module its some hundred getters would be copied for each import. */
function withOneApi(esModule) {
  let first;
  return esModule.replaceAll(VSCODE_IMPORT, (_, name) => {
    const value = first ?? 'require("vscode")';
    first ??= name;
    return `const ${name}=${value};`;
  });
}

/** Several processes may build at the same time: a file is replaced as a whole, never half written. */
async function replace(path, text) {
  const written = `${path}.${process.pid}`;
  await writeFile(written, text);
  await rename(written, path);
}

/**
 * The bytes that are read at the start of each program, and for each part those that are read with it, unless every program
 * that imports it has read them at its start. Keys are the modules' paths.
 */
export function sizes(metafiles) {
  const found = {};
  for (const { outputs } of Object.values(metafiles)) {
    const entries = Object.keys(outputs).filter((path) => outputs[path].entryPoint);
    const programs = entries.filter((path) => !isPart(path));
    for (const path of entries) {
      const importers = programs.filter((program) => reach(outputs, program, isImport).has(path));
      const present = importers
        .map((program) => reach(outputs, program, isStatic))
        .reduce((common, read) => common.intersection(read));
      const read = [...reach(outputs, path, isStatic)].filter((file) => !isPart(path) || !present.has(file));
      const bytes = read.reduce((sum, file) => sum + outputs[file].bytes, 0);
      const module = outputs[path].entryPoint;
      found[module] = Math.max(found[module] ?? 0, bytes);
    }
  }
  return found;
}

const isImport = () => true;
const isStatic = (kind) => kind === "import-statement";

/** The output files that are read with this one, by imports of these kinds. */
function reach(outputs, path, follows, found = new Set()) {
  if (found.has(path) || !outputs[path]) return found;
  found.add(path);
  for (const { path: imported, kind } of outputs[path].imports)
    if (follows(kind)) reach(outputs, imported, follows, found);
  return found;
}

/** What is larger than it may be, or has no budget: a sentence each. */
export function overBudget(metafiles) {
  return Object.entries(sizes(metafiles)).flatMap(([module, bytes]) => {
    const budget = BUDGETS[module] ?? BUDGETS[dirname(module)];
    if (budget === undefined)
      return [`${module} is a bundle of ${bytes} bytes without a budget in esbuild.mjs`];
    return bytes > budget ? [`${module} has ${bytes} bytes, more than its ${budget}`] : [];
  });
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { dev: { type: "boolean" }, into: { type: "string" } },
  });
  console.log(sizes(await bundle(positionals.length > 0 ? positionals : undefined, values.into)));
}
