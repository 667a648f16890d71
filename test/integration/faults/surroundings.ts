/** Faults of what is around us: the Worker, the disk, ports. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Manager } from "../../../manager/manager.ts";
import { check, type Fault, TOKEN, type Trial } from "./fault.ts";

/** Writes until nothing more fits. */
const FILL = "dd if=/dev/zero of=full bs=1k 2>/dev/null || true";

export const surroundings: Fault[] = [
  {
    name: "Worker down at start, and coming back",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      await world.stopWorker();
      const window = watchingWindow(trial);
      try {
        await window
          .start({ configPath: world.configPath })
          .catch((error: Error) => trial.sees(error.message));
        await world.startWorker();
        await trial.untilBack("the session", async () => {
          const [session] = window.snapshot.sessions;
          return session?.name && (await world.served(session.name)) === "remote web";
        });
      } finally {
        await window.dispose();
      }
    },
  },
  {
    name: "Worker down at a toggle",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      const name = await trial.session();
      await world.stopWorker();
      const { code, stderr } = await world.linkup("route", "remote", "web");
      check(code === 1, `the toggle says that it failed: ${code}`);
      trial.sees(stderr.split("\n", 1)[0]!);
      const { sessions } = await world.json<{ sessions: { services: { target: string }[] }[] }>("status");
      check(sessions[0]?.services[0]?.target === "local", "the service stays where it was");
      await world.startWorker();
      await trial.untilServed(name);
      await world.json("route", "remote", "web");
      check((await world.served(name)) === "remote web", "the next toggle works");
    },
  },
  {
    name: "Worker down at a stop, and back",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      const name = await trial.session();
      await world.stopWorker();
      const { code, stderr } = await world.linkup("stop");
      check(code === 0, `the stop does not depend on it: ${code}`);
      trial.sees(stderr.split("\n", 1)[0]!);
      check(world.processes().size === 0, "no process is left");
      await world.startWorker();
      // A window that is open does the same.
      const window = watchingWindow(trial);
      try {
        await trial.untilBack("the Worker to be told", async () =>
          (await world.served(name)).startsWith("422 "),
        );
      } finally {
        await window.dispose();
      }
    },
  },
  {
    name: "port taken",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      const first = await world.json<{ urls: string[] }>("start", "--isolated", "--detach");
      await world.linkup("stop");
      const taken = createServer().listen(Number(new URL(first.urls[0]!).port), "127.0.0.1");
      await once(taken, "listening");
      try {
        const { urls, session_name } = await world.json<{ urls: string[]; session_name: string }>(
          "start",
          "--isolated",
          "--detach",
        );
        trial.sees(`another port: ${new URL(urls[0]!).port} for ${new URL(first.urls[0]!).port}`);
        const { hostname, port } = new URL(urls[0]!);
        check(hostname.startsWith(`${session_name}.`), "the session keeps its name");
        await trial.untilBack(
          "the session",
          async () => (await world.ask(hostname, "/", Number(port))).body === "remote web",
        );
      } finally {
        taken.close();
      }
    },
  },
  {
    name: "state directory read-only",
    tunnel: "direct",
    run: (trial) =>
      toggleOnDisk(trial, "1m", {
        // Laid over it, since the disk itself is being written to.
        fault: `mount --bind "$LINKUP_HOME" "$LINKUP_HOME" && mount -o remount,ro,bind "$LINKUP_HOME"`,
        repair: `cd / && umount -l "$LINKUP_HOME"`,
      }),
  },
  {
    name: "disk full",
    tunnel: "direct",
    run: (trial) => toggleOnDisk(trial, "256k", { fault: FILL, repair: "rm full" }),
  },
  {
    name: "disk full at a stop",
    tunnel: "direct",
    async run(trial) {
      const { world } = trial;
      const { disk, name } = await startOnDisk(trial, "256k");
      disk.shell(FILL);
      const stopped = disk.run("stop");
      check(stopped.status === 1, `the stop says that it is not written: ${stopped.status}`);
      check(
        stopped.stderr.includes(`${name} is stopped, but the new state could not be saved`),
        stopped.stderr,
      );
      trial.sees(stopped.stderr.split("\n", 1)[0]!);
      for (const program of ["local-server", "keeper"] as const)
        check(world.pidsOf(program).length === 0, `no ${program} is left`);
      check((await world.served(name)).startsWith("422 "), "the Worker knows it no more");
      disk.shell("rm full");
      check(disk.run("stop").status === 0, "the next stop writes it down");
      disk.end();
    },
  },
];

/** A session whose state lies on a small disk of its own. */
async function startOnDisk(trial: Trial, size: string) {
  const disk = await mountDisk(trial, size);
  const started = disk.run("start", "--detach", "--json");
  check(started.status === 0, `it starts on its own disk: ${started.stderr}`);
  const { session_name: name } = JSON.parse(started.stdout) as { session_name: string };
  return { disk, name };
}

/** A toggle while the state cannot be written, and one when it can again. */
async function toggleOnDisk(
  trial: Trial,
  size: string,
  { fault, repair }: { fault: string; repair: string },
) {
  const { disk, name } = await startOnDisk(trial, size);
  disk.shell(fault);
  const refused = disk.run("route", "local", "web");
  check(refused.status === 1, `the toggle says that it failed: ${refused.status}`);
  trial.sees(refused.stderr.split("\n", 1)[0]!);
  check((await trial.world.served(name)) === "remote web", "the session goes on");
  disk.shell(repair);
  check(disk.run("route", "local", "web").status === 0, "the next toggle works");
  await trial.untilServed(name);
  disk.end();
}

function watchingWindow({ world }: Trial): Manager {
  const { home, dist, env } = world;
  const user = { id: "window", keep: false };
  const window = new Manager({
    home,
    dist,
    version: "0.0.0",
    env,
    user,
    token: async () => TOKEN,
    log: () => {},
  });
  window.watch();
  return window;
}

/** Puts the home on a small disk of its own, in a mount namespace: commands are run in there. */
async function mountDisk({ world }: Trial, size: string) {
  mkdirSync(world.home, { mode: 0o700 });
  const holder = spawn(
    "unshare",
    [
      "--mount",
      "sh",
      "-c",
      `mount -t tmpfs -o size=${size},mode=700 tmpfs "$LINKUP_HOME" && echo mounted && exec sleep 600`,
    ],
    {
      env: world.env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await Promise.race([
    once(holder.stdout!, "data"),
    once(holder, "exit").then(() => Promise.reject(new Error("needs root, for a mount namespace"))),
  ]);
  const inside = (command: string[]) => {
    const entered = ["--target", String(holder.pid), "--mount", `--wdns=${world.home}`, ...command];
    return spawnSync("nsenter", entered, { env: world.env, encoding: "utf8" });
  };
  return {
    run: (...args: string[]) =>
      inside([
        process.execPath,
        join(world.dist, "cli.js"),
        ...args,
        ...(args[0] === "status" ? [] : ["--config", world.configPath]),
      ]),
    shell: (script: string) => {
      const { status, stderr } = inside(["sh", "-c", script]);
      check(status === 0, `${script}: ${stderr}`);
    },
    /** Stops what runs in there; the disk goes with its last process. */
    end: () => {
      const { status, stderr } = inside([process.execPath, join(world.dist, "cli.js"), "stop", "--all"]);
      check(status === 0, `stop in there: ${stderr}`);
      holder.kill("SIGKILL");
    },
  };
}
