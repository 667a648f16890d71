import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import type { Exchange, ExchangeDetails } from "../../../core/api/request-log-api.ts";
import { callControl } from "../local-server/harness.ts";
import { until, World } from "../manager/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

test("an agent starts a session, routes a service, asks why, and leaves nothing when it goes", async () => {
  const child = spawn(process.execPath, [join(world.dist, "cli.js"), "mcp"], {
    cwd: world.folder,
    env: world.env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let id = 0;
  const ask = async (method: string, params: unknown) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params })}\n`);
    const { value = "{}" } = await answers.next();
    return JSON.parse(value).result;
  };
  const call = async (name: string, input: object = {}) => {
    const { content, isError } = await ask("tools/call", { name, arguments: input });
    return { text: content[0].text as string, isError: isError === true };
  };

  expect((await ask("initialize", { protocolVersion: "2025-06-18" })).serverInfo.name).toBe("linkup");
  const { tools } = await ask("tools/list", {});
  expect(tools.map(({ name }: { name: string }) => name)).toEqual([
    "linkup_get_status",
    "linkup_start_session",
    "linkup_route_service",
    "linkup_explain_request",
    "linkup_get_requests",
    "linkup_create_preview",
  ]);

  const started = await call("linkup_start_session", { config: world.configPath });
  const name = /^Session ([a-z]+-[a-z]+) \(tunneled\) is running/.exec(started.text)?.[1];
  expect(name, started.text).toBeTruthy();
  expect(JSON.parse((await call("linkup_get_status")).text).sessions).toHaveLength(1);
  const routed = await call("linkup_route_service", { service: "api", target: "local", session: name });
  expect(routed.text).toContain("api: local");
  const wrong = await call("linkup_route_service", { service: "nothing", target: "local", session: name });
  expect(wrong).toMatchObject({ isError: true });
  expect(wrong.text).toContain('"nothing" is no service of this session');
  const why = await call("linkup_explain_request", { url: `http://${name}.shop.localhost/`, session: name });
  expect(why.text).toContain(name);

  const { body } = await callControl(world.home, "GET", "/v1/status");
  const { browser_port: browserPort } = body as ServerStatus;
  await world.ask(`${name}.shop.localhost`, "/agent?token=s3cr3t", browserPort);
  const came = await until("the request is told", async () => {
    const { text } = await call("linkup_get_requests", { service: "web", path: "/agent" });
    const all = JSON.parse(text) as Exchange[];
    return all[0]?.state === "complete" && all;
  });
  expect(came).toMatchObject([{ session: name, service: "web", target: "/agent?token=***", status: 200 }]);
  const one = JSON.parse((await call("linkup_get_requests", { id: came[0]!.id })).text) as ExchangeDetails;
  expect(one.explanation.session).toBe(name);
  expect(one).not.toHaveProperty("request_body");

  child.stdin.end();
  await until("the server to end", () => child.exitCode === 0);
  // A reload of an editor that serves agents takes a while: so long nothing ends.
  await until("everything to end", () => world.processes().size === 0, 90_000);
}, 120_000);
