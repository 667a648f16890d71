/** Closed output, closed terminals and invalid command lines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until, World } from "../manager/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

const state = async () => {
  const { sessions } = await world.json<{ sessions: { state: string }[] }>("status");
  return sessions.map(({ state }) => state);
};

describe("closed output", () => {
  /** Runs `linkup` with a reader of its output that leaves at once. */
  async function unread(...args: string[]) {
    const { child, output } = world.spawnLinkup(...args);
    child.stdout.destroy();
    await once(child, "exit");
    return { code: child.exitCode, stderr: output.stderr };
  }

  test.each([
    ["status", "--json"],
    ["completion", "bash"],
    ["sessions", "list"],
  ])("does not make %s %s fail", async (...args) => {
    expect(await unread(...args)).toEqual({ code: 0, stderr: "" });
  });

  test("ends commands that only print", async () => {
    await world.json("start", "--detach");
    expect(await unread("status", "--watch", "--json")).toEqual({ code: 0, stderr: "" });
    expect(await unread("logs", "--follow")).toEqual({ code: 0, stderr: "" });
    expect(await unread("requests", "--follow")).toEqual({ code: 0, stderr: "" });
  });

  test.runIf(process.platform === "linux").each(["logs --follow", "requests --follow"])(
    "ends %s | head at once, on Linux",
    async (command) => {
      await world.json("start", "--detach");
      const shell = spawn(
        "sh",
        ["-c", `"$0" "$1" ${command} | head -n 1`, process.execPath, join(world.dist, "cli.js")],
        {
          cwd: world.folder,
          env: world.env,
          stdio: ["ignore", "ignore", "inherit"],
        },
      );
      expect(await once(shell, "exit")).toEqual([0, null]);
    },
  );

  test("does not end a session", async () => {
    const { child } = world.spawnLinkup("start", "--foreground");
    child.stdout.destroy();
    child.stderr.destroy();
    await until("the session", async () => (await state())[0] === "running");
    expect(child.exitCode).toBe(null);
    child.kill("SIGINT");
    await once(child, "exit");
    expect(child.exitCode).toBe(0);
    expect([...world.processes().values()]).toEqual([]);
  });
});

// The terminal is one of `script`, whose end closes it.
test.runIf(existsSync("/usr/bin/script"))(
  "a terminal that closes while a session starts leaves nothing behind",
  async () => {
    // A Worker that never answers keeps the start going.
    await world.stopWorker();
    const silent = spawn(
      process.execPath,
      ["-e", `require("node:http").createServer(() => {}).listen(${world.workerPort}, "127.0.0.1")`],
      { stdio: "ignore" },
    );
    const log = join(world.folder, "typescript");
    const terminal = spawn(
      "/usr/bin/script",
      ["-q", "-f", "-c", `"${process.execPath}" "${join(world.dist, "cli.js")}" start`, log],
      { cwd: world.folder, env: world.env, stdio: ["pipe", "pipe", "ignore"] },
    );
    try {
      await until("the start", async () => (await state()).length > 0);
      terminal.kill("SIGKILL");
      await until("the end of all", () => world.processes().size === 0, 20_000);
      expect(await state()).toEqual([]);
    } finally {
      terminal.kill("SIGKILL");
      silent.kill("SIGKILL");
      rmSync(log, { force: true });
    }
  },
);

describe("a foreground session whose Worker is unreachable", () => {
  test("is printed once it runs, and ends when another command stops it", async () => {
    await world.stopWorker();
    const { child, output } = world.spawnLinkup("start", "--foreground", "--json");
    await until("the failure", () => output.stderr.includes("Retrying"));
    expect(output.stdout).toBe("");
    await world.startWorker();
    await until("the session", () => output.stdout.endsWith("\n"), 60_000);
    expect(JSON.parse(output.stdout)).toMatchObject({ kind: "tunneled", services: [{}, {}] });
    await world.json("sessions", "create-preview", "beside", "web=http://127.0.0.1:1");
    await world.linkup("stop");
    await until("its end", () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
  });

  test("ends when it is stopped before it runs", async () => {
    await world.stopWorker();
    const { child, output } = world.spawnLinkup("start", "--foreground");
    await until("the failure", () => output.stderr.includes("Retrying"));
    await world.linkup("stop");
    await until("its end", () => child.exitCode !== null);
    expect([...world.processes().values()]).toEqual([]);
  });
});

describe("failures for programs", () => {
  test.each([
    [["nonsense"], 2, "usage"],
    [["status", "--nonsense"], 2, "usage"],
    [["route"], 2, "usage"],
    [["route", "side ways", "web"], 2, "usage"],
    [["route", "", "web"], 2, "usage"],
    [["explain", "nowhere"], 2, "usage"],
    [["explain", "http://shop.localhost/", "-X", "bad method"], 2, "usage"],
    [["explain", "http://shop.localhost/", "-H", "bad name: x"], 2, "usage"],
    [["sessions", "create-preview", "pr-1", "web=https://a.test", "web=https://b.test"], 2, "usage"],
    [["uninstall"], 2, "usage"],
    [["requests", "1", "--curl"], 2, "usage"],
    [["local-dns", "install"], 1, "local-dns-needless"],
  ])("%j ends with %d and the code %s", async (args, code, problemCode) => {
    const { stdout, stderr, code: ended } = await world.linkup(...args, "--json");
    expect({ stdout, ended }).toEqual({ stdout: "", ended: code });
    const { problem } = JSON.parse(stderr);
    expect(problem).toEqual({
      code: problemCode,
      title: expect.stringMatching(/\S/),
      message: expect.not.stringMatching(/^error/i),
      actions: [],
    });
  });

  test("an unknown request ID is reported with a sentence", async () => {
    await world.json("start", "--detach");
    expect(await world.linkup("requests", "999")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^No such request: There is no request 999[^\n]*\n$/),
    });
  });
});
