import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { OverrideView, Snapshot } from "../../../manager/model/snapshot.ts";
import { until, World } from "../manager/world.ts";

let world: World;
afterEach(() => world[Symbol.asyncDispose]());

const OVERRIDES = `overrides:
  - name: down
    service: api
    when: { path: ^/api/pay, method: POST, header: { x-user: ^test } }
    respond: { status: 503, file: mocks/down.json }
  - name: home
    service: api
    when: { path: ^/api/local }
    target: local
  - name: greeting
    enabled: true
    when: { path: ^/hello$ }
    respond: { body: hi }
`;

function writeOverrides(): void {
  world.writeConfig(world.configPath, { more: OVERRIDES });
  const mocks = join(dirname(world.configPath), "mocks");
  mkdirSync(mocks, { recursive: true });
  writeFileSync(join(mocks, "down.json"), '{"down":true}');
}

async function started(): Promise<string> {
  const { session_name } = await world.json<{ session_name: string }>("start", "--detach");
  return session_name;
}

const states = (views: OverrideView[]) => Object.fromEntries(views.map(({ name, on }) => [name, on]));

describe.each(["direct", "deployed"] as const)("overrides, %s", (tunnel) => {
  test("are switched on and off, act on requests from outside, and are kept for the next start", async () => {
    world = await World.create(tunnel);
    writeOverrides();
    const name = await started();
    const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
      world.ask(`${name}.shop.localhost`, path, world.workerPort, headers, method);

    expect(states(await world.json<OverrideView[]>("override", "list"))).toEqual({
      down: false,
      home: false,
      greeting: true,
    });
    await until("the one that is on from the start", async () => (await ask("/hello")).body === "hi");
    expect((await ask("/hello/you")).body).toBe("remote web");
    expect((await ask("/api/local/1")).body).toBe("remote api");

    expect(states(await world.json<OverrideView[]>("override", "on", "home", "down"))).toEqual({
      down: true,
      home: true,
      greeting: true,
    });
    await until("the local copy", async () => (await ask("/api/local/1")).body === "local api");
    expect((await ask("/api/other")).body).toBe("remote api");
    const pay = await ask("/api/pay", { "x-user": "tester" }, "POST");
    expect(pay).toMatchObject({ status: 503, body: '{"down":true}' });
    expect((await ask("/api/pay", { "x-user": "ada" }, "POST")).body).toBe("remote api");
    const rows = await world.linkup("requests");
    expect(rows.stdout).toContain("override down");
    const [, id] = /^ *(\d+) .*POST/m.exec(rows.stdout)!;
    expect((await world.linkup("requests", id!)).stdout).toContain("Override down answers the request");
    // What the file says now is answered now.
    writeFileSync(join(dirname(world.configPath), "mocks/down.json"), "{}");
    expect((await ask("/api/pay", { "x-user": "tester" }, "POST")).body).toBe("{}");

    await world.linkup("stop");
    const again = await started();
    expect(again).toBe(name);
    expect(states(await world.json<OverrideView[]>("override", "list"))).toMatchObject({
      home: true,
      down: true,
    });
    expect((await world.linkup("override", "off", "--all")).stdout).toMatch(/greeting +off/);
    await until("the remote copy", async () => (await ask("/api/local/1")).body === "remote api");
    expect((await ask("/hello")).body).toBe("remote web");
  });
});

test("unknown names and a missing choice are refused, and nothing changes", async () => {
  world = await World.create("direct");
  writeOverrides();
  await started();
  const unknown = await world.linkup("override", "on", "home", "hoem");
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain("hoem");
  expect((await world.linkup("override", "on")).stderr).toContain("Name overrides, or use --all");
  expect(states(await world.json<OverrideView[]>("override", "list"))).toMatchObject({ home: false });
});

test("with a Worker without overrides only this machine applies them, and that is reported", async () => {
  world = await World.create("cloudflare");
  writeOverrides();
  const name = await started();
  const { sessions, problems } = await world.json<Snapshot>("status");
  expect(problems).toMatchObject([{ code: "overrides-unsupported", actions: [{ command: "updateWorker" }] }]);
  expect(sessions[0]!.overrides).toMatchObject([{}, {}, { name: "greeting", on: true, unsupported: true }]);
  expect(await world.served(name, "/hello")).toBe("remote web");
});

test("with that Worker this machine's targets still work, and the others report what it lacks", async () => {
  world = await World.create("cloudflare");
  const text = readFileSync(world.configPath, "utf8");
  writeFileSync(
    world.configPath,
    text.replace(
      "  - name: api\n",
      `  - name: api\n    targets: { spare: ${world.location("spare web")} }\n`,
    ),
  );
  const name = await started();
  const api = () => world.served(name, "/api/x");
  const routed = async (target: string, body: string) => {
    await world.json("route", target, "api");
    await until(target, async () => (await api()) === body || undefined);
  };
  await routed("auto", "local api");
  await world.stopService("local api");
  await until("the remote copy", async () => (await api()) === "remote api" || undefined);
  await routed("spare", "spare web");
  await routed(world.location("remote web"), "remote web");

  for (const [args, lacks] of [
    [["route", "session:bold-cat", "api"], "cannot route api to the session bold-cat. Update the Worker"],
    [["share", "--targets", "on"], "cannot let other sessions route to the services of this one"],
  ] as const) {
    const { code, stderr } = await world.linkup(...args);
    expect(code).not.toBe(0);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(lacks);
  }
  expect(await api()).toBe("remote web");
  const { sessions } = await world.json<Snapshot>("status");
  expect(sessions[0]).toMatchObject({ state: "running" });
  expect(sessions[0]!.services[1]).toMatchObject({ name: "api", target: world.location("remote web") });
});

test("explain says which override a request meets", async () => {
  world = await World.create("direct");
  writeOverrides();
  const name = await started();
  const url = `http://${name}.shop.localhost/hello`;
  expect((await world.linkup("explain", url)).stdout).toContain("greeting");
  expect((await world.linkup("explain", url.replace("hello", "bye"))).stdout).not.toContain("greeting");
  expect(readFileSync(world.configPath, "utf8")).toContain("greeting");
});
