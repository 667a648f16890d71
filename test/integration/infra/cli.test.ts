/** `linkup infra` as the built command, against the stand-in of Cloudflare's API. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dist } from "../../support/bundles.ts";
import { CloudflareAccount } from "./cloudflare-account.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "linkup-infra-cli-"));
const account = new CloudflareAccount();
const TOKEN = "t".repeat(44);

beforeAll(async () => {
  // As the package has them.
  mkdirSync(join(folder, "worker"));
  cpSync(await dist(), join(folder, "dist"), { recursive: true });
  cpSync(join(root, "worker", "wrangler.jsonc"), join(folder, "worker", "wrangler.jsonc"));
  await account.start();
  account.addZone("example.com");
  account.grant("deploy-token");
});
afterAll(async () => {
  await account.stop();
  rmSync(folder, { recursive: true });
});

async function linkup(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(folder, "dist", "cli.js"), "infra", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LINKUP_HOME: join(folder, "home"),
      CLOUDFLARE_API_TOKEN: "deploy-token",
      CLOUDFLARE_API_BASE_URL: account.baseUrl,
      ...env,
    },
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (data) => (said[stream] += data));
  const [code] = await once(child, "close");
  return { code, ...said };
}

test("from a plan to a Worker and back, in a script", async () => {
  const plan = await linkup(["plan", "--zone", "example.com"]);
  expect(plan.code, plan.stderr).toBe(0);
  expect(plan.stdout).toContain("Worker linkup in the account Example Inc");
  expect(plan.stdout).toMatch(/create +route +\*\.example\.com\/\* +to linkup/);

  const unasked = await linkup(["deploy", "--zone", "example.com"], { LINKUP_WORKER_TOKEN: TOKEN });
  expect(unasked.stderr).toContain("--yes");
  const tokenless = await linkup(["deploy", "--zone", "example.com", "--yes"]);
  expect(tokenless.code).toBe(2);
  expect(tokenless.stderr).toContain("set LINKUP_WORKER_TOKEN");
  expect(account.scripts.size).toBe(0);

  const deployed = await linkup(["deploy", "--zone", "example.com", "--yes"], { LINKUP_WORKER_TOKEN: TOKEN });
  expect(deployed.code, deployed.stderr).toBe(0);
  expect(deployed.stdout).toContain("worker_url: https://linkup.example.com");
  expect(deployed.stdout + deployed.stderr).not.toContain(TOKEN);
  expect(account.scripts.get("linkup")!.bindings).toContainEqual({
    type: "secret_text",
    name: "WORKER_TOKEN",
    text: TOKEN,
  });

  const again = await linkup(["deploy", "--zone", "example.com", "--json"]);
  expect(again.code, again.stderr).toBe(0);
  expect(new Set(JSON.parse(again.stdout).resources.map(({ change }: { change: string }) => change))).toEqual(
    new Set(["keep"]),
  );

  const destroyed = await linkup(["destroy", "--zone-ids", account.zones[0]!.id, "--yes"]);
  expect(destroyed.code, destroyed.stderr).toBe(0);
  expect(account.scripts.size).toBe(0);
  expect(account.zones[0]!.records).toEqual([]);
  expect(account.tokens).toEqual([]);
});

test("without credentials the page that makes a token is named", async () => {
  const { code, stderr } = await linkup(["plan", "--zone", "example.com"], { CLOUDFLARE_API_TOKEN: "" });
  expect(code).toBe(1);
  expect(stderr).toContain("Account · Workers Scripts · Edit: for the Worker's script");
  expect(stderr).toContain("https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys=");
  expect(stderr).not.toMatch(/InfraError|\n +at /);
  const json = await linkup(["plan", "--zone", "example.com", "--json"], { CLOUDFLARE_API_TOKEN: "" });
  expect(JSON.parse(json.stderr)).toEqual({
    problem: expect.objectContaining({ code: "credentials-missing" }),
  });
});

test("the original's spelling of credentials is understood", async () => {
  const { stderr } = await linkup(
    ["plan", "--zone", "example.com", "--email", "a@example.com", "--api-key", "k"],
    { CLOUDFLARE_API_TOKEN: "" },
  );
  expect(stderr).toContain("refused the credentials");
});
