/** What was checked, and pictures of a machine to compare. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What an installation may touch. */
export const SYSTEM = ["/etc", "/usr/local/share/ca-certificates"];

const counted = { passed: 0, failed: 0, skipped: 0 };

/** Prints the result; true when nothing failed. */
export function conclude(): boolean {
  const { passed, failed, skipped } = counted;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0;
}

export function skip(why: string): void {
  counted.skipped++;
  console.log(`SKIPPED: ${why}`);
}

export function check(what: string, holds: boolean, detail = ""): void {
  if (holds) counted.passed++;
  else counted.failed++;
  console.log(`${holds ? "ok    " : "FAILED"} ${what}${detail && !holds ? `\n       ${detail}` : ""}`);
}

/** Java's hook of update-ca-certificates writes it anew each time, with the time in it. */
const REWRITTEN = "/etc/ssl/certs/java/cacerts";

/** Every file with its rights and content, and every network link with its addresses. */
export function picture(): Map<string, string> {
  const all = new Map<string, string>();
  const walk = (path: string) => {
    const stat = lstatSync(path);
    const rights = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) all.set(path, `link ${readlinkSync(path)}`);
    else if (stat.isDirectory()) {
      all.set(path, `directory ${rights}`);
      for (const name of readdirSync(path)) walk(join(path, name));
    } else if (stat.isFile())
      all.set(path, `file ${rights} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`);
  };
  for (const path of SYSTEM) walk(path);
  all.delete(REWRITTEN);
  all.set("network links", execFileSync("ip", ["-brief", "address"], { encoding: "utf8" }));
  return all;
}

export function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}
