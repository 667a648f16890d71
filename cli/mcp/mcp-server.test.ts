import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod/mini";
import { type AgentToolHost, agentTool } from "../../agent-tools/agent-tool.ts";
import { serveTools } from "./mcp-server.ts";

const wait = agentTool({
  name: "wait",
  title: "Wait",
  description: "Waits until it is cancelled, or asks first.",
  readOnly: false,
  destructive: true,
  input: z.strictObject({ ask: z.optional(z.boolean()) }),
  output: z.object({ done: z.boolean() }),
  question: async (_, { ask }) => (ask ? "Really?" : undefined),
  run: async (host, { ask }, signal) => {
    host.progress?.("Waiting for nothing");
    if (!ask && !signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { done: true };
  },
});

const echo = agentTool({
  name: "echo",
  title: "Echo",
  description: "Says it again.",
  readOnly: true,
  input: z.strictObject({ text: z.string() }),
  output: z.object({ said: z.string() }),
  run: async (_host, { text }) => {
    if (text === "bad") throw new Error("Not that.");
    return { said: text };
  },
  text: ({ said }) => said,
});

/** Sends lines to a server and reads its answers. */
function server() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const served = serveTools([input, output], [echo, wait], {} as AgentToolHost, "1.2.3");
  const answers = createInterface({ input: output })[Symbol.asyncIterator]();
  onTestFinished(async () => {
    input.end();
    await served;
  });
  const send = (message: unknown) =>
    input.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  const ask = async (message: unknown) => {
    send(message);
    return JSON.parse((await answers.next()).value ?? "{}");
  };
  return { input, served, send, ask };
}

const request = (method: string, params?: unknown) => ({ jsonrpc: "2.0", id: 7, method, params });

test("initialize agrees on a version both know", async () => {
  const asked = async (protocolVersion: string) => {
    const client = { name: "test", version: "1" };
    return server().ask(request("initialize", { protocolVersion, capabilities: {}, clientInfo: client }));
  };
  const { result } = await asked("2025-03-26");
  expect(result).toEqual({
    protocolVersion: "2025-03-26",
    capabilities: { tools: {} },
    serverInfo: { name: "linkup", title: "Linkup", version: "1.2.3" },
    instructions: expect.stringContaining("linkup_get_status"),
  });
  for (const version of ["2024-11-05", "2025-06-18", "2025-11-25"])
    expect((await asked(version)).result.protocolVersion).toBe(version);
  expect((await asked("1999-01-01")).result.protocolVersion).toBe("2025-11-25");
});

test("tools are listed without their code, and called", async () => {
  const { ask } = server();
  expect((await ask(request("tools/list"))).result).toMatchObject({
    tools: [
      {
        name: "echo",
        title: "Echo",
        description: "Says it again.",
        inputSchema: {
          type: "object",
          properties: { text: { type: "string" } },
          required: ["text"],
          additionalProperties: false,
        },
        outputSchema: { type: "object", properties: { said: { type: "string" } }, required: ["said"] },
        annotations: { readOnlyHint: true, openWorldHint: false },
      },
      { name: "wait", annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true } },
    ],
  });
  expect(await ask(request("tools/call", { name: "echo", arguments: { text: "hi" } }))).toEqual({
    jsonrpc: "2.0",
    id: 7,
    result: { content: [{ type: "text", text: "hi" }], structuredContent: { said: "hi" } },
  });
});

test("a tool's failure is a result for the model, a wrong call a protocol error", async () => {
  const { ask } = server();
  const bad = await ask(request("tools/call", { name: "echo", arguments: { text: "bad" } }));
  expect(bad.result).toEqual({ content: [{ type: "text", text: "Not that." }], isError: true });
  const missing = await ask(request("tools/call", { name: "echo" }));
  expect(missing.result).toMatchObject({
    isError: true,
    content: [{ text: '"text" is missing: it must be a string.' }],
  });
  expect((await ask(request("tools/call", { name: "nothing" }))).error.code).toBe(-32602);
  expect((await ask(request("resources/list"))).error.code).toBe(-32601);
});

test("garbage is answered, notifications are not", async () => {
  const { ask, send } = server();
  expect(await ask("{")).toEqual({
    jsonrpc: "2.0",
    id: null,
    error: { code: -32700, message: "This line is not JSON." },
  });
  for (const line of ["null", "[]", "7", '{"id":1}']) expect((await ask(line)).error.code).toBe(-32600);
  send({ jsonrpc: "2.0", method: "notifications/initialized" });
  expect(await ask(request("ping"))).toEqual({ jsonrpc: "2.0", id: 7, result: {} });
});

test("calls that are in flight are answered after the client has closed its end", async () => {
  const { ask, input, served } = server();
  const answer = ask(request("tools/call", { name: "echo", arguments: { text: "late" } }));
  input.end();
  await served;
  expect((await answer).result.structuredContent).toEqual({ said: "late" });
});

async function initialized(protocolVersion: string, capabilities: object = {}) {
  const it = server();
  const clientInfo = { name: "test", version: "1" };
  await it.ask(request("initialize", { protocolVersion, capabilities, clientInfo }));
  return it;
}

const call = (id: number, name: string, args: object, _meta?: object) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...(_meta ? { _meta } : {}) },
});

test("a batch is answered as one in the version that has batches, and refused in the others", async () => {
  const { ask, send } = await initialized("2025-03-26");
  const batch = [
    call(1, "echo", { text: "a" }),
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { id: 2 },
    call(3, "echo", { text: "b" }),
  ];
  const answers: { id: number; error?: { code: number }; result?: { structuredContent: unknown } }[] =
    await ask(batch);
  const sorted = answers.toSorted((a, b) => a.id - b.id);
  expect(sorted.map(({ id, error, result }) => [id, error?.code ?? result?.structuredContent])).toEqual([
    [1, { said: "a" }],
    [2, -32600],
    [3, { said: "b" }],
  ]);
  expect((await ask([])).error.code).toBe(-32600);
  // What is cancelled is not waited for.
  send([call(4, "wait", {}), call(5, "echo", { text: "c" })]);
  const cancelled = await ask([
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 4 } },
  ]);
  expect(cancelled.map(({ id }: { id: number }) => id)).toEqual([5]);
  for (const version of ["2024-11-05", "2025-06-18", "2025-11-25"])
    expect((await (await initialized(version)).ask(batch)).error.message).toContain("2025-03-26");
});

test("progress is told to a client that asks for it", async () => {
  const { ask, send } = await initialized("2025-11-25");
  const first = await ask(call(1, "wait", {}, { progressToken: "p" }));
  expect(first).toMatchObject({
    method: "notifications/progress",
    params: { progressToken: "p", progress: 1, message: "Waiting for nothing" },
  });
  send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
  expect((await ask(request("ping"))).result).toEqual({});
});

test("the user is asked where the client can ask, and nothing happens when the user refuses", async () => {
  const { ask } = await initialized("2025-11-25", { elicitation: {} });
  const asked = await ask(call(1, "wait", { ask: true }));
  expect(asked).toMatchObject({ method: "elicitation/create", params: { message: "Really?" } });
  const answered = (result: object) => ({ jsonrpc: "2.0", id: asked.id, result });
  expect((await ask(answered({ action: "decline" }))).result).toEqual({
    content: [{ type: "text", text: "The user refused. Nothing has changed." }],
    isError: true,
  });
  const again = await ask(call(2, "wait", { ask: true }));
  const agreed = { jsonrpc: "2.0", id: again.id, result: { action: "accept", content: { answer: true } } };
  expect((await ask(agreed)).result.structuredContent).toEqual({ done: true });
  // A client that cannot ask has asked in its own way.
  const other = await initialized("2025-11-25");
  expect((await other.ask(call(1, "wait", { ask: true }))).result.structuredContent).toEqual({ done: true });
});

test("a client that can only open URLs is not asked", async () => {
  const { ask } = await initialized("2025-11-25", { elicitation: { url: {} } });
  expect((await ask(call(1, "wait", { ask: true }))).result.structuredContent).toEqual({ done: true });
});

test("a question ends with its client", async () => {
  const { ask, input, served } = await initialized("2025-11-25", { elicitation: {} });
  await ask(call(1, "wait", { ask: true }));
  input.end();
  await served;
});
