/** Deploying, watching and removing the Worker, against a stand-in of Cloudflare's API that keeps state. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type InfraOptions,
  isDone,
  type Proposal,
  proposeDeploy,
  proposeDestroy,
} from "../../../infra/deployment.ts";
import { CloudflareAccount } from "./cloudflare-account.ts";

const root = resolve(import.meta.dirname, "../../..");
const WORKER_TOKEN = "w".repeat(43);

let account: CloudflareAccount;
let options: InfraOptions;

beforeAll(async () => {
  const build = spawn(process.execPath, [join(root, "esbuild.mjs"), "worker"], {
    cwd: root,
    stdio: "inherit",
  });
  expect(await once(build, "exit")).toEqual([0, null]);
});
beforeEach(newAccount);
async function newAccount(): Promise<void> {
  account = new CloudflareAccount();
  await account.start();
  account.addZone("example.com");
  account.addZone("other.dev");
  options = {
    root,
    version: "1.2.3",
    env: { CLOUDFLARE_API_TOKEN: account.grant("deploy-token"), CLOUDFLARE_API_BASE_URL: account.baseUrl },
    zones: ["example.com", "other.dev"],
  };
}
afterEach(() => account.stop());

const apply = (proposal: Proposal, workerToken: string | undefined = WORKER_TOKEN) =>
  proposal.apply({ workerToken, progress: () => {} });
const deploy = async (more: Partial<InfraOptions> = {}) =>
  apply(await proposeDeploy({ ...options, ...more }));
const lines = ({ plan }: Proposal) =>
  plan.resources.map(({ change, kind, name }) => `${change} ${kind} ${name}`);
/** A script that somebody else has deployed. */
const foreignScript = () => ({
  metadata: { main_module: "a.js", bindings: [], compatibility_date: "2024-01-01" },
  modules: [],
  bindings: [],
  migrationTag: undefined,
  schedules: [],
  subdomain: true,
});
const writes = () => account.calls.filter((call) => !call.startsWith("GET "));
/** The account without what differs from one run to the next. */
const comparable = () =>
  account
    .snapshot()
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
    .replaceAll(/"(value|text)":"[0-9a-f]{32}"/g, '"$1":"SECRET"');

describe("from nothing", () => {
  test("the plan names every resource, and changes nothing", async () => {
    const proposal = await proposeDeploy(options);
    expect(lines(proposal)).toEqual([
      "create API token linkup:linkup tunnels",
      "create script linkup",
      "create schedule 0 * * * *",
      "change workers.dev off",
      "create DNS record *.example.com",
      "create DNS record example.com",
      "create route *.example.com/*",
      "create route example.com/*",
      "create DNS record *.other.dev",
      "create DNS record other.dev",
      "create route *.other.dev/*",
      "create route other.dev/*",
      'create cache rule example.com: (starts_with(http.host, "linkup-tunnel-example-com-"))',
    ]);
    expect(proposal.needsWorkerToken).toBe(true);
    expect(writes()).toEqual([]);
  });

  test("the deployment makes them, and a second one does nothing", async () => {
    const progress: string[] = [];
    const proposal = await proposeDeploy(options);
    await proposal.apply({
      workerToken: WORKER_TOKEN,
      progress: ({ kind, name }, state) => progress.push(`${state} ${kind} ${name}`),
    });
    expect(progress).toHaveLength(2 * 13);
    const script = account.scripts.get("linkup")!;
    expect(script.subdomain).toBe(false);
    expect(script.schedules).toEqual([{ cron: "0 * * * *" }]);
    expect(script.metadata.migrations).toEqual({
      new_tag: "v1",
      steps: [{ new_sqlite_classes: ["SessionObject", "DirectoryObject"] }],
    });
    const [tunnelToken] = account.tokens;
    expect(
      Object.fromEntries(script.bindings.map(({ name, text, class_name }) => [name, text ?? class_name])),
    ).toEqual({
      CLOUDFLARE_ACCOUNT_ID: account.id,
      CLOUDFLARE_TUNNEL_ZONE_ID: account.zones[0]!.id,
      TUNNEL_NAME_PREFIX: "linkup-tunnel-example-com-",
      WORKER_TOKEN,
      CLOUDFLARE_API_TOKEN: tunnelToken!.value,
      SESSIONS: "SessionObject",
      DIRECTORY: "DirectoryObject",
    });
    expect(tunnelToken!.policies).toEqual([
      expect.objectContaining({ permission_groups: [{ id: "group-Cloudflare Tunnel Write" }] }),
      expect.objectContaining({
        permission_groups: [{ id: "group-DNS Write" }],
        resources: { [`com.cloudflare.api.account.zone.${account.zones[0]!.id}`]: "*" },
      }),
    ]);
    expect(account.zones[1]!.records).toEqual([
      expect.objectContaining({ name: "*.other.dev", type: "AAAA", content: "100::", proxied: true }),
      expect.objectContaining({ name: "other.dev", type: "AAAA", content: "100::", proxied: true }),
    ]);
    expect(account.zones[0]!.ruleset!.rules).toEqual([
      expect.objectContaining({ action: "set_cache_settings", action_parameters: { cache: false } }),
    ]);

    account.calls.length = 0;
    const again = await proposeDeploy(options);
    expect(again.plan.resources.filter(({ change }) => change !== "keep")).toEqual([]);
    expect(isDone(again.plan)).toBe(true);
    expect(again.needsWorkerToken).toBe(false);
    await apply(again, undefined);
    expect(writes()).toEqual([]);
  });

  test("no secret stands in a plan", async () => {
    await deploy();
    const plans = [(await proposeDeploy(options)).plan, (await proposeDestroy(options)).plan];
    expect(JSON.stringify(plans)).not.toContain(WORKER_TOKEN);
    expect(JSON.stringify(plans)).not.toContain(account.tokens[0]!.value);
  });

  test("a worker token that is short is refused before anything is changed", async () => {
    const proposal = await proposeDeploy(options);
    await expect(apply(proposal, "short")).rejects.toThrow("at least 32 characters");
    expect(writes()).toEqual([]);
  });

  test("a zone among 60, and a record among 150, is found", async () => {
    for (let n = 0; n < 60; n++) account.addZone(`zone${n}.test`);
    const zone = account.addZone("last.test");
    for (let n = 0; n < 150; n++)
      zone.records.push({
        id: `r${n}`,
        type: "A",
        name: `host${n}.last.test`,
        content: "192.0.2.1",
        proxied: false,
      });
    zone.records.push({ id: "apex", type: "A", name: "last.test", content: "192.0.2.1", proxied: true });
    const proposal = await proposeDeploy({ ...options, zones: ["last.test"] });
    expect(lines(proposal)).toContain("keep DNS record last.test");
    expect(proposal.plan.warnings.join()).toContain("last.test");
  });
});

describe("an update", () => {
  test("keeps variables and secrets that somebody set by hand", async () => {
    await deploy();
    const script = account.scripts.get("linkup")!;
    script.bindings.push({ type: "plain_text", name: "LINKUP_API_RATE", text: "50" });
    script.bindings.push({ type: "secret_text", name: "MY_SECRET", text: "mine" });
    script.bindings.find(({ name }) => name === "TUNNEL_NAME_PREFIX")!.text = "by-hand-";
    const before = JSON.stringify(script.bindings.toSorted((a, b) => a.name.localeCompare(b.name)));
    const proposal = await proposeDeploy({ ...options, version: "1.3.0" });
    expect(proposal.plan.resources.find(({ kind }) => kind === "script")).toMatchObject({
      change: "change",
      why: "version 1.2.3 → 1.3.0",
    });
    expect(proposal.needsWorkerToken).toBe(false);
    await apply(proposal, undefined);
    const after = account.scripts.get("linkup")!;
    expect(JSON.stringify(after.bindings.toSorted((a, b) => a.name.localeCompare(b.name)))).toBe(before);
    expect(after.metadata.migrations).toBeUndefined();
    expect(after.metadata.tags).toContain("linkup-version=1.3.0");
  });

  test("of a script whose migrations are behind sends only the missing ones", async () => {
    await deploy();
    account.scripts.get("linkup")!.migrationTag = undefined;
    await deploy();
    expect(account.scripts.get("linkup")!.migrationTag).toBe("v1");
  });

  test("to an older version is refused unless it is allowed", async () => {
    await deploy({ version: "2.0.0" });
    const proposal = await proposeDeploy(options);
    expect(proposal.plan.resources.find(({ kind }) => kind === "script")).toMatchObject({
      change: "conflict",
      why: expect.stringContaining("version 2.0.0 is deployed, newer than this one (1.2.3)"),
    });
    await deploy({ allowOlder: true });
    expect(account.scripts.get("linkup")!.metadata.tags).toContain("linkup-version=1.2.3");
  });

  test("repairs what drifted", async () => {
    await deploy();
    const zone = account.zones[0]!;
    zone.records.shift();
    zone.records[0]!.proxied = false;
    zone.routes.pop();
    zone.ruleset!.rules[0]!.enabled = false;
    account.scripts.get("linkup")!.schedules = [];
    account.scripts.get("linkup")!.subdomain = true;
    const proposal = await proposeDeploy(options);
    expect(lines(proposal).filter((line) => !line.startsWith("keep"))).toEqual([
      "create schedule 0 * * * *",
      "change workers.dev off",
      "create DNS record *.example.com",
      "change DNS record example.com",
      "create route example.com/*",
      'change cache rule example.com: (starts_with(http.host, "linkup-tunnel-example-com-"))',
    ]);
    await apply(proposal, undefined);
    expect(isDone((await proposeDeploy(options)).plan)).toBe(true);
  });
});

describe("each call that fails once", () => {
  test.each([false, true])(
    "done at Cloudflare all the same: %s. A repeat converges, and nothing is doubled",
    async (after) => {
      await deploy();
      const wanted = comparable();
      const calls = writes();
      expect(calls.length).toBeGreaterThan(12);
      for (const [write, call] of calls.entries()) {
        await account.stop();
        await newAccount();
        account.failure = { write, after };
        await expect(deploy()).rejects.toThrow("The same command again goes on with:");
        await deploy();
        expect(isDone((await proposeDeploy(options)).plan), call).toBe(true);
        expect(comparable().length, call).toBe(wanted.length);
      }
    },
  );
});

describe("what is not ours", () => {
  test("is named as a conflict and left as it is", async () => {
    const zone = account.zones[0]!;
    zone.records.push({ id: "r1", type: "A", name: "example.com", content: "192.0.2.1", proxied: false });
    zone.routes.push({ id: "x", pattern: "*.example.com/*", script: "shop" });
    const before = JSON.stringify([zone.records[0], zone.routes[0]]);
    const proposal = await proposeDeploy(options);
    expect(
      proposal.plan.resources
        .filter(({ change }) => change === "conflict")
        .map(({ name, why }) => `${name}: ${why}`),
    ).toEqual([
      "example.com: A 192.0.2.1 is not proxied, so requests would pass the Worker by; Linkup does not change records of others",
      "*.example.com/*: it leads to the Worker shop",
    ]);
    await apply(proposal);
    expect(JSON.stringify([zone.records[0], zone.routes[0]])).toBe(before);
  });

  test("a script of this name that is another's ends the plan", async () => {
    account.scripts.set("linkup", foreignScript());
    const [script] = (await proposeDeploy(options)).plan.resources;
    expect(script).toMatchObject({ kind: "script", change: "conflict" });
  });

  test("is byte for byte as before after deploy and destroy", async () => {
    const zone = account.zones[0]!;
    zone.records.push({
      id: "mail",
      type: "MX",
      name: "example.com",
      content: "mail.example.com",
      comment: "linkup",
    });
    zone.records.push({ id: "www", type: "A", name: "www.example.com", content: "192.0.2.1", proxied: true });
    zone.routes.push({ id: "img", pattern: "img.example.com/*", script: "images" });
    zone.ruleset = {
      id: "rs",
      rules: [{ id: "mine", expression: "true", action: "set_cache_settings", ref: "mine" }],
    };
    account.tunnels.push({ id: "t0", name: "linkup-admin", status: "healthy" });
    account.scripts.set("images", foreignScript());
    // A tunnel with our prefix that nobody marked, and one of a Worker whose prefix begins with ours.
    account.tunnels.push({ id: "t2", name: "linkup-tunnel-example-com-unknown", status: "healthy" });
    const theirs = { linkup: "linkup-tunnel:linkup-tunnel-example-com-staging-:abc" };
    account.tunnels.push({
      id: "t3",
      name: "linkup-tunnel-example-com-staging-fox",
      status: "healthy",
      metadata: theirs,
    });
    zone.records.push({
      id: "c3",
      type: "CNAME",
      name: "linkup-tunnel-example-com-staging-fox.example.com",
      content: "t3.cfargotunnel.com",
      comment: theirs.linkup,
    });
    const before = account.snapshot();
    await deploy();
    // Sessions that run: one tunnel has its mark in its metadata, the other one's record has it.
    const comment = "linkup-tunnel:linkup-tunnel-example-com-:xyz";
    account.tunnels.push({
      id: "t4",
      name: "linkup-tunnel-example-com-fast-fox",
      metadata: { linkup: comment },
    });
    account.tunnels.push({ id: "t1", name: "linkup-tunnel-example-com-slim-gecko", status: "healthy" });
    zone.records.push({
      id: "c1",
      type: "CNAME",
      name: "linkup-tunnel-example-com-slim-gecko.example.com",
      content: "t1.cfargotunnel.com",
      proxied: true,
      comment,
    });
    const proposal = await proposeDestroy(options);
    expect(lines(proposal)).toContain("remove tunnel linkup-tunnel-example-com-slim-gecko");
    expect(lines(proposal)).toContain("remove tunnel linkup-tunnel-example-com-fast-fox");
    expect(proposal.plan.stays).toContainEqual(
      expect.stringContaining(
        "The tunnel linkup-tunnel-example-com-unknown (healthy): it has the Worker's prefix",
      ),
    );
    expect(lines(proposal).join()).not.toContain("linkup-admin");
    await apply(proposal, undefined);
    expect(account.snapshot()).toBe(before);
    expect((await proposeDestroy(options)).plan.resources).toEqual([]);
  });

  test("a zone for tunnels alone gets the cache rule, and no route that would lead tunnels' hosts to the Worker", async () => {
    const proposal = await proposeDeploy({ ...options, zones: ["example.com"], tunnelZone: "other.dev" });
    const planned = lines(proposal).join("\n");
    expect(planned).toContain('cache rule other.dev: (starts_with(http.host, "linkup-tunnel-other-dev-"))');
    expect(planned).not.toContain("*.other.dev");
    expect(proposal.zones).toEqual(["example.com"]);
  });

  test("two deployments at once are told apart", async () => {
    const [one, other] = [await proposeDeploy(options), await proposeDeploy(options)];
    await apply(one);
    await expect(apply(other)).rejects.toThrow("Something at Cloudflare changed after the plan was made");
  });
});

describe("credentials", () => {
  test("every missing right is named at once, with where it is needed", async () => {
    options.env.CLOUDFLARE_API_TOKEN = account.grant("poor", ["zones", "scripts", "tokens", "tunnels"]);
    await expect(proposeDeploy(options)).rejects.toThrow(
      /lacks rights:\n {2}Zone · DNS · Edit: for the DNS records\n {2}Zone · Workers Routes · Edit: .*\n {2}Zone · Cache Rules · Edit: .*\nThis page makes a token/,
    );
  });

  test("a token that may not create tokens needs one for the Worker", async () => {
    options.env.CLOUDFLARE_API_TOKEN = account.grant("no-tokens", [
      "zones",
      "scripts",
      "tunnels",
      "dns",
      "routes",
      "cacheRules",
    ]);
    const [token] = (await proposeDeploy(options)).plan.resources;
    expect(token).toMatchObject({
      kind: "API token",
      change: "conflict",
      why: expect.stringContaining("CLOUDFLARE_RUNTIME_API_TOKEN"),
    });
    options.env.CLOUDFLARE_RUNTIME_API_TOKEN = "runtime-token";
    await deploy();
    expect(account.scripts.get("linkup")!.bindings).toContainEqual({
      type: "secret_text",
      name: "CLOUDFLARE_API_TOKEN",
      text: "runtime-token",
    });
  });

  test("none at all: the page that makes a token is named, with the rights filled in", async () => {
    delete options.env.CLOUDFLARE_API_TOKEN;
    await expect(proposeDeploy(options)).rejects.toThrow(
      "https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys=",
    );
  });

  test("refused ones, an unknown zone and another account are told", async () => {
    options.env.CLOUDFLARE_API_TOKEN = "wrong";
    await expect(proposeDeploy(options)).rejects.toThrow("it refused the credentials");
    options.env.CLOUDFLARE_API_TOKEN = "deploy-token";
    await expect(proposeDeploy({ ...options, zones: ["nowhere.test"] })).rejects.toThrow(
      'The token sees no zone "nowhere.test". It sees: example.com, other.dev.',
    );
    options.env.CLOUDFLARE_ACCOUNT_ID = "f".repeat(32);
    await expect(proposeDeploy(options)).rejects.toThrow("CLOUDFLARE_ACCOUNT_ID names");
  });
});

test("the real wrangler uploads the same script", async () => {
  await deploy();
  const ours = account.scripts.get("linkup")!;
  account.scripts.clear();
  account.zones[0]!.routes.length = 0;
  const folder = mkdtempSync(join(tmpdir(), "linkup-wrangler-"));
  try {
    writeFileSync(join(folder, "secrets.json"), JSON.stringify({ WORKER_TOKEN }));
    const child = spawn(
      process.execPath,
      [
        join(root, "node_modules/wrangler/bin/wrangler.js"),
        ...["deploy", "--config", "worker/wrangler.jsonc", "--secrets-file", join(folder, "secrets.json")],
        ...["--routes", "*.example.com/*", "--routes", "example.com/*"],
      ],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          CI: "1",
          WRANGLER_SEND_METRICS: "false",
          CLOUDFLARE_API_TOKEN: "deploy-token",
          CLOUDFLARE_ACCOUNT_ID: account.id,
          CLOUDFLARE_API_BASE_URL: account.baseUrl,
        },
      },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    expect((await once(child, "exit"))[0], said).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const theirs = account.scripts.get("linkup")!;
  const objects = (script: typeof ours) =>
    script.bindings
      .filter(({ type }) => type === "durable_object_namespace")
      .map(({ name, class_name }) => `${name} ${class_name}`)
      .sort();
  expect(theirs.modules).toEqual(ours.modules);
  expect(objects(theirs)).toEqual(objects(ours));
  expect(theirs.metadata.compatibility_date).toBe(ours.metadata.compatibility_date);
  expect(theirs.metadata.migrations).toEqual(ours.metadata.migrations);
  expect(theirs.schedules).toEqual(ours.schedules);
  expect(theirs.subdomain).toBe(ours.subdomain);
  expect(account.zones[0]!.routes.map(({ pattern }) => pattern).sort()).toEqual([
    "*.example.com/*",
    "example.com/*",
  ]);
});
