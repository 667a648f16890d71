// Builds linkup.vsix, and fails when it is not the extension as users should get it.
//   npm run package                  to try it here
//   npm run package -- --release     for the marketplaces: the project's home has to be known, and every link has to open
//
// The project's home is LINKUP_REPOSITORY, or `repository` in release.json: https://github.com/OWNER/NAME.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, resolve } from "node:path";
import vsce from "@vscode/vsce";
import { bundle, overBudget } from "../esbuild.mjs";
import { thirdPartyNotices } from "./third-party.mjs";

const root = resolve(import.meta.dirname, "..");
const vsix = join(root, "linkup.vsix");
const release = process.argv.includes("--release");
const MAX_BYTES = 2_000_000;
const LINK_TIMEOUT_MS = 15_000;

/**
 * vsce takes more than a hundred files of JavaScript for code that is not bundled. Ours is: the files are parts of bundles, each
 * read when it is needed, and nothing else is let in below. Activation reads two of them; programs that share no parts
 * would have 3.0 MB in place of 1.7.
 */
const MANY_FILES = /^.*This extension consists of \d+ files, out of which \d+ are JavaScript files\..*$/m;

/** All that may be in it. */
const PARTS = [
  /^dist\/(extension|cli|(server-)?part-[\w-]+|mcp-server|requests-page|local-server|local-dns|worker)\.js$/,
  /^worker\/wrangler\.jsonc$/,
  /^media\/[\w./-]+\.(css|png|svg|md|json)$/,
  /^l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^package(\.nls(\.[\w-]+)?)?\.json$/,
  /^docs\/(user\/problems|operate\/(deploy|worker))\.md$/,
  /^(README|CHANGELOG)\.md$/,
  /^(LICENSE|THIRD_PARTY_NOTICES\.txt)$/,
];
const NEEDED = [
  "dist/extension.js",
  "dist/local-server.js",
  "dist/local-dns.js",
  "dist/cli.js",
  "dist/worker.js",
  "dist/mcp-server.js",
  "dist/requests-page.js",
  "worker/wrangler.jsonc",
  "package.json",
  "package.nls.json",
  "README.md",
  "LICENSE",
  "THIRD_PARTY_NOTICES.txt",
  "media/icon.png",
  "media/linkup.schema.json",
  "docs/user/problems.md",
  "docs/operate/deploy.md",
  "docs/operate/worker.md",
];

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const home = homeOf();
if (release && !home) {
  console.error("A release needs the project's home: set LINKUP_REPOSITORY, or write it into release.json.");
  process.exit(1);
}

rmSync(join(root, "dist"), { recursive: true, force: true });
rmSync(vsix, { force: true });
const metafiles = await bundle();
const problems = overBudget(metafiles);

// Put together in a folder of its own, where package.json says what a user's needs to.
const staged = mkdtempSync(join(tmpdir(), "linkup-package-"));
try {
  const listed = await vsce.listFiles({ cwd: root, packageManager: vsce.PackageManager.None });
  for (const file of [".vscodeignore", ...listed]) cpSync(join(root, file), join(staged, file));
  writeFileSync(join(staged, "THIRD_PARTY_NOTICES.txt"), thirdPartyNotices(root, metafiles));
  writeFileSync(join(staged, "package.json"), `${JSON.stringify(shippedManifest(), null, 2)}\n`);
  const readme = shippedReadme();
  writeFileSync(join(staged, "README.md"), readme);

  const files = [
    ...new Set([...listed.map((file) => file.replaceAll("\\", "/")), "THIRD_PARTY_NOTICES.txt"]),
  ];
  problems.push(
    ...files
      .filter((file) => !PARTS.some((part) => part.test(file)))
      .map((file) => `${file} does not belong in it`),
    ...NEEDED.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...readdirSync(join(root, "dist"))
      .map((file) => `dist/${file}`)
      .filter((file) => PARTS.some((part) => part.test(file)) && !files.includes(file))
      .map((file) => `${file} is left out by .vscodeignore`),
    ...(await brokenLinks(readme, files)),
  );

  const links = home
    ? [`--baseContentUrl=${home.content}`, `--baseImagesUrl=${home.images}`]
    : ["--no-rewrite-relative-links", "--allow-missing-repository"];
  // Everything is bundled: no package manager is asked for dependencies.
  const argv = [join(root, "node_modules/@vscode/vsce/vsce"), "package", "--no-dependencies", ...links];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...argv, "--out", vsix], {
    cwd: staged,
    encoding: "utf8",
  });
  const said = `${stdout}${stderr}`.replace(MANY_FILES, "");
  if (status !== 0 || /warning/i.test(said)) problems.push(`vsce says:\n${said}`);

  const size = statSync(vsix, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_BYTES) problems.push(`it has ${size} bytes, more than ${MAX_BYTES}`);
  if (problems.length > 0) {
    rmSync(vsix, { force: true });
    console.error(`linkup.vsix is not as it should be:\n- ${problems.join("\n- ")}`);
    process.exitCode = 1;
  } else {
    console.log(`linkup.vsix: ${files.length} files, ${Math.round(size / 1000)} kB, no warnings.`);
  }
} finally {
  rmSync(staged, { recursive: true });
}

/** Where the project is at home: its address, and those that relative links and pictures of its documents lead to. */
function homeOf() {
  const file = join(root, "release.json");
  const written = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).repository : undefined;
  const repository = (process.env.LINKUP_REPOSITORY || written)?.replace(/(\.git)?\/?$/, "");
  if (!repository) return undefined;
  const tag = `v${manifest.version}`;
  return { repository, content: `${repository}/blob/${tag}`, images: `${repository}/raw/${tag}` };
}

/** package.json without what only contributors need. */
function shippedManifest() {
  const { scripts, devDependencies, allowScripts, ...shipped } = manifest;
  if (!home) return shipped;
  return {
    ...shipped,
    repository: { type: "git", url: `${home.repository}.git` },
    bugs: { url: `${home.repository}/issues` },
    homepage: `${home.repository}#readme`,
  };
}

/** The extension's page. Its pictures lie in the repository: without a known home they are left out. */
function shippedReadme() {
  const own = join(root, "extension", "README.md");
  // It stands in the package's root, one folder above.
  const text = readFileSync(own, "utf8").replaceAll("](../", "](");
  return home
    ? text
    : text.replaceAll(/^!\[[^\]]*\]\((?!https?:)[^)]+\)\n*|!\[[^\]]*\]\((?!https?:)[^)]+\)/gm, "");
}

/** The links of this page that lead nowhere. */
async function brokenLinks(page, files) {
  const targets = [
    ...[...page.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target]) => target),
    ...[...page.matchAll(/(?:href|src|srcset)="([^"]+)"/g)].map(([, target]) => target),
  ];
  const anchors = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title)));
  const found = await Promise.all([...new Set(targets)].map((target) => problemOf(target)));
  return found.filter(Boolean);

  async function problemOf(target) {
    if (target.startsWith("#"))
      return anchors.has(target.slice(1)) ? undefined : `README: there is no heading ${target}`;
    if (/^(mailto|command):/.test(target)) return undefined;
    if (/^https?:/.test(target)) return opens(target);
    const path = posix.normalize(target.split("#")[0]).replace(/\/$/, "");
    if (home) return existsSync(join(root, path)) ? undefined : `README: ${target} is not in the repository`;
    return files.includes(path) ? undefined : `README: ${target} is not in the package`;
  }
}

/** As GitHub and VS Code make them. */
function anchorOf(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

/** Opens a link. Without the Internet that is told, and only a release fails. */
async function opens(url) {
  try {
    const { status, body } = await fetch(url, { signal: AbortSignal.timeout(LINK_TIMEOUT_MS) });
    await body?.cancel();
    // A site that turns robots away is there.
    return status < 400 || [401, 403, 405, 429].includes(status)
      ? undefined
      : `README: ${url} answers ${status}`;
  } catch (error) {
    const reason = `README: ${url} could not be opened (${error.cause?.code ?? error.name})`;
    if (release) return reason;
    console.error(`NOT CHECKED: ${reason}`);
    return undefined;
  }
}
