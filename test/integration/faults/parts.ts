/** Faults of our own parts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { answers } from "../../../manager/components/local-dns/local-dns-process.ts";
import type { World } from "../manager/world.ts";
import { check, type Fault, type Trial, until } from "./fault.ts";

/** Opens a window; resolves with its process and the session's name. */
async function openWindow({ world }: Trial) {
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
      join(import.meta.dirname, "window.ts"),
      world.dist,
      world.configPath,
    ],
    {
      env: world.env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = await once(child.stdout!, "data");
  const [what, name] = String(line).trim().split(" ");
  check(what === "running", `the window started the session: ${line}`);
  return { child, name: name! };
}

/** A program gets a signal, and the session is served again. */
function signalled(
  name: string,
  tunnel: Fault["tunnel"],
  program: "local-server" | "cloudflared",
  signal: NodeJS.Signals,
): Fault {
  return {
    name,
    tunnel,
    async run(trial) {
      const session = await trial.session();
      process.kill(trial.world.pidsOf(program)[0]!, signal);
      await trial.untilServed(session);
    },
  };
}

/** A cloudflared with this fault is replaced by another one. */
function replaced(name: string, faults: Parameters<World["setFaults"]>[0]): Fault {
  return {
    name,
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const session = await trial.session();
      const [before] = world.pidsOf("cloudflared");
      world.setFaults(faults);
      await trial.untilBack("another cloudflared", () => {
        const [now] = world.pidsOf("cloudflared");
        if (now === undefined || now === before) return false;
        world.setFaults({});
        return true;
      });
      await until("the session", async () => (await world.served(session)) === "local web");
    },
  };
}

export const parts: Fault[] = [
  signalled("local server SIGKILLed", "direct", "local-server", "SIGKILL"),
  signalled("cloudflared SIGKILLed", "cloudflare", "cloudflared", "SIGKILL"),
  {
    name: "the local server, which writes cloudflared's log, SIGKILLed",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const name = await trial.session();
      const [before] = world.pidsOf("local-server");
      const log = join(world.home, "logs", `cloudflared-${name}.log`);
      const { size } = statSync(log);
      process.kill(before!, "SIGKILL");
      await trial.untilBack("another writer", () => {
        const [now] = world.pidsOf("local-server");
        return now !== undefined && now !== before;
      });
      await until("the session", async () => (await world.served(name)) === "local web");
      check(statSync(log).size > size, "the log goes on");
    },
  },
  replaced("cloudflared alive, /ready 503", { ready: 503 }),
  replaced("cloudflared ready, and requests get lost", { deaf: true }),
  signalled("local server stopped answering", "direct", "local-server", "SIGSTOP"),
  {
    name: "local DNS SIGKILLed",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      world.writeConfig(world.configPath, { domain: "example.com" });
      // As an installation leaves it, the system's part apart.
      mkdirSync(world.home, { mode: 0o700 });
      const journal = join(world.home, "system-changes.json");
      writeFileSync(
        journal,
        JSON.stringify({ version: 1, domains: ["example.com"], method: "systemd-resolved", entries: [] }),
      );
      const { urls } = await world.json<{ urls: string[] }>("start", "--isolated", "--detach");
      const { hostname } = new URL(urls[0]!);
      await until("local DNS", () => answers(hostname));
      process.kill(world.pidsOf("local-dns")[0]!, "SIGKILL");
      await trial.untilBack(
        "local DNS",
        async () => world.pidsOf("local-dns").length === 1 && answers(hostname),
      );
      // As long as it is installed, it stays.
      rmSync(journal);
    },
  },
  {
    name: "keeper SIGKILLed, then the local server",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      const name = await trial.session();
      process.kill(world.pidsOf("keeper")[0]!, "SIGKILL");
      process.kill(world.pidsOf("local-server")[0]!, "SIGKILL");
      // The next command puts things right.
      await world.json("start", "--detach");
      await trial.untilServed(name);
    },
  },
  {
    name: "editor host SIGKILLed, a new one comes",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const { child, name } = await openWindow(trial);
      await world.json("route", "local", "web");
      const before = [...world.processes().keys()].filter((pid) => pid !== child.pid);
      child.kill("SIGKILL");
      await once(child, "exit");
      trial.sees("the session goes on");
      check((await world.served(name)) === "local web", "it serves while no window is there");
      const next = await openWindow(trial);
      check(next.name === name, `the same session: ${next.name}`);
      const after = [...world.processes().keys()].filter((pid) => pid !== next.child.pid);
      check(before.sort().join() === after.sort().join(), `the same processes: ${before} and ${after}`);
      next.child.kill("SIGKILL");
    },
  },
  {
    name: "editor host SIGKILLed for good",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const { child } = await openWindow(trial);
      child.kill("SIGKILL");
      await once(child, "exit");
      trial.sees("all ends within a minute");
      await trial.untilBack("the end of everything", () => world.processes().size === 0, 60_000);
    },
  },
  {
    name: "two starts at once",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const start = () => world.json<{ session_name: string }>("start", "--detach");
      const [one, two] = await Promise.all([start(), start()]);
      check(one.session_name === two.session_name, "both got the same session");
      for (const program of ["local-server", "keeper", "cloudflared"] as const) {
        check(world.pidsOf(program).length === 1, `one ${program}: ${world.pidsOf(program)}`);
      }
      await world.json("route", "local", "web");
      await trial.untilServed(one.session_name);
    },
  },
  {
    name: "stop during start",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      world.edge!.offline = true;
      const starting = world.linkup("start", "--detach");
      await until("cloudflared", () => world.pidsOf("cloudflared").length > 0);
      const stopped = world.linkup("stop", "--all");
      await trial.untilBack("the end of everything", async () => {
        await stopped;
        return [...world.processes().values()].every((command) => command.includes(" start "));
      });
      const { code, stderr } = await starting;
      check(code === 1, `the start says so: ${code}`);
      trial.sees(stderr.split("\n", 1)[0]!);
    },
  },
  {
    name: "clock jump: all of it asleep for 20 s, the network gone meanwhile",
    tunnel: "cloudflare",
    async run(trial) {
      const { world } = trial;
      const name = await trial.session();
      const pids = [...world.processes().keys()];
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      world.edge!.dropConnections();
      await delay(20_000);
      for (const pid of pids) process.kill(pid, "SIGCONT");
      await trial.untilServed(name);
      check(
        world.pidsOf("local-server").join() ===
          pids.filter((pid) => world.pidsOf("local-server").includes(pid)).join(),
        "the same local server",
      );
    },
  },
];
