// Measures something: `bench NAME`, see test/bench/NAME/main.ts. Without a name all of them, one after the other, each in a
// process of its own: for a machine that does nothing else.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Short ones first. */
const ALL = ["cli", "start", "editor", "dns", "scale", "page", "proxy", "worker", "idle"];

const main = (name) => join(import.meta.dirname, "..", "test", "bench", name, "main.ts");
const name = process.argv[2];
if (name === undefined) {
  for (const each of ALL) {
    console.log(`\n## ${each}, ${new Date().toISOString()}`);
    const { status } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, each], {
      stdio: "inherit",
    });
    if (status !== 0) process.exitCode = 1;
  }
} else if (existsSync(main(name))) {
  process.argv.splice(2, 1);
  await import(main(name));
} else {
  console.error(`No benchmark ${name}: ${ALL.join(", ")}`);
  process.exitCode = 2;
}
