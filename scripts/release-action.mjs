// Makes the GitHub Action's release: a commit with action.yml and its bundle, and the tags that workflows name. Nothing is pushed.
//   node scripts/release-action.mjs [--repository FOLDER]
// GitHub runs an action straight from the tree of a tag, and dist/ is not in the repository's own: so the commit holds what the
// runner needs and nothing else, on top of the commit it was built from.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "../esbuild.mjs";
import { thirdPartyNotices } from "./third-party.mjs";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { repository: { type: "string", default: root } } });
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [major] = version.split(".");
const tags = [`action-v${version}`, `action-v${major}`];

const folder = mkdtempSync(join(tmpdir(), "linkup-action-"));
const git = (...args) =>
  execFileSync("git", args, {
    cwd: values.repository,
    encoding: "utf8",
    env: { ...process.env, GIT_INDEX_FILE: join(folder, ".index") },
  }).trim();
try {
  const tree = join(folder, "tree");
  const metafiles = await bundle(["action"], join(tree, "dist"));
  for (const file of ["action.yml", "LICENSE"]) copyFileSync(join(root, file), join(tree, file));
  copyFileSync(join(root, "docs/operate/previews.md"), join(tree, "README.md"));
  writeFileSync(join(tree, "THIRD_PARTY_NOTICES.txt"), thirdPartyNotices(root, metafiles));
  git("--work-tree", tree, "add", "--all", "--force", ".");
  const commit = git(
    "commit-tree",
    git("write-tree"),
    "-p",
    git("rev-parse", "HEAD"),
    "-m",
    `Action ${version}`,
  );
  for (const tag of tags) git("tag", "--force", tag, commit);
  console.log(tags.join("\n"));
} finally {
  rmSync(folder, { recursive: true });
}
