/** What a user goes through with `linkup`, from a session that browsers do not find to a machine as it was. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { run } from "../../../manager/components/system/machine.ts";
import type { HealthReport } from "../../../manager/doctor/report.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { World } from "../manager/world.ts";
import { browserStores } from "./browsers.ts";
import { check, differences, picture, skip } from "./checks.ts";
import { getent, patiently, resolvedBinary, systemdResolved } from "./systems.ts";

export async function life(directory: string): Promise<void> {
  console.log("\nA user's way, with systemd-resolved");
  if (!existsSync(resolvedBinary))
    return skip(`there is no ${resolvedBinary}, which is in systemd-resolved.`);
  const undo = await systemdResolved(directory);
  const world = await World.create();
  try {
    world.writeConfig(world.configPath, { domain: "example.com" });
    browserStores(world.folder);
    await goThrough(world);
  } finally {
    await world[Symbol.asyncDispose]();
    await undo();
  }
}

async function goThrough(world: World): Promise<void> {
  const before = picture();
  const problems = async () =>
    (await world.json<Snapshot>("status")).problems.map(({ code, message, actions }) => ({
      code,
      text: `${message} ${actions.map(({ terminal }) => terminal)}`,
    }));
  const codes = async () => (await problems()).map(({ code }) => code).join();
  const linkup = async (...args: string[]) => {
    const { code, stderr } = await world.linkup(...args);
    check(`linkup ${args.join(" ")}`, code === 0, stderr);
  };

  await world.json("start", "--isolated", "--detach");
  const { sessions } = await world.json<Snapshot>("status");
  const host = `${sessions[0]!.name}.example.com`;
  check(
    "a session that browsers do not find is a problem with its fix",
    /local-dns install/.test(JSON.stringify(await problems())),
  );

  await linkup("local-dns", "install", "--yes");
  check("local DNS is started, and the system finds the session", await patiently(() => getent(host) !== ""));
  check("no problem is left", await patiently(async () => (await codes()) === ""), await codes());
  // As it is told at the time: port 443 is taken a moment after the installation, and left out then.
  const [url = ""] = (await world.json<Snapshot>("status")).sessions[0]!.urls;
  const page = await run(["curl", "-s", "-m", "20", "-w", " %{http_version}", url]).catch(String);
  check(
    "its URL is an HTTPS one that works",
    url.startsWith("https://") && page === "remote web 2",
    `${url} ${page}`,
  );
  const health = await world.linkup("health", "--json");
  const { healthy, checks } = JSON.parse(health.stdout) as HealthReport;
  check(
    "linkup health finds everything well, the names and each store too",
    healthy && ["local-dns", "certificates", "address"].every((id) => checks.some((each) => each.id === id)),
    JSON.stringify(checks.filter(({ state }) => state !== "ok")),
  );

  process.kill(world.pidsOf("local-dns")[0]!, "SIGKILL");
  execFileSync("resolvectl", ["flush-caches"]);
  check("local DNS that died is back by itself", await patiently(() => getent(host) !== ""));

  const thief = await taken(world);
  const wanted = [/local-dns-failed/, /Names under example\.com do not resolve/, /EADDRINUSE/, /linkup logs/];
  let text = "";
  const told = await patiently(async () => {
    text = JSON.stringify(await problems());
    return wanted.every((part) => part.test(text));
  });
  check("whose port is taken, that is said: what is broken meanwhile, why, and what helps", told, text);
  thief.close();
  check(
    "once the port is free it is back by itself",
    await patiently(async () => getent(host) !== "" && (await codes()) === ""),
    await codes(),
  );

  await linkup("stop", "--all");
  check(
    "without a session local DNS goes on, for the other names of the domain",
    world.pidsOf("local-dns").length === 1 && (await codes()) === "",
    await codes(),
  );
  process.kill(world.pidsOf("local-dns")[0]!, "SIGKILL");
  check(
    "that the domain leads nowhere without it is said",
    await patiently(async () => (await codes()) === "local-dns-idle"),
    await codes(),
  );
  await linkup("local-dns", "install", "--yes");
  check("installed once more it runs", await patiently(() => world.pidsOf("local-dns").length === 1));
  await linkup("local-dns", "uninstall", "--yes");
  check("uninstalled it has ended", world.pidsOf("local-dns").length === 0);
  check("and nothing is left to be said", (await codes()) === "", await codes());
  const left = differences(before, picture());
  check("the machine is byte for byte as before", left.length === 0, left.join());
}

/** Another program that has the port of local DNS before it is started again. */
async function taken(world: World) {
  for (;;) {
    for (const pid of world.pidsOf("local-dns")) process.kill(pid, "SIGKILL");
    const socket = createSocket("udp4");
    const bound = await Promise.race([
      once(socket.bind(8053, "127.0.0.1"), "listening").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    if (bound) return socket;
    socket.close();
  }
}
