import { spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controlAddress } from "../../node/control-address.ts";
import { startOf } from "../../node/process-identity.ts";
import { until } from "../integration/manager/world.ts";
import { Victim } from "./victim.ts";

/** Somebody else on this machine. Only root can give files away. */
const NEIGHBOUR = 65534;
const asRoot = process.getuid?.() === 0;

let victim: Victim;
beforeEach(async () => {
  victim = await Victim.create();
  victim.config();
});
afterEach(() => victim[Symbol.asyncDispose]());

describe.skipIf(!asRoot)("a neighbour on the machine", () => {
  let shared: string;
  let address: string;
  let listener: Server;
  let heard: string[];

  /** The victim's home has a long path, so that its socket is below the shared temporary directory. */
  beforeEach(async () => {
    shared = join(victim.home, "tmp");
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    victim.env.TMPDIR = shared;
    victim.env.LINKUP_HOME = join(victim.home, "a".repeat(110));
    address = controlAddress(victim.env.LINKUP_HOME, {
      platform: process.platform,
      runtimeFolders: [],
      temporaryFolder: shared,
    });
    expect(dirname(dirname(address))).toBe(shared);
    heard = [];
    listener = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        heard.push(`${request.method} ${request.url} ${body}`);
        response.end(
          JSON.stringify({
            version: "99.0.0",
            pid: process.pid,
            started: 1,
            browser_port: 1,
            tunnel_port: 1,
          }),
        );
      });
    });
  });
  afterEach(() => {
    listener.closeAllConnections();
    listener.close();
  });

  test("an attacker who creates the socket in /tmp first receives nothing", async () => {
    mkdirSync(dirname(address), { mode: 0o755 });
    await new Promise<void>((listening) => listener.listen(address, listening));
    chmodSync(address, 0o666);
    for (const path of [dirname(address), address]) chownSync(path, NEIGHBOUR, NEIGHBOUR);
    const { code, stderr } = await victim.linkup("start", "--isolated", "--detach");
    expect(code).not.toBe(0);
    expect(stderr).toContain("belongs to another user");
    expect((await victim.linkup("health", "--json")).stdout).toContain("belongs to another user");
    expect(heard).toEqual([]);
    // What stands there is not the victim's to remove.
    expect(existsSync(address)).toBe(true);
    listener.closeAllConnections();
    chownSync(dirname(address), 0, 0);
    chownSync(address, 0, 0);
  });

  test("a socket in /tmp of another user does not affect a user with a runtime folder", async () => {
    mkdirSync(dirname(address), { mode: 0o755 });
    for (const path of [dirname(address)]) chownSync(path, NEIGHBOUR, NEIGHBOUR);
    const runtime = join(victim.home, "run");
    mkdirSync(runtime, { mode: 0o700 });
    victim.env.XDG_RUNTIME_DIR = runtime;
    const { code, stderr } = await victim.linkup("start", "--isolated", "--detach");
    expect(code, stderr).toBe(0);
    const { stdout } = await victim.linkup("health", "--json");
    expect(stdout).not.toContain("belongs to another user");
    expect(lstatSync(join(runtime)).mode & 0o777).toBe(0o700);
  });
});

describe("a stopped process that holds state.lock", () => {
  test("is named by route and stop, which do not wait for ever", async () => {
    expect((await victim.linkup("start", "--isolated", "--detach")).code).toBe(0);
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      const started = await until("the holder", async () => await startOf(holder.pid!));
      const lock = join(victim.linkupHome, "state.lock");
      // The keeper holds it for a moment, again and again.
      await until("the lock", () => {
        try {
          writeFileSync(lock, JSON.stringify({ pid: holder.pid, started }), { flag: "wx" });
          return true;
        } catch {
          return false;
        }
      });
      holder.kill("SIGSTOP");
      for (const command of [["route", "local", "web"], ["stop"]]) {
        const { code, stderr, ms } = await victim.linkup(...command);
        expect(code).not.toBe(0);
        expect(stderr).toContain(`Process ${holder.pid} holds ${lock} and is stopped`);
        expect(ms).toBeLessThan(15_000);
      }
    } finally {
      holder.kill("SIGKILL");
    }
    // Its lock is taken over.
    expect((await victim.linkup("stop")).code).toBe(0);
    expect(existsSync(join(victim.linkupHome, "state.lock"))).toBe(false);
  });
});

describe("a broken file of the state folder", () => {
  test("an invalid URL in state.json is set aside and reported", async () => {
    expect((await victim.linkup("start", "--isolated", "--detach")).code).toBe(0);
    await victim.linkup("stop");
    const file = join(victim.linkupHome, "state.json");
    const state = readFileSync(file, "utf8");
    writeFileSync(file, state.replaceAll("http://127.0.0.1:9", "http://["));
    const { code, stdout, stderr } = await victim.linkup("health");
    expect(code, stderr).toBeLessThan(2);
    expect(stdout).toContain("could not be read");
    expect(stdout + stderr).not.toMatch(/unexpected|TypeError|Invalid URL/i);
    expect((await victim.linkup("start", "--isolated", "--detach")).code).toBe(0);
  });

  test("a garbage CA file is reported by health, without a stack trace", async () => {
    victim.put("linkup-home/certificates/authority.crt.pem", "garbage");
    const { code, stdout, stderr } = await victim.linkup("health");
    expect(code, stderr).toBeLessThan(2);
    expect(stdout).toContain("The certificate authority could not be read. It is kept as");
    expect(stdout + stderr).not.toMatch(/unexpected|TypeError|\bat .*:\d+:\d+/i);
    expect((await victim.linkup("local-dns", "status")).code).toBe(0);
  });
});
