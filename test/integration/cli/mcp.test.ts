import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { RequestOptions } from "@modelcontextprotocol/sdk/shared/protocol.js";
import { ElicitRequestSchema, type Progress } from "@modelcontextprotocol/sdk/types.js";
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

const isEmpty = (list: unknown) => Array.isArray(list) && list.length === 0;

/**
 * `linkup mcp` as the official SDK's client starts and asks it. It checks each answer by the tool's output schema. With
 * `answer` the client can ask its user.
 */
async function agent(answer?: (question: string) => "accept" | "decline") {
  const capabilities = answer ? { elicitation: {} } : {};
  const client = new Client({ name: "test", version: "1" }, { capabilities });
  if (answer)
    client.setRequestHandler(ElicitRequestSchema, ({ params: { message } }) => {
      return { action: answer(message), content: { answer: true } };
    });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(world.dist, "cli.js"), "mcp"],
    cwd: world.folder,
    env: world.env as Record<string, string>,
    stderr: "inherit",
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const call = async (name: string, input: Record<string, unknown> = {}, options: RequestOptions = {}) => {
    const asked = client.callTool({ name, arguments: input }, undefined, options);
    const { content, isError, structuredContent } = await asked;
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
    "linkup_list_sessions",
    "linkup_start_session",
    "linkup_stop_session",
    "linkup_route_service",
    "linkup_switch_overrides",
    "linkup_share",
    "linkup_explain_request",
    "linkup_get_requests",
    "linkup_compare",
    "linkup_create_preview",
    "linkup_create_isolated",
    "linkup_delete_session",
    "linkup_doctor",
    "linkup_logs",
  ]);
  expect(client.getInstructions()).toContain("linkup_get_status");
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
  expect(wrong.text).toContain('This session has no service "nothing"');
  // Written into the file while the session runs.
  world.writeConfig(world.configPath, {
    more: "overrides:\n  - { name: down, service: api, when: { path: ^/api/pay }, respond: { status: 503 } }\n",
  });
  const down = await call("linkup_switch_overrides", { names: ["down"], on: true, session: name });
  expect(down.text).toBe("down: on, api ^/api/pay → respond 503");
  expect((await world.ask(`${name}.shop.localhost`, "/api/pay")).status).toBe(503);
  const up = await call("linkup_switch_overrides", { names: ["down"], on: false, session: name });
  expect(up.data).toMatchObject({ session: name, overrides: [{ name: "down", on: false }] });
  const unknown = await call("linkup_switch_overrides", { names: ["up"], on: true, session: name });
  expect(unknown.text).toContain("There is no override up. linkup.yaml has: down.");
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
});

test("an agent asks its user, sees progress, is refused what would end a URL, cancels, and cleans up", async () => {
  const questions: string[] = [];
  let agrees = true;
  const { call } = await agent((question) => {
    questions.push(question);
    return agrees ? "accept" : "decline";
  });
  const { configPath: config } = world;
  const progress: string[] = [];
  const onprogress = ({ message }: Progress) => progress.push(message ?? "");
  const started = await call("linkup_start_session", { config }, { onprogress });
  expect(started.isError, started.text).toBe(false);
  expect(questions).toEqual([expect.stringMatching(/^Start the Linkup session of .*public URL/)]);
  expect(progress[0]).toBe("Starting the session");
  const name = started.data.name as string;

  const refused = await call("linkup_start_session", { config, isolated: true });
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("linkup_create_isolated") });
  const side = await call("linkup_create_isolated", { config, name: "side" });
  expect(side.data).toMatchObject({ name: "side", kind: "isolated", state: "running" });
  const listed = await call("linkup_list_sessions");
  const both = [
    { name, beside: false },
    { name: "side", beside: true },
  ];
  expect(listed.data.sessions).toMatchObject(both.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  const there = await call("linkup_list_sessions", { where: "worker", config });
  expect(there.data.sessions).toMatchObject([{ name, kind: "tunneled" }]);
  expect((await call("linkup_compare", { config })).data).toMatchObject({
    rows: [],
    note: expect.stringContaining("No request"),
  });
  expect((await call("linkup_doctor", { config, all: true })).data.checks).not.toEqual([]);
  const logs = await call("linkup_logs", { component: "local-server", lines: 5 });
  expect(logs.data.logs).toMatchObject([{ component: "local-server" }]);

  // Private, and an invite that ends again: each with the user's agreement.
  const asksForProof = async (headers = {}) =>
    (await world.ask(`${name}.shop.localhost`, "/", world.workerPort, headers)).status === 401;
  const made = await call("linkup_start_session", { config, private: true });
  expect(made.data).toMatchObject({ name, access: "private" });
  await until("a proof to be asked for", asksForProof);
  const wanted = { action: "invite", for: "CI", kind: "token", expires: "12h", config };
  const invited = await call("linkup_share", wanted);
  const { secret, made: invite } = invited.data as { secret: string; made: { id: string } };
  const proof = { "linkup-access": secret };
  await until("the token to be known", async () => !(await asksForProof(proof)));
  const shared = await call("linkup_share", { action: "list", config });
  expect(shared.data).toMatchObject({ session: name, access: "private", invites: [{ for: "CI" }] });
  expect(shared.text).not.toContain(secret);
  expect((await call("linkup_get_status")).data.sessions).toMatchObject([{ access: "private" }, {}]);
  await call("linkup_share", { action: "revoke", id: invite.id, config });
  await until("the token to be refused", async () => asksForProof(proof));
  expect(questions.slice(-3)).toEqual([
    expect.stringMatching(/^Make the running session .* private\?/),
    `Give the agent a token for the session ${name}? With it CI can open it for 12h.`,
    `Revoke the invite ${invite.id} of the session ${name}? Everyone who used it loses access.`,
  ]);

  agrees = false;
  const stillPrivate = await call("linkup_share", { action: "make_public", config });
  expect(stillPrivate).toMatchObject({ isError: true, text: "The user refused. Nothing has changed." });
  const kept = await call("linkup_delete_session", { session: "side", config });
  expect(kept).toMatchObject({ isError: true, text: "The user refused. Nothing has changed." });
  agrees = true;
  expect((await call("linkup_delete_session", { session: "side", config })).data).toEqual({
    deleted: ["side"],
  });
  expect((await call("linkup_stop_session", { config })).data.stopped).toBe(name);
  expect((await call("linkup_list_sessions")).data.sessions).toEqual([]);

  // A start that is cancelled leaves nothing behind.
  const cancelled = new AbortController();
  const start = call(
    "linkup_start_session",
    { config },
    { signal: cancelled.signal, onprogress: () => cancelled.abort() },
  );
  await expect(start).rejects.toThrow();
  await until("nothing to run", async () => isEmpty((await call("linkup_list_sessions")).data.sessions));
});

test("the server exits without an error at the end of its input", async () => {
  expect(await world.linkup("mcp")).toMatchObject({ code: 0, stdout: "", stderr: "" });
});
