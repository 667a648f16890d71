// Lints the workflows with actionlint: that of the PATH, or one built from its Go module into the tests' cache.
//   node scripts/actionlint.mjs --install    builds it first where there is none, and a Go
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const VERSION = "1.7.12";
const root = resolve(import.meta.dirname, "..");
const caches =
  process.env.LINKUP_TEST_CACHE ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "linkup-test");
const cache = join(caches, `actionlint-${VERSION}`);
const built = join(cache, process.platform === "win32" ? "actionlint.exe" : "actionlint");

const succeeds = (command, args, options) => spawnSync(command, args, options).status === 0;
if (process.argv.includes("--install") && !existsSync(built) && succeeds("go", ["version"])) {
  console.error(`Building actionlint ${VERSION} into ${cache} (two minutes, once)…`);
  const module = `github.com/rhysd/actionlint/cmd/actionlint@v${VERSION}`;
  spawnSync("go", ["install", module], { env: { ...process.env, GOBIN: cache }, stdio: "inherit" });
}
const actionlint = existsSync(built) ? built : "actionlint";
if (!succeeds(actionlint, ["--version"])) {
  console.error(
    "SKIPPED: the workflows are not linted, because there is no actionlint (npm test builds it where there is a Go)",
  );
} else {
  process.exitCode = spawnSync(actionlint, [], { cwd: root, stdio: "inherit" }).status ?? 1;
}
