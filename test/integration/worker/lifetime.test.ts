import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Internet } from "./internet.ts";
import { type Api, apiOf, oneService, send, type startWorker } from "./world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;

beforeEach(async () => {
  internet = await new Internet().start();
});
afterEach(async () => {
  await worker.stop();
  await internet.stop();
});

async function serve(vars: Record<string, string> = {}, persist?: string) {
  worker = await internet.startWorker(vars, persist);
  api = apiOf(worker.url);
}

const start = (more: object = {}) =>
  api("POST", "/linkup/v2/sessions/tunneled", {
    ...oneService("http://localhost:3000"),
    desired_name: "slim-gecko",
    session_token: "mine",
    ...more,
  });
const ask = () => send(worker.url, "/", { headers: { host: "slim-gecko.example.com" } });
const listed = async () => {
  const { sessions } = (await api("GET", "/linkup/v2/sessions")).json() as {
    sessions: { session_name: string }[];
  };
  return sessions.map(({ session_name }) => session_name);
};
const tunnels = () => internet.cloudflare.living.map(({ name }) => name);
const SLOW = { timeout: 15_000 };

describe("expiry", () => {
  test("a session ends when its client said, with its tunnel and its place in the list", async () => {
    await serve();
    await start({ expires_in: 2 });
    expect((await ask()).headers["linkup-error"]).toBe("tunnel-down");
    await expect.poll(async () => (await ask()).headers["linkup-error"], SLOW).toBe("unknown-session");
    await expect.poll(listed, SLOW).toEqual([]);
    await expect.poll(tunnels, SLOW).toEqual([]);
    await expect.poll(() => internet.cloudflare.records, SLOW).toEqual([]);
  });

  test("its name is free again at once, and the next owner inherits nothing", async () => {
    await serve();
    const before = (await start({ expires_in: 1 })).json();
    expect((await start({ session_token: "other" })).status).toBe(409);
    await expect.poll(async () => (await start({ session_token: "other" })).status, SLOW).toBe(200);
    const after = (await start({ session_token: "other" })).json();
    expect(after.origin_secret).not.toBe(before.origin_secret);
    expect(after.tunnel_data).not.toMatchObject({
      secret: (before.tunnel_data as { secret: string }).secret,
    });
    expect(tunnels()).toEqual(["linkup-slim-gecko"]);
  });

  test("saving it again gives it its time again", async () => {
    await serve();
    const expires = async () => (await api("GET", "/linkup/v2/sessions/slim-gecko")).json().expires as number;
    await start({ expires_in: 60 });
    const first = await expires();
    await start({ expires_in: 600 });
    expect(await expires()).toBeGreaterThanOrEqual(first + 500_000);
  });

  test("an unused session ends after the Worker's default lifetime", async () => {
    await serve({ LINKUP_SESSION_UNUSED_S: "1" });
    await start();
    await expect.poll(listed, SLOW).toEqual([]);
    await expect.poll(tunnels, SLOW).toEqual([]);
  });

  test("a tunnel that nobody uses is deleted, the session stays; the next start makes a new one", async () => {
    await serve({ LINKUP_TUNNEL_UNUSED_S: "1" });
    await start();
    await expect.poll(tunnels, SLOW).toEqual([]);
    await expect.poll(() => internet.cloudflare.records, SLOW).toEqual([]);
    expect(await listed()).toEqual(["slim-gecko"]);
    await expect.poll(async () => (await ask()).headers["linkup-error"]).toBe("no-tunnel");
    const answer = await ask();
    expect([answer.status, answer.body.split("\n")[0]]).toEqual([
      422,
      "This linkup session has no associated tunnel / was started with --no-tunnel",
    ]);
    expect((await start()).status).toBe(200);
    expect(tunnels()).toEqual(["linkup-slim-gecko"]);
  });
});

describe("interrupted", () => {
  test("the Worker dies between tunnel and record: the next to ask for the session cleans up", async () => {
    const persist = await mkdtemp(join(tmpdir(), "linkup-persist-"));
    try {
      await serve({}, persist);
      internet.cloudflare.faults = [{ on: "POST /zones", hang: true }];
      const interrupted = start().catch((error: Error) => error);
      await expect.poll(tunnels).toEqual(["linkup-slim-gecko"]);
      process.kill(worker.pid, "SIGKILL");
      await worker.ended;
      expect(await interrupted).toBeInstanceOf(Error);

      internet.cloudflare.faults = [];
      await serve({}, persist);
      expect((await ask()).headers["linkup-error"]).toBe("unknown-session");
      await expect.poll(tunnels).toEqual([]);
    } finally {
      await worker.stop();
      await rm(persist, { recursive: true });
    }
  });
});

describe("the sweep", () => {
  const longAgo = "2026-01-01T00:00:00Z";

  /** What this Worker's marks are: as on a tunnel of its own. */
  const own = () => {
    const { cloudflare } = internet;
    return { metadata: { ...cloudflare.living[0]!.metadata }, comment: cloudflare.records[0]!.comment };
  };
  const recordNames = () => internet.cloudflare.records.map(({ name }) => name.split(".")[0]).sort();

  test("deletes tunnels without a session and records without a tunnel, and nothing else", async () => {
    await serve();
    await start();
    const { cloudflare } = internet;
    const { metadata, comment } = own();
    const lost = cloudflare.addTunnel("linkup-lost-gecko", {
      created_at: longAgo,
      connected: true,
      metadata,
    });
    cloudflare.addRecord("linkup-lost-gecko.tunnels.example.net", `${lost.id}.cfargotunnel.com`, {
      created_on: longAgo,
      comment,
    });
    cloudflare.addRecord("linkup-old-gecko.tunnels.example.net", "gone.cfargotunnel.com", {
      created_on: longAgo,
      comment,
    });
    cloudflare.addTunnel("linkup-in-the-making", { metadata });
    cloudflare.addTunnel("another-product", { created_at: longAgo });
    cloudflare.addRecord("linkup-docs.tunnels.example.net", "192.0.2.1", { type: "A", created_on: longAgo });
    cloudflare.addRecord("vpn.tunnels.example.net", "x.cfargotunnel.com", { created_on: longAgo });

    await worker.runScheduled();
    expect(tunnels().sort()).toEqual(["another-product", "linkup-in-the-making", "linkup-slim-gecko"]);
    expect(recordNames()).toEqual(["linkup-docs", "linkup-slim-gecko", "vpn"]);
  });

  test("leaves resources with the prefix that are not proven to be this Worker's", async () => {
    await serve();
    await start();
    const { cloudflare } = internet;
    const old = { created_at: longAgo };
    // A record of a foreign tunnel that lives, one whose tunnel is gone, and tunnels of others: without a mark, with the
    // mark of a Worker whose prefix begins with ours, with the mark of another Worker that has our prefix.
    const foreign = cloudflare.addTunnel("production", { ...old, connected: true });
    cloudflare.addRecord("linkup-admin.tunnels.example.net", `${foreign.id}.cfargotunnel.com`, {
      created_on: longAgo,
    });
    cloudflare.addRecord("linkup-gone.tunnels.example.net", "gone.cfargotunnel.com", { created_on: longAgo });
    cloudflare.addTunnel("linkup-unknown", { ...old, connected: true });
    cloudflare.addTunnel("linkup-idle", old);
    for (const prefix of ["linkup-staging-", "linkup-"])
      cloudflare.addTunnel(`${prefix}fast-fox`, {
        ...old,
        metadata: { linkup: `linkup-tunnel:${prefix}:another` },
      });
    const before = [tunnels(), recordNames()];
    await worker.runScheduled();
    expect([tunnels(), recordNames()]).toEqual(before);
  });

  test("one tunnel that cannot be deleted keeps no other from its turn", async () => {
    await serve();
    await start();
    const { metadata } = own();
    for (const name of ["linkup-a", "linkup-b", "linkup-c"])
      internet.cloudflare.addTunnel(name, { created_at: longAgo, metadata });
    const stuck = internet.cloudflare.living.find(({ name }) => name === "linkup-b")!;
    internet.cloudflare.faults = [
      { on: `DELETE /accounts/acc1/cfd_tunnel/${stuck.id}`, status: 400, errors: [] },
    ];
    await worker.runScheduled();
    expect(tunnels().sort()).toEqual(["linkup-b", "linkup-slim-gecko"]);
  });

  test("of many it deletes some, within the subrequests of the free plan, and the rest in the hours after", async () => {
    await serve();
    await start();
    const { metadata, comment } = own();
    const { cloudflare } = internet;
    for (let number = 0; number < 30; number++) {
      const tunnel = cloudflare.addTunnel(`linkup-orphan-${number}`, { created_at: longAgo, metadata });
      cloudflare.addRecord(`${tunnel.name}.tunnels.example.net`, `${tunnel.id}.cfargotunnel.com`, {
        created_on: longAgo,
        comment,
      });
    }
    let left = tunnels().length;
    while (left > 1) {
      cloudflare.calls.length = 0;
      await worker.runScheduled();
      expect(cloudflare.calls.length).toBeLessThan(50);
      expect(tunnels().length).toBeLessThan(left);
      left = tunnels().length;
    }
    expect(recordNames()).toEqual(["linkup-slim-gecko"]);
  });

  test("without a prefix it touches nothing at Cloudflare", async () => {
    await serve({ TUNNEL_NAME_PREFIX: "" });
    internet.cloudflare.addTunnel("anything", { created_at: longAgo });
    await worker.runScheduled();
    expect(tunnels()).toEqual(["anything"]);
  });
});
