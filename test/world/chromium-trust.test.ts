/** A real Chromium in a fresh home: nothing is created for it, and it trusts what an installation has written. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  certificateInfo,
  createAuthority,
  issueLeaf,
} from "../../core/certificates/certificate-authority.ts";
import { planTrust } from "../../manager/components/certificates/trust.ts";
import { inspectMachine, type Machine } from "../../manager/components/system/machine.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../support/chromium.ts";

const CERTUTIL = ["/usr/bin/certutil", "/usr/local/bin/certutil"].some(existsSync);
const LIMIT_MS = 30_000;

let home: string;
let server: Server;
let env: NodeJS.ProcessEnv;
let authority: Awaited<ReturnType<typeof createAuthority>>;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "linkup-chromium-"));
  env = { PATH: process.env.PATH, HOME: home };
  authority = await createAuthority(["example.com"], Date.now());
  const leaf = await issueLeaf(authority, "example.com", Date.now());
  server = createServer({ cert: leaf.certificate, key: leaf.key }, (_, response) =>
    response.end("<p>served</p>"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(home, { recursive: true, force: true });
});

/** True when Chromium shows the page, and no error of the certificate. */
async function trusts(): Promise<boolean> {
  const { port } = server.address() as AddressInfo;
  const child = spawn(
    CHROMIUM,
    [
      "--headless",
      ...CHROMIUM_FLAGS,
      "--host-resolver-rules=MAP *.example.com 127.0.0.1",
      ...["--dump-dom", `https://slim-gecko.example.com:${port}/`],
    ],
    { env, stdio: ["ignore", "pipe", "ignore"] },
  );
  let page = "";
  child.stdout.on("data", (chunk) => {
    page += chunk;
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  await once(child, "close");
  clearTimeout(limit);
  return page.includes("served");
}

/** What the plan says for this user alone. Returns the databases that were written. */
async function install(): Promise<string[]> {
  const file = join(home, "authority.pem");
  writeFileSync(file, authority.certificate);
  const machine: Machine = { ...inspectMachine(env), trust: [] };
  const info = await certificateInfo(authority.certificate);
  for (const { commands } of planTrust(machine, file, info))
    for (const { argv } of commands) execFileSync(argv[0]!, argv.slice(1), { env, stdio: "pipe" });
  return [...machine.nss, ...(machine.newNss ? [machine.newNss] : [])];
}

describe.skipIf(process.platform !== "linux" || !existsSync(CHROMIUM) || !CERTUTIL)("Chromium", () => {
  test("that was used before the installation", async () => {
    expect(await trusts()).toBe(false);
    expect(await install()).toEqual([join(home, ".local/share/pki/nssdb")]);
    expect(await trusts()).toBe(true);
  });

  test("that was never used before the installation", async () => {
    await install();
    expect(await trusts()).toBe(true);
  });

  test("with a data folder of the user's own", async () => {
    env.XDG_DATA_HOME = join(home, "data");
    expect(await trusts()).toBe(false);
    expect(await install()).toEqual([join(home, "data/pki/nssdb")]);
    expect(await trusts()).toBe(true);
  });

  test("of an older home, which stays with the database that it has", async () => {
    const old = join(home, ".pki/nssdb");
    execFileSync("mkdir", ["-p", old]);
    execFileSync("certutil", ["-N", "-d", `sql:${old}`, "--empty-password"]);
    expect(await trusts()).toBe(false);
    expect(await install()).toContain(old);
    expect(await trusts()).toBe(true);
  });
});
