import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asText } from "../../manager/components/system/step.ts";
import { Victim } from "./victim.ts";

let victim: Victim;
beforeEach(async () => {
  victim = await Victim.create();
});
afterEach(() => victim[Symbol.asyncDispose]());

describe("a cloned repository", () => {
  test.each(["com", "co.uk", "github.io", "internal"])(
    "a domain that makes local DNS vouch for everybody's sites: %s",
    async (domain) => {
      victim.config({ domain });
      const { code, stdout, stderr } = await victim.linkup("local-dns", "install", "--dry-run");
      expect(code, stdout).not.toBe(0);
      expect(stderr).toMatch(/public suffix|single label/);
      expect(existsSync(join(victim.linkupHome, "certificates"))).toBe(false);
    },
  );

  test.each([
    "x.example.com'; touch pwned; '",
    "$(touch pwned).example.com",
    "a.example.com\n[Service]\nExecStart=/bin/sh",
    "../../../../etc/cron.d/x.example.com",
  ])("a domain that is a part of a command or a path: %j", async (domain) => {
    victim.config({ domain: JSON.stringify(domain) });
    const { code, stderr } = await victim.linkup("local-dns", "install", "--dry-run");
    expect(code).not.toBe(0);
    expect(stderr).toContain("host name");
  });

  test.skipIf(process.platform === "win32")(
    "a folder's name that a shell would run, in the commands that are shown",
    async () => {
      victim.env.LINKUP_HOME = join(victim.home, "a$(touch pwned)`touch pwned`;touch pwned;'&");
      victim.config({ domain: "shop.example.com" });
      const { code, stdout, stderr } = await victim.linkup("local-dns", "install", "--dry-run", "--json");
      expect(code, stderr).toBe(0);
      const { commands } = JSON.parse(stdout) as { commands: string[] };
      expect(commands.join("\n")).toContain("touch pwned");
      // Every program of theirs does nothing: what happens is the shell's doing.
      const bin = join(victim.home, "bin");
      mkdirSync(bin);
      for (const program of new Set(commands.map((line) => line.split(" ")[0]!)))
        writeFileSync(join(bin, program), "#!/bin/sh\n", { mode: 0o755 });
      execFileSync("/bin/sh", ["-c", commands.join("\n")], {
        cwd: victim.clone,
        env: { PATH: `${bin}:${process.env.PATH}` },
      });
      expect(readdirSync(victim.clone)).not.toContain("pwned");
    },
  );

  test("a folder's name that PowerShell would run, in the commands that are shown", () => {
    const command = { argv: ["certutil", "-addstore", "C:\\a$(calc)`b';calc;'"], admin: false };
    expect(asText(command, { platform: "win32", root: false })).toBe(
      "certutil -addstore 'C:\\a$(calc)`b'';calc;'''",
    );
  });
});
