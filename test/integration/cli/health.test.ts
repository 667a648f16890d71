import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DoctorCheck, HealthReport } from "../../../manager/doctor/report.ts";
import { healthReport } from "../../../manager/doctor/schema.ts";
import { TOKEN, until, World } from "../manager/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

async function health(code: number): Promise<HealthReport> {
  const finished = await world.linkup("health", "--json");
  expect(finished.stderr).toBe("");
  expect(finished.code).toBe(code);
  const report = JSON.parse(finished.stdout);
  expect(healthReport.safeParse(report).error).toBeUndefined();
  return report;
}

const named = (checks: readonly DoctorCheck[], state: DoctorCheck["state"]) =>
  checks.filter((check) => check.state === state).map(({ id }) => id);

test("a healthy machine", async () => {
  await world.json("start", "--detach");
  const { checks, healthy, ...report } = await health(0);
  expect(healthy).toBe(true);
  expect(named(checks, "broken")).toEqual([]);
  expect(named(checks, "warning")).toEqual([]);
  expect(new Set(named(checks, "ok"))).toEqual(
    new Set([
      ...["state", "config", "local-server", "keeper", "port", "worker", "service", "address", "orphans"],
      "local-dns",
    ]),
  );
  const files = readdirSync(world.home).sort();
  expect(report).toMatchObject({
    linkup: { config_location: world.home, config_exists: true, config_content: files },
    background_services: {
      linkup_server: { Running: world.pidsOf("local-server")[0] },
      dns_server: "NotInstalled",
      possible_orphan_processes: [],
    },
    local_dns: { is_installed: false, resolvers: [] },
  });
  const { stdout, code } = await world.linkup("doctor");
  expect(code).toBe(0);
  expect(stdout).toContain(`It contains ${files.join(", ")}.`);
  expect(stdout).toContain("local-dns: Not installed. No session needs it.");
  expect(stdout).toContain("✓ worker http://127.0.0.1:");
  expect(stdout).toContain("Everything is healthy.");
});

test("a machine that has never seen a session", async () => {
  expect(named((await health(0)).checks, "broken")).toEqual([]);
});

test("a broken machine: every fault is reported with a fix", async () => {
  await world.json("start", "--detach");
  await world.linkup("route", "local", "api");

  // A local server that nobody needs, a service that is down, a Worker that is gone, a file with an error, an open home.
  const orphan = spawn(
    process.execPath,
    ["-e", "setInterval(() => {}, 1000)", join(world.dist, "local-server.js"), "--home", world.home],
    {
      stdio: "ignore",
      env: world.env,
    },
  );
  await once(orphan, "spawn");
  await world.stopService("local api");
  await world.stopWorker();
  writeFileSync(
    world.configPath,
    readFileSync(world.configPath, "utf8").replace("default_service: web", "default_service: wbe"),
  );
  chmodSync(world.home, 0o755);

  const { checks } = await health(6);
  expect(new Set(named(checks, "broken"))).toEqual(
    new Set(["config", "worker", "service", "address", "orphans"]),
  );
  expect(named(checks, "warning")).toEqual(["state"]);
  const find = (id: string) => checks.find((check) => check.id === id && check.state !== "ok")!;
  expect(find("config").found).toContain("linkup.yaml:");
  expect(find("worker")).toMatchObject({ code: "worker-unreachable" });
  expect(find("service")).toMatchObject({
    subject: expect.stringContaining("api (local)"),
    found: expect.stringContaining("nothing listens there"),
    fixes: [{ terminal: "linkup route remote api" }],
  });
  expect(find("orphans").found).toContain(String(orphan.pid));
  expect(find("state").found).toContain("chmod 700");

  const ended = once(orphan, "exit");
  await world.linkup("health", "--end-orphans");
  await ended;
  expect(world.pidsOf("local-server")).toHaveLength(1);
});

test("a keeper and a local server that crashed unnoticed", async () => {
  await world.json("start", "--detach");
  for (const pid of world.processes().keys()) process.kill(pid, "SIGKILL");
  await until("their end", () => world.processes().size === 0);
  const { checks } = await health(6);
  expect(new Set(named(checks, "broken"))).toEqual(new Set(["local-server", "keeper"]));
  expect(checks.find(({ id }) => id === "keeper")?.fixes[0]?.terminal).toBe("linkup start");
});

test("the Worker of a file whose session does not run", async () => {
  const worker = async () => (await health(0)).checks.filter(({ id }) => id === "worker");
  expect(await worker()).toMatchObject([
    { state: "ok", found: expect.stringContaining("accepts the token") },
  ]);
  world.env.LINKUP_WORKER_TOKEN = "another";
  expect(await worker()).toMatchObject([{ state: "warning", code: "token-refused" }]);
  delete world.env.LINKUP_WORKER_TOKEN;
  expect(await worker()).toMatchObject([{ state: "warning", code: "token-missing" }]);
  world.env.LINKUP_WORKER_TOKEN = TOKEN;
  await world.stopWorker();
  expect(await worker()).toMatchObject([{ state: "warning", code: "worker-unreachable" }]);
  expect((await world.linkup("doctor")).stdout).toMatch(/\nNothing is broken; 1 warning\.\n$/);
});

test("a remembered port that another program uses", async () => {
  await world.json("start", "--isolated", "--detach");
  await world.linkup("stop");
  const remembered = join(world.home, "browser-port");
  expect(readFileSync(remembered, "utf8")).toMatch(/^\d+\s*$/);
  // Its own port may be another test's by now.
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  writeFileSync(remembered, String((taken.address() as AddressInfo).port));
  expect(named((await health(0)).checks, "warning")).toEqual(["port"]);
  taken.close();
});

test("env files left by a crash after the state was lost", async () => {
  const service = join(world.folder, "web");
  mkdirSync(service);
  writeFileSync(join(service, ".env.local.linkup"), "B=1");
  const config = readFileSync(world.configPath, "utf8");
  writeFileSync(world.configPath, config.replace("  - name: web\n", "  - name: web\n    directory: ./web\n"));
  await world.json("start", "--detach");
  for (const pid of world.processes().keys()) process.kill(pid, "SIGKILL");
  await until("their end", () => world.processes().size === 0);
  writeFileSync(join(world.home, "state.json"), "");
  const { checks } = await health(6);
  expect(named(checks, "broken")).toEqual(["env-files"]);
  // Without its state a home takes the conventional port, which somebody else may have meanwhile.
  expect(named(checks, "warning").filter((id) => id !== "port")).toEqual(["state"]);
});
