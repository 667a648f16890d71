// Builds linkup.vsix, and fails when it holds what it should not: the extension as users get it.
//   npm run package
//   npm run package -- --baseContentUrl URL --baseImagesUrl URL    for a marketplace: where the README's links and pictures are
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import vsce from "@vscode/vsce";

const root = resolve(import.meta.dirname, "..");
const vsix = join(root, "linkup.vsix");
const MAX_BYTES = 2_000_000;

/** All that may be in it. */
const PARTS = [
  /^dist\/(extension|manager|language|doctor|local-server|local-dns|cli|worker)\.js$/,
  /^media\/[\w./-]+\.(png|svg|md|json)$/,
  /^l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^package(\.nls(\.[\w-]+)?)?\.json$/,
  /^docs\/(user\/problems|operate\/worker)\.md$/,
  /^(README|CHANGELOG)\.md$/,
  /^LICENSE$/,
];
const NEEDED = [
  "dist/extension.js",
  "dist/manager.js",
  "dist/language.js",
  "dist/doctor.js",
  "dist/local-server.js",
  "dist/local-dns.js",
  "dist/cli.js",
  "dist/worker.js",
  "package.json",
  "package.nls.json",
  "README.md",
  "LICENSE",
  "media/icon.png",
  "media/linkup.schema.json",
  "docs/user/problems.md",
  "docs/operate/worker.md",
];

function run(file, ...args) {
  return execFileSync(process.execPath, [join(root, file), ...args], { cwd: root, encoding: "utf8" });
}

run("esbuild.mjs");

// Everything is bundled: no package manager is asked for dependencies.
const listed = await vsce.listFiles({ cwd: root, packageManager: vsce.PackageManager.None });
const files = listed.map((file) => file.replaceAll("\\", "/"));
const problems = [
  ...files
    .filter((file) => !PARTS.some((part) => part.test(file)))
    .map((file) => `${file} does not belong in it`),
  ...NEEDED.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
];

const places = process.argv.slice(2);
// Where the package's home is not public, links in the README stay as they are.
const links = places.length > 0 ? places : ["--no-rewrite-relative-links"];
const flags = ["--no-dependencies", "--allow-missing-repository", ...links];
const said = run("node_modules/@vscode/vsce/vsce", "package", ...flags, "--out", vsix);
if (/warning/i.test(said)) problems.push(`vsce warns:\n${said}`);

const { size } = statSync(vsix);
if (size > MAX_BYTES) problems.push(`it has ${size} bytes, more than ${MAX_BYTES}`);
if (problems.length > 0) {
  console.error(`linkup.vsix is not as it should be:\n- ${problems.join("\n- ")}`);
  process.exitCode = 1;
} else {
  console.log(`linkup.vsix: ${files.length} files, ${Math.round(size / 1000)} kB, no warnings.`);
}
