import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { networkChanged } from "../../../manager/model/network-change.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { Store } from "../../../manager/store/store.ts";
import { REAL_CLOUDFLARED } from "../cloudflared/real-cloudflared.ts";
import { until, World } from "./world.ts";

/** With what only the stand-in for cloudflared can do wrong. */
const withFaults = describe.skipIf(REAL_CLOUDFLARED !== undefined);

let world: World;
beforeEach(async () => {
  world = await World.create("cloudflare");
});
afterEach(() => world[Symbol.asyncDispose]());

interface Started {
  session_name: string;
  urls: string[];
}
const start = () => world.json<Started>("start", "--detach");
const status = () => world.json<Snapshot>("status");

describe("a session", () => {
  test("requests come through cloudflared, with a Worker of the original", async () => {
    const { session_name: name, urls } = await start();
    expect(name).toMatch(/^[a-z]+-[a-z]+$/);
    expect(urls).toEqual([`https://${name}.shop.localhost/`]);
    expect(await world.served(name)).toBe("remote web");
    await world.linkup("route", "local", "--all");
    expect(await world.served(name)).toBe("local web");
    expect(await world.served(name, "/api/x")).toBe("local api");
    expect((await status()).components).toMatchObject([
      { id: "local-server", state: "ready" },
      { id: "tunnel", state: "ready", pid: world.pidsOf("cloudflared")[0] },
      { id: "worker", state: "ready" },
    ]);

    // Nothing else runs: not for the log either.
    expect(world.processes().size).toBe(3);

    const { stdout } = await world.linkup("status");
    expect(stdout).toContain("of the original Linkup. What it lacks:\n");
    expect(stdout).toContain("a stopped one stays until it expires there");

    await world.linkup("stop");
    expect([...world.processes().values()]).toEqual([]);
    expect(existsSync(join(world.home, "tunnels", `${name}.yml`))).toBe(false);
  });

  test("the token is in no argument, log or file that others may read", async () => {
    const { session_name: name } = await start();
    const { secret } = world.original!.sessions.get(name)!.tunnel;
    const token = Buffer.from(secret).toString("base64").slice(4, 20);
    const [pid] = world.pidsOf("cloudflared");
    const commandLine = world.processes().get(pid!)!;
    for (const text of [commandLine, world.logs()]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(token);
    }
  });
});

test("is ready when cloudflared says so, and again when it was killed", async () => {
  const { session_name: name } = await start();
  const tunnel = async () => (await status()).components.find(({ id }) => id === "tunnel")!;
  const first = await tunnel();
  expect(first).toMatchObject({ state: "ready", pid: world.pidsOf("cloudflared")[0] });
  process.kill(first.pid!, "SIGKILL");
  await until("another one", async () => {
    const { state, pid } = await tunnel();
    return state === "ready" && pid !== first.pid;
  });
  await world.linkup("stop");
  expect([...world.processes().values()]).toEqual([]);
  expect(world.logs()).toContain("Registered tunnel connection");
  expect(world.logs()).not.toContain(world.original!.sessions.get(name)!.tunnel.secret);
});

withFaults("with faults", () => {
  test("a log that grows is cut while cloudflared runs, and never holds a secret", async () => {
    const { session_name: name } = await start();
    const { secret } = world.original!.sessions.get(name)!.tunnel;
    const [pid] = world.pidsOf("cloudflared");
    const log = join(world.home, "logs", `cloudflared-${name}.log`);
    world.setFaults({ chatter: 3_000 });
    // Both this command and the keeper, which it wakes, ask whether it is ready.
    await world.linkup("route", "local", "web");
    await until("the older log", () => {
      expect(world.logs()).not.toContain(secret);
      return existsSync(`${log}.1`);
    });
    world.setFaults({});
    expect(world.logs()).toContain("***** chatter");
    expect(readFileSync(`${log}.1`, "utf8")).toContain("Registered tunnel connection");
    expect(world.pidsOf("cloudflared")).toEqual([pid]);
    expect(await world.served(name)).toBe("local web");

    world.setFaults({ chatter: 1 });
    await until("more lines", () => readFileSync(log, "utf8").includes("chatter"));
    await world.linkup("stop");
    expect(world.logs()).not.toContain(secret);
  });

  test("a second start adopts cloudflared as well", async () => {
    await start();
    const before = [...world.processes().keys()].sort();
    await start();
    expect([...world.processes().keys()].sort()).toEqual(before);
  });

  test("when the network changes, connections are probed at once", async () => {
    const { session_name: name } = await start();
    await world.linkup("route", "local", "web");
    const [pid] = world.pidsOf("cloudflared");
    world.edge!.deaf = true;
    // What the keeper does when it notices.
    await new Store(world.home).change((state) => networkChanged(state, Date.now()));
    await until("another cloudflared", () => {
      const [now] = world.pidsOf("cloudflared");
      return now !== undefined && now !== pid;
    });
    world.edge!.deaf = false;
    await until("the session", async () => (await world.served(name)) === "local web");
  });

  test("its user's variables say how it connects, and nothing else", async () => {
    Object.assign(world.env, {
      TUNNEL_TRANSPORT_PROTOCOL: "http2",
      TUNNEL_NO_PRECHECKS: "true",
      TUNNEL_URL: "http://127.0.0.1:1",
    });
    await start();
    expect(world.edge!.registered).toEqual(["http2"]);
    expect(world.edge!.variables).toEqual([
      "TUNNEL_CACERT",
      "TUNNEL_EDGE",
      "TUNNEL_NO_PRECHECKS",
      "TUNNEL_TOKEN",
      "TUNNEL_TRANSPORT_PROTOCOL",
    ]);
  });

  test("where QUIC is blocked it connects by HTTP/2, and goes on with it", async () => {
    world.setFaults({ quic: "blocked" });
    const { session_name: name } = await start();
    expect(world.edge!.registered).toEqual(["http2"]);
    await world.linkup("route", "local", "web");
    expect(await world.served(name)).toBe("local web");
    expect(world.pidsOf("cloudflared")).toHaveLength(1);
    process.kill(world.pidsOf("cloudflared")[0]!, "SIGKILL");
    await until("another one", async () => (await world.served(name)) === "local web");
    expect(world.edge!.registered).toEqual(["http2", "http2"]);

    // The network is remembered: the next start does not wait for QUIC.
    await world.linkup("stop");
    const began = performance.now();
    await start();
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});

describe("what is repaired without anybody asking", () => {
  test("cloudflared killed", async () => {
    const { session_name: name } = await start();
    await world.linkup("route", "local", "web");
    const [pid] = world.pidsOf("cloudflared");
    process.kill(pid!, "SIGKILL");
    await until("another one", async () => (await world.served(name)) === "local web");
    expect(world.pidsOf("cloudflared")).toHaveLength(1);
  });

  test("the local server killed, which writes its log: cloudflared follows it to its new port", async () => {
    const { session_name: name } = await start();
    await world.linkup("route", "local", "web");
    const [pid] = world.pidsOf("cloudflared");
    const registered = () => world.logs().split("Registered tunnel connection").length;
    const before = registered();
    process.kill(world.pidsOf("local-server")[0]!, "SIGKILL");
    await until("another cloudflared", () => {
      const pids = world.pidsOf("cloudflared");
      return pids.length === 1 && pids[0] !== pid;
    });
    await until("the session", async () => (await world.served(name)) === "local web");
    expect(world.pidsOf("cloudflared")).toHaveLength(1);
    expect(world.pidsOf("local-server")).toHaveLength(1);
    expect(registered()).toBeGreaterThan(before);
  });

  test.skipIf(REAL_CLOUDFLARED)("connections lost and found", async () => {
    const { session_name: name } = await start();
    await world.linkup("route", "local", "web");
    const [pid] = world.pidsOf("cloudflared");
    world.edge!.dropConnections();
    await until("the connection", async () => (await world.served(name)) === "local web");
    expect(world.pidsOf("cloudflared")).toEqual([pid]);
  });

  test("the tunnel deleted behind our back: the Worker makes a new one", async () => {
    const { session_name: name } = await start();
    await world.linkup("route", "local", "web");
    world.edge!.deleteTunnel(world.original!.sessions.get(name)!.tunnel.id);
    await until("the new tunnel", async () => (await world.served(name)) === "local web");
    expect(world.pidsOf("cloudflared")).toHaveLength(1);
  });
});

describe("unrepairable configuration is reported", () => {
  test("an invalid token", async () => {
    world.original!.wrongId = "none";
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(1);
    expect(stderr).toContain("Provided Tunnel token is not valid");
    expect([...world.processes().values()]).toEqual([]);
  });

  test("with an unreachable edge cloudflared accepts its flags, and a stop ends it", async () => {
    world.env.TUNNEL_EDGE = "127.0.0.1:9";
    const starting = world.linkup("start", "--detach");
    await until("its metrics", () => world.logs().includes("Starting metrics server on 127.0.0.1:"));
    const { secret } = [...world.original!.sessions.values()][0]!.tunnel;
    expect((await world.linkup("stop", "--all")).code).toBe(0);
    await starting;
    expect([...world.processes().values()]).toEqual([]);
    expect(world.logs()).not.toContain("Incorrect Usage");
    expect(world.logs()).not.toContain(secret);
  });

  test("a registration that is refused for another reason", async () => {
    world.edge!.refusal = "there are no free edge addresses left to resolve to";
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(1);
    expect(stderr).toContain("there are no free edge addresses left");
    expect([...world.processes().values()]).toEqual([]);
  });

  test.skipIf(REAL_CLOUDFLARED).each([
    ["usage", "Incorrect Usage"],
    ["offline", "no such host"],
  ])("cloudflared that ends at once: %s", async (exit, said) => {
    world.setFaults({ exit });
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(1);
    expect(stderr).toContain(said);
    expect([...world.processes().values()]).toEqual([]);
  });

  test("no cloudflared", async () => {
    delete world.env.CLOUDFLARED_PATH;
    world.env.PATH = "/nonexistent";
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(1);
    expect(stderr).toContain("cloudflared, and it is not on the PATH");
    // Known before anything is made at the Worker.
    expect(world.original!.sessions.size).toBe(0);
    world.env.CLOUDFLARED_PATH = "/nowhere/cloudflared";
    expect((await world.linkup("start", "--detach")).stderr).toContain(
      "/nowhere/cloudflared, from CLOUDFLARED_PATH",
    );
    expect([...world.processes().values()]).toEqual([]);
  });
});

test.skipIf(REAL_CLOUDFLARED)("a cloudflared named by a relative path", async () => {
  world.env.PATH = process.env.PATH;
  world.env.CLOUDFLARED_PATH = "bin/cloudflared";
  await world.json("start", "--detach");
  const [pid] = world.pidsOf("cloudflared");
  // The keeper, in another folder, starts it again.
  process.kill(pid!, "SIGKILL");
  await until("another cloudflared", () => world.pidsOf("cloudflared").some((now) => now !== pid));
});

test("a start that is stopped meanwhile leaves nothing", async () => {
  world.edge!.offline = true;
  const starting = world.linkup("start", "--detach");
  await until("cloudflared", () => world.pidsOf("cloudflared").length > 0);
  expect((await world.linkup("stop", "--all")).code).toBe(0);
  const { code, stderr } = await starting;
  expect(code).toBe(1);
  expect(stderr).toContain("stopped");
  expect([...world.processes().values()]).toEqual([]);
});
