import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Manager } from "../../../manager/manager.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { Store } from "../../../manager/store/store.ts";
import { version } from "../../../package.json";
import { TOKEN, temporaryFolder, until, World } from "./world.ts";

let world: World;
let windows: Manager[];
beforeEach(async () => {
  world = await World.create();
  windows = [];
});
afterEach(async () => {
  await Promise.all(windows.map((window) => window.dispose()));
  await world[Symbol.asyncDispose]();
});

/** A window of an editor, watching. */
function openWindow(id = "window", options: { version?: string; dist?: string } = {}): Manager {
  const { LINKUP_WORKER_TOKEN: _, ...env } = world.env;
  const window = new Manager({
    home: world.home,
    dist: options.dist ?? world.dist,
    version: options.version ?? version,
    env,
    user: { id, keep: false },
    token: async () => TOKEN,
    log: () => {},
  });
  windows.push(window);
  window.watch();
  return window;
}

const configPath = () => ({ configPath: world.configPath });
const states = ({ sessions }: Snapshot) => sessions.map(({ state }) => state);

test("a window shows each step of a session's life", async () => {
  const window = openWindow();
  const seen: string[] = [];
  window.onDidChange((snapshot) => {
    const state = states(snapshot).join() || "none";
    if (seen.at(-1) !== state) seen.push(state);
  });
  const session = await window.start(configPath());
  expect(session).toMatchObject({ kind: "tunneled", state: "running", configPath: world.configPath });
  await window.route(configPath(), ["web"], "local");
  expect(window.snapshot.sessions[0]?.services.map(({ target }) => target)).toEqual(["local", "remote"]);
  await window.stop(configPath());
  expect(window.snapshot.sessions).toEqual([]);
  expect(seen).toEqual(["none", "starting", "running", "stopping", "none"]);
});

test("a toggle shows that it is under way", async () => {
  const window = openWindow();
  await window.start(configPath());
  const changing: boolean[] = [];
  window.onDidChange(({ sessions }) => changing.push(sessions[0]!.services[0]!.changing));
  await window.route(configPath(), ["web"], "local");
  expect(changing).toContain(true);
  expect(changing.at(-1)).toBe(false);
});

test("a reloaded window finds what runs", async () => {
  const before = openWindow();
  const { name } = await before.start(configPath());
  const [pid] = world.pidsOf("local-server");
  await before.dispose();

  const after = openWindow("the same window, reloaded");
  await until("the session", () => states(after.snapshot).join() === "running");
  expect(after.snapshot.sessions[0]?.name).toBe(name);
  expect(world.pidsOf("local-server")).toEqual([pid]);
});

test("every window sees what another one and the terminal do", async () => {
  const [one, two] = [openWindow("one"), openWindow("two")];
  await one.start(configPath());
  await until("the session in the other window", () => states(two.snapshot).join() === "running");
  await world.linkup("route", "local", "api");
  const target = (window: Manager) => window.snapshot.sessions[0]?.services[1]?.target;
  await until("the toggle in both windows", () => target(one) === "local" && target(two) === "local");
  await two.stop("all");
  await until("the end in the first window", () => one.snapshot.sessions.length === 0);
});

test("a local server that dies is replaced, with its sessions", async () => {
  const window = openWindow();
  const { name } = await window.start(configPath());
  await window.route(configPath(), "all", "local");
  const [pid] = world.pidsOf("local-server");
  process.kill(pid!, "SIGKILL");
  await until("its successor", async () => (await world.served(name!)) === "local web");
  expect(world.pidsOf("local-server")).toHaveLength(1);
  expect(world.pidsOf("local-server")).not.toEqual([pid]);
});

test.runIf(process.platform === "linux")("a local server has one thread for V8's work", async () => {
  await openWindow().start(configPath());
  const threads = `/proc/${world.pidsOf("local-server")[0]}/task`;
  const names = readdirSync(threads).map((id) => readFileSync(join(threads, id, "comm"), "utf8").trim());
  expect(names.filter((name) => name === "V8Worker")).toHaveLength(1);
});

test("a local server of an older version is replaced, once", async () => {
  const olderDist = temporaryFolder("linkup-older-");
  for (const file of readdirSync(world.dist).filter((name) => name.endsWith(".js"))) {
    const code = readFileSync(join(world.dist, file), "utf8");
    writeFileSync(join(olderDist, file), code.replaceAll(`"${version}"`, '"0.0.9"'));
  }
  const older = openWindow("older", { version: "0.0.9", dist: olderDist });
  const { name } = await older.start(configPath());
  const [before] = world.pidsOf("local-server");

  const newer = openWindow("newer");
  await until("the replacement", () => world.pidsOf("local-server").some((pid) => pid !== before));
  await until("the session", async () => (await world.served(name!)) === "remote web");
  const [after, ...others] = world.pidsOf("local-server");
  expect(others).toEqual([]);
  // The older window is content with a newer one.
  await older.route(configPath(), "all", "local");
  await newer.route(configPath(), "all", "remote");
  expect(world.pidsOf("local-server")).toEqual([after]);
});

describe("a saved linkup.yaml", () => {
  test("reaches the running session", async () => {
    const window = openWindow();
    const { name } = await window.start(configPath());
    expect(await world.served(name!, "/v2/x")).toBe("remote web");
    const text = readFileSync(world.configPath, "utf8");
    writeFileSync(world.configPath, text.replace("^/api/", "^/(api|v2)/"));
    await window.configChanged(world.configPath);
    expect(await world.served(name!, "/v2/x")).toBe("remote api");
  });

  test("with errors changes nothing and says so", async () => {
    const window = openWindow();
    const { name } = await window.start(configPath());
    writeFileSync(world.configPath, "linkup: {}");
    await window.configChanged(world.configPath);
    expect(window.snapshot.problems).toMatchObject([{ code: "config-invalid" }]);
    expect(await world.served(name!)).toBe("remote web");
    world.writeConfig();
    await window.configChanged(world.configPath);
    expect(window.snapshot.problems).toEqual([]);
  });
});

test("a session that waits for its Worker starts when it comes", async () => {
  const window = openWindow();
  await world.stopWorker();
  await expect(window.start(configPath())).rejects.toMatchObject({ problem: { code: "worker-unreachable" } });
  expect(states(window.snapshot)).toEqual(["failed"]);
  expect(window.snapshot.problems).toMatchObject([{ code: "worker-unreachable" }]);
  await world.startWorker();
  await until("the session", () => states(window.snapshot).join() === "running");
  expect(window.snapshot.problems).toEqual([]);
  expect(await world.served(window.snapshot.sessions[0]!.name!)).toBe("remote web");
});

test("a start that is cancelled leaves nothing", async () => {
  const window = openWindow();
  const cancel = new AbortController();
  const started = window.start(configPath(), cancel.signal);
  cancel.abort();
  await expect(started).rejects.toMatchObject({ name: "AbortError" });
  expect(window.snapshot.sessions).toEqual([]);
  expect([...world.processes().values()]).toEqual([]);
});

test("a session that the Worker forgot is put back, with its name", async () => {
  const window = openWindow();
  const { name } = await window.start(configPath());
  await fetch(`${world.worker!.url}/linkup/v2/sessions/${name}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(await world.served(name!)).toMatch(/^422 /);
  await makeCheckDue();
  await until("the session", async () => (await world.served(name!)) === "remote web");
});

test("an unreachable Worker is reported, and the session recovers when it is back", async () => {
  const window = openWindow();
  const { name } = await window.start(configPath());
  await world.stopWorker();
  await makeCheckDue();
  await until("the problem", () =>
    window.snapshot.problems.some(({ code }) => code === "worker-unreachable"),
  );
  expect(states(window.snapshot)).toEqual(["running"]);
  await world.startWorker();
  await until("its end", () => window.snapshot.problems.length === 0);
  expect(await world.served(name!)).toBe("remote web");
});

/** The Worker is asked once a minute whether it knows a session: here the minute is over. */
async function makeCheckDue(): Promise<void> {
  await new Store(world.home).change(({ sessions }) => {
    for (const record of sessions) record.checked_at = 0;
  });
}
