// How much of each package the tests run: those of rules in vitest's own processes, those of processes also in the programs
// that they start.
//   npm run coverage                     both tiers
//   npm run coverage -- rules            one of them
// Not measured: the Worker in workerd, the extension in VS Code, and what a process did that was killed.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { mergeProcessCovs } from "@bcoe/v8-coverage";
import convert from "ast-v8-to-istanbul";
import coverage from "istanbul-lib-coverage";
import { parseAstAsync } from "vitest/node";
import { names } from "../.dependency-cruiser.mjs";

const root = resolve(import.meta.dirname, "..");
const results = join(root, "test-results", "coverage");
const children = join(results, "children");
const bundles = join(results, "bundles");
const maps = new Map();

const CONFIGS = { rules: "vitest.config.mts", processes: "test/vitest.config.mts" };
const wanted = process.argv.slice(2);
const tiers = wanted.length > 0 ? wanted : Object.keys(CONFIGS);

rmSync(results, { recursive: true, force: true });
mkdirSync(children, { recursive: true });
if (tiers.includes("processes")) buildWithMaps();

const sources = globSync(`{${names.join()}}/**/*.ts`, { cwd: root }).filter(
  (file) => !file.endsWith(".test.ts"),
);
const total = coverage.createCoverageMap();
for (const tier of tiers) {
  const folder = join(results, tier);
  const argv = [
    ...["run", "--config", CONFIGS[tier], "--coverage.enabled", "--coverage.provider=v8"],
    ...["--coverage.reporter=json", `--coverage.reportsDirectory=${folder}`, "--coverage.reportOnFailure"],
    ...names.map((name) => `--coverage.include=${name}/**/*.ts`),
  ];
  const env = { ...process.env, LINKUP_COVERAGE: children, LINKUP_TEST_DIST: bundles };
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(process.execPath, [vitest, ...argv], { cwd: root, stdio: "inherit", env });
  if (status !== 0) console.error(`Some tests of ${tier} failed: what they would have run is missing below.`);
  const report = join(folder, "coverage-final.json");
  if (existsSync(report)) total.merge(JSON.parse(readFileSync(report, "utf8")));
}
await addChildren();
print();

/** Bundles with the maps beside them, which V8 would otherwise write into each process's account. */
function buildWithMaps() {
  const argv = [join(root, "esbuild.mjs"), "--dev", "--into", bundles];
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("The bundles could not be built");
  const comment = /\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/;
  for (const file of readdirSync(bundles)) {
    const path = join(bundles, file);
    const code = readFileSync(path, "utf8");
    const [, map] = comment.exec(code) ?? [];
    if (map === undefined) continue;
    maps.set(path, JSON.parse(Buffer.from(map, "base64").toString()));
    writeFileSync(path, code.replace(comment, "\n"));
  }
}

/** Adds what the programs that tests started have run. */
async function addChildren() {
  let merged;
  for (const file of readdirSync(children)) {
    const path = join(children, file);
    try {
      const { result } = JSON.parse(readFileSync(path, "utf8"));
      const ours = result.filter(({ url }) => url.startsWith("file://") && maps.has(fileURLToPath(url)));
      merged = mergeProcessCovs([...(merged ? [merged] : []), { result: ours }]);
    } catch {
      // It was killed while it wrote.
    }
    rmSync(path);
  }
  for (const { url, functions } of merged?.result ?? []) {
    const path = fileURLToPath(url);
    const code = readFileSync(path, "utf8");
    const sourceMap = maps.get(path);
    const converted = await convert({
      code,
      sourceMap: { ...sourceMap, sources: sourceMap.sources.map((source) => resolve(root, "dist", source)) },
      coverage: { functions, url },
      ast: parseAstAsync(code),
      wrapperLength: 0,
    });
    for (const [file, data] of Object.entries(converted)) {
      const source = relative(root, file).replaceAll("\\", "/");
      if (sources.includes(source))
        total.merge({ [join(root, source)]: { ...data, path: join(root, source) } });
    }
  }
}

/** Lines that some test ran, of those that can run; files that nothing imported count as not run. */
function print() {
  const rows = names.map((name) => {
    const files = sources.filter((file) => file.startsWith(`${name}/`));
    const sum = { covered: 0, total: 0, never: [] };
    for (const file of files) {
      const path = join(root, file);
      if (!total.data[path]) {
        sum.never.push(file);
        continue;
      }
      const { lines } = total.fileCoverageFor(path).toSummary().data;
      sum.covered += lines.covered;
      sum.total += lines.total;
      if (lines.covered === 0 && lines.total > 0) sum.never.push(file);
    }
    return { name, files: files.length, ...sum };
  });
  console.log("\n| package | files | lines run | files of which nothing ran |\n|---|---|---|---|");
  for (const { name, files, covered, total: all, never } of rows)
    console.log(
      `| \`${name}\` | ${files} | ${((100 * covered) / all || 0).toFixed(1)} % of ${all} | ${never.length} |`,
    );
  writeFileSync(join(results, "coverage-final.json"), JSON.stringify(total.data));
  console.log(`\nEach file: ${relative(root, join(results, "coverage-final.json"))}`);
  for (const { never } of rows) for (const file of never) console.log(`nothing ran: ${file}`);
}
