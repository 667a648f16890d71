import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until, World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

const mayTry =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["-n", "ip", "link", "set", "lo", "up"]).status === 0;

/** All of Linkup in a network namespace of its own, where addresses come and go as the test says. */
test.runIf(mayTry)("the keeper notices another address of this machine", async () => {
  const cli = join(world.dist, "cli.js");
  const inside = 'ip link set lo up && exec "$@"';
  const command = [process.execPath, cli, "start", "--isolated", "--detach", "--config", world.configPath];
  const { status, stderr } = spawnSync("unshare", ["-n", "sh", "-c", inside, "sh", ...command], {
    env: world.env,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const [keeper] = world.pidsOf("keeper");
  const ip = (...args: string[]) => {
    const done = spawnSync("nsenter", ["--net", "--target", String(keeper), "ip", ...args], {
      encoding: "utf8",
    });
    expect(done.status, done.stderr).toBe(0);
  };
  const log = join(world.home, "logs", "keeper.log");
  const noticed = () =>
    (existsSync(log) ? readFileSync(log, "utf8") : "").split("The network changed").length - 1;
  const first = noticed();
  ip("link", "add", "wlan9", "type", "veth", "peer", "name", "there9");
  ip("link", "set", "there9", "up");
  ip("addr", "add", "192.0.2.7/24", "dev", "wlan9");
  ip("link", "set", "wlan9", "up");
  await until("the new address", () => noticed() > first);
  const before = noticed();
  ip("addr", "del", "192.0.2.7/24", "dev", "wlan9");
  await until("that it is gone", () => noticed() > before);
});
