import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import type { Exchange, ExchangeDetails } from "../../../core/api/request-log-api.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { callControl } from "../local-server/harness.ts";
import { until, World } from "../manager/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

/** `linkup mcp` as the official SDK's client starts and asks it. It checks each answer by the tool's output schema. */
async function agent() {
  const client = new Client({ name: "test", version: "1" });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(world.dist, "cli.js"), "mcp"],
    cwd: world.folder,
    env: world.env as Record<string, string>,
    stderr: "inherit",
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const call = async (name: string, input: Record<string, unknown> = {}) => {
    const { content, isError, structuredContent } = await client.callTool({ name, arguments: input });
    const [{ text }] = content as [{ text: string }];
    return { text, isError: isError === true, data: structuredContent as Record<string, unknown> };
  };
  return { client, call };
}

test("an agent starts a session, routes a service, asks why, and leaves nothing behind", async () => {
  const { client, call } = await agent();
  expect(client.getServerVersion()?.name).toBe("linkup");
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    "linkup_get_status",
    "linkup_start_session",
    "linkup_route_service",
    "linkup_explain_request",
    "linkup_get_requests",
    "linkup_create_preview",
  ]);
  expect(tools.filter(({ outputSchema }) => !outputSchema)).toEqual([]);

  const started = await call("linkup_start_session", { config: world.configPath });
  const name = /^Session ([a-z]+-[a-z]+) \(tunneled\) is running/.exec(started.text)?.[1];
  expect(name, started.text).toBeTruthy();
  const status = await call("linkup_get_status");
  expect(JSON.parse(status.text)).toEqual(status.data);
  expect((status.data as unknown as Snapshot).sessions).toHaveLength(1);
  const routed = await call("linkup_route_service", { service: "api", target: "local", session: name });
  expect(routed.text).toContain("api: local");
  const wrong = await call("linkup_route_service", { service: "nothing", target: "local", session: name });
  expect(wrong).toMatchObject({ isError: true });
  expect(wrong.text).toContain('"nothing" is no service of this session');
  const why = await call("linkup_explain_request", { url: `http://${name}.shop.localhost/`, session: name });
  expect(why.data).toMatchObject({ session: name, service: "web", status: null });

  const { body } = await callControl(world.home, "GET", "/v1/status");
  const { browser_port: browserPort } = body as ServerStatus;
  await world.ask(`${name}.shop.localhost`, "/agent?token=s3cr3t", browserPort);
  const came = await until("the request is told", async () => {
    const { data } = await call("linkup_get_requests", { service: "web", path: "/agent" });
    const requests = data.requests as Exchange[];
    return requests[0]?.state === "complete" && requests;
  });
  expect(came).toMatchObject([{ session: name, service: "web", target: "/agent?token=***", status: 200 }]);
  const details = await call("linkup_get_requests", { id: came[0]!.id });
  const [one] = details.data.requests as [ExchangeDetails];
  expect(one.explanation.session).toBe(name);
  expect(one).not.toHaveProperty("request_body");

  // The SDK's client closes standard input, and kills a server that does not end by itself within two seconds.
  await client.close();
  // A reload of an editor that serves agents takes a while: so long nothing ends.
  await until("everything to end", () => world.processes().size === 0, 90_000);
}, 120_000);

test("the server exits without an error at the end of its input", async () => {
  expect(await world.linkup("mcp")).toMatchObject({ code: 0, stdout: "", stderr: "" });
});
