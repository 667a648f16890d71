/** Sessions through Cloudflare with our Worker as it is deployed: cloudflared, the edge, and Cloudflare's API with state. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { Store } from "../../../manager/store/store.ts";
import type { Edge } from "../cloudflared/edge.ts";
import type { CloudflareFake } from "../worker/cloudflare-fake.ts";
import { until, World } from "./world.ts";

let world: World;
let edge: Edge;
let cloudflare: CloudflareFake;
beforeEach(async () => {
  world = await World.create("deployed");
  edge = world.edge!;
  cloudflare = world.internet!.cloudflare;
});
afterEach(() => world[Symbol.asyncDispose]());

async function start(...more: string[]): Promise<string> {
  return (await world.json<{ session_name: string }>("start", "--detach", ...more)).session_name;
}
const status = () => world.json<Snapshot>("status");
const tunnel = async () => (await status()).components.find(({ id }) => id === "tunnel");
/** A session whose services run here. */
async function startLocal(): Promise<string> {
  const name = await start();
  await world.linkup("route", "local", "--all");
  await until("the local copy", async () => (await world.served(name)) === "local web");
  await until("readiness", async () => (await tunnel())?.state === "ready");
  return name;
}

test("requests come from the Worker to the local copies, and the same tunnel serves the next start", async () => {
  const name = await start();
  expect(await world.served(name)).toBe("remote web");
  await world.linkup("route", "local", "--all");
  await until("the local copy", async () => (await world.served(name)) === "local web");
  expect(await world.served(name, "/api/x")).toBe("local api");
  const [made] = cloudflare.living;
  expect(made).toMatchObject({
    name: `linkup-${name}`,
    metadata: { linkup: cloudflare.records[0]!.comment },
  });

  await world.linkup("stop");
  expect([...world.processes().values()]).toEqual([]);
  expect(cloudflare.living).toEqual([made]);
  const asked = await world.ask(`${name}.shop.localhost`);
  expect(asked.status).toBe(422);
  expect(await start()).toBe(name);
  expect(cloudflare.living).toEqual([made]);
  expect(await world.served(name)).toBe("local web");
});

describe("what goes wrong at Cloudflare", () => {
  test("the tunnel is deleted there: the Worker makes another at once, and little is tried in vain", async () => {
    const name = await startLocal();
    const [made] = cloudflare.living;
    const before = edge.attempts;
    made!.deleted_at = new Date().toISOString();
    edge.deleteTunnel(made!.id);
    await until("the new tunnel", async () => (await world.served(name)) === "local web");
    expect(cloudflare.living.map((tunnel) => tunnel.name)).toEqual([made!.name]);
    expect(cloudflare.living[0]!.id).not.toBe(made!.id);
    expect(edge.attempts - before).toBeLessThan(20);
  });

  test("it refuses for ever: pauses grow, and an administrator learns what to check", async () => {
    await startLocal();
    edge.refusal = "Unauthorized: the account is suspended";
    edge.dropConnections();
    const refusals = async () => {
      const { sessions } = await new Store(world.home).read();
      return sessions[0]?.connector?.refusals ?? 0;
    };
    await until("a third refusal", async () => (await refusals()) >= 3);
    const { problems } = await status();
    expect(problems.map(({ code }) => code)).toContain("tunnel-refused");
    expect(problems.find(({ code }) => code === "tunnel-refused")!.message).toMatch(
      /has refused the tunnel linkup-\S+ \d times in a row\. An administrator should check/,
    );
    const { sessions } = await new Store(world.home).read();
    const { retry_at } = sessions[0]!.connector!;
    expect(retry_at! - Date.now()).toBeGreaterThan(1_000);
    edge.refusal = undefined;
    await until("readiness", async () => (await tunnel())?.state === "ready");
    expect(await refusals()).toBe(0);
  });

  test("connections drop, and come back without another process", async () => {
    const name = await startLocal();
    const pids = world.pidsOf("cloudflared");
    edge.dropConnections();
    await until("the session", async () => (await world.served(name)) === "local web");
    expect(world.pidsOf("cloudflared")).toEqual(pids);
  });

  test("other accounts' resources stay, also after a sweep", async () => {
    const old = "2026-01-01T00:00:00Z";
    const foreign = cloudflare.addTunnel("linkup-production", { created_at: old, connected: true });
    const zone = cloudflare.zone.name;
    cloudflare.addRecord(`linkup-admin.${zone}`, `${foreign.id}.cfargotunnel.com`, { created_on: old });
    cloudflare.addRecord(`linkup-gone.${zone}`, `${randomUUID()}.cfargotunnel.com`, { created_on: old });
    const before = JSON.stringify([cloudflare.living, cloudflare.records]);
    const { code, stderr } = await world.linkup("start", "--detach", "--name", "production");
    expect(code).not.toBe(0);
    expect(stderr).toContain('Cloudflare has a tunnel named "linkup-production"');
    const name = await start("--name", "fine-fox");
    await world.linkup("stop");
    await world.worker!.runScheduled();
    const theirs = (made: { name: string }) => !made.name.startsWith(`linkup-${name}`);
    expect(JSON.stringify([cloudflare.living.filter(theirs), cloudflare.records.filter(theirs)])).toBe(
      before,
    );
  });
});

describe("requests that get lost", () => {
  test("before the first one came through, the session is not running, and no process is replaced", async () => {
    await startLocal();
    await world.linkup("stop");
    edge.deaf = true;
    const starting = world.linkup("start", "--detach");
    await until("the connection", () => edge.registered.length > 1);
    const [pid] = world.pidsOf("cloudflared");
    await until("lost probes", async () => {
      const { sessions } = await new Store(world.home).read();
      return (sessions[0]?.connector?.lost ?? 0) >= 3;
    });
    const { sessions, components } = await status();
    expect(sessions[0]!.state).toBe("starting");
    expect(components.find(({ id }) => id === "tunnel")!.detail).toContain("waiting until requests arrive");
    expect(world.pidsOf("cloudflared")).toEqual([pid]);
    edge.deaf = false;
    expect((await starting).code).toBe(0);
    expect((await status()).sessions[0]!.state).toBe("running");
  });

  test.each([
    ["in one zone", false],
    ["where routes of the tunnel zone lead to the Worker, which is in another one", true],
  ])("an outage is noticed %s", async (_, twoZones) => {
    if (twoZones) world.internet!.workerOfTunnelZone = world.worker!.url;
    const name = await startLocal();
    const [pid] = world.pidsOf("cloudflared");
    edge.deaf = true;
    // As after a change of network: the next probe is due at once.
    const store = new Store(world.home);
    await store.change(({ sessions }) => {
      for (const { connector } of sessions) if (connector) connector.probed_at = 0;
    });
    await until("another cloudflared", () => {
      const [now] = world.pidsOf("cloudflared");
      return now !== undefined && now !== pid;
    });
    edge.deaf = false;
    await until("the session", async () => (await world.served(name)) === "local web");
  });
});

describe("Doctor looks at cloudflared also while no session runs", () => {
  const check = async () => {
    const { stdout } = await world.linkup("health", "--json");
    const { checks } = JSON.parse(stdout) as { checks: { id: string; state: string; found: string }[] };
    return checks.find(({ id }) => id === "cloudflared");
  };

  test("it is there", async () => {
    expect(await check()).toMatchObject({ state: "ok", found: expect.stringMatching(/\(version \d+\.\d+/) });
  });

  test("a path to nothing", async () => {
    world.env.CLOUDFLARED_PATH = "/nowhere/cloudflared";
    expect(await check()).toMatchObject({
      state: "broken",
      found: expect.stringContaining("/nowhere/cloudflared"),
    });
  });

  test("an old one is named with the version that is needed, here and by a start", async () => {
    const old = join(world.folder, "old-cloudflared");
    const says = 'echo "Incorrect Usage. flag provided but not defined: -output"';
    const script = `#!/bin/sh\n[ "$1" = --version ] && echo "cloudflared version 2022.3.1 (built then)" || ${says}\n`;
    writeFileSync(old, script, { mode: 0o755 });
    world.env.CLOUDFLARED_PATH = old;
    expect(await check()).toMatchObject({
      state: "broken",
      found: expect.stringMatching(/has version 2022\.3\.1; Linkup needs 2025\.\d+\.\d+ or later/),
    });
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).not.toBe(0);
    expect(stderr).toContain("is too old: it has version 2022.3.1 and does not know --output");
  });

  test("the exit is reported with its last errors", async () => {
    const broken = join(world.folder, "broken-cloudflared");
    const line = JSON.stringify({ level: "error", message: "Cannot go on", error: "no more room" });
    writeFileSync(broken, `#!/bin/sh\necho '${line}' >&2\nexit 3\n`, { mode: 0o755 });
    world.env.CLOUDFLARED_PATH = broken;
    const { stderr } = await world.linkup("start", "--detach");
    expect(stderr).toContain("The process ended with exit code 3. It said: Cannot go on: no more room.");
    expect(stderr).not.toContain('"level"');
  });
});
