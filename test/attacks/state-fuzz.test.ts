import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Manager } from "../../manager/manager.ts";
import { temporaryFolder } from "../integration/manager/world.ts";
import { dist } from "../support/bundles.ts";
import { Victim } from "./victim.ts";

const FILES = 400;
/** Each of these many mutants also goes through the built commands. */
const EVERY = 40;

let victim: Victim;
beforeEach(async () => {
  victim = await Victim.create();
  victim.config({ workerUrl: "http://127.0.0.1:9" });
});
afterEach(() => victim[Symbol.asyncDispose]());

/** The paths of all values in a JSON value. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** A copy in which something else stands at this path; `undefined` takes it out. */
function mutated(value: unknown, [key, ...rest]: string[], other: unknown): unknown {
  if (key === undefined) return other;
  const copy = structuredClone(value) as Record<string, unknown>;
  const inner = mutated(copy[key], rest, other);
  if (inner !== undefined) copy[key] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

const strange = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    "",
    0,
    -1,
    1e308,
    true,
    "http://[",
    "__proto__",
    "../../x",
    "\u0000",
    {},
    [],
  ),
  fc.string({ unit: "binary" }),
  fc.jsonValue(),
);

test("400 mutated state files: 0 crashes", { timeout: 300_000 }, async () => {
  expect((await victim.linkup("start", "--isolated", "--detach")).code).toBe(0);
  await victim.linkup("stop");
  const good = JSON.parse(readFileSync(join(victim.linkupHome, "state.json"), "utf8"));
  // What a session that runs has, without what makes a process start.
  good.sessions[0].last_error = {
    problem: { code: "worker-failed", title: "Title", message: "Message", actions: [] },
    failures: 1,
    retry_at: 0,
  };
  good.sessions[0].confirmed = { web: "local" };
  good.pending_deletions = [
    {
      ...good.sessions[0].last_error,
      name: "a",
      worker_url: "http://127.0.0.1:9",
      worker_token: "t",
      ended: 1,
    },
  ];
  const paths = pathsOf(good);
  const mutants = fc.sample(
    fc.tuple(
      fc.array(fc.tuple(fc.constantFrom(...paths), strange), { minLength: 1, maxLength: 3 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    { numRuns: FILES, seed: 20_261_128 },
  );
  const faults: string[] = [];
  for (const [index, [changes, cut]] of mutants.entries()) {
    let json: unknown = good;
    for (const [path, other] of changes) {
      try {
        json = mutated(json, path, other);
      } catch {
        // An earlier change took that path out.
      }
    }
    const whole = JSON.stringify(json) ?? "";
    // Some are cut off in the middle.
    const text = index % 10 === 9 ? whole.slice(0, Math.floor(whole.length * cut)) : whole;
    const home = index % EVERY === 0 ? victim.linkupHome : temporaryFolder("linkup-fuzz-");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "state.json"), text);
    const said = index % EVERY === 0 ? await byCommands() : await byManager(home);
    if (said) faults.push(`${said}\n${text.slice(0, 2000)}`);
  }
  expect(faults).toEqual([]);
});

/** What went wrong, other than a problem in words. */
async function byCommands(): Promise<string | undefined> {
  for (const command of ["status", "health", "stop"]) {
    const args = command === "stop" ? ["stop", "--all"] : [command];
    const { code, stdout, stderr } = await victim.linkup(...args);
    if (/unexpected error|TypeError|RangeError|ReferenceError|\n {4}at /i.test(stdout + stderr))
      return `linkup ${command} (${code}): ${stdout}${stderr}`;
  }
  return undefined;
}

async function byManager(home: string): Promise<string | undefined> {
  const manager = new Manager({
    home,
    dist: await dist(),
    version: "0.0.0",
    env: victim.env,
    user: { id: "fuzz", keep: true },
    log: () => {},
  });
  try {
    await manager.look();
    await manager.refresh(1);
    await manager.stop("all");
    return undefined;
  } catch (error) {
    return (error as Error).name === "LinkupError" ? undefined : (error as Error).stack;
  } finally {
    await manager.dispose();
  }
}
