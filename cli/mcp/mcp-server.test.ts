import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod/mini";
import { type AgentToolHost, agentTool } from "../../agent-tools/agent-tool.ts";
import { serveTools } from "./mcp-server.ts";

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
  const served = serveTools([input, output], [echo], {} as AgentToolHost, "1.2.3");
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
  });
  expect((await asked("1999-01-01")).result.protocolVersion).toBe("2025-11-25");
});

test("tools are listed without their code, and called", async () => {
  const { ask } = server();
  expect((await ask(request("tools/list"))).result).toEqual({
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
