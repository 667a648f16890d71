import { expect, test } from "vitest";
import { answer, type Tool } from "./protocol.ts";

const echo: Tool = {
  name: "echo",
  title: "Echo",
  description: "Says it again.",
  inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ text }) => {
    if (text === "bad") throw new Error("Not that.");
    return String(text);
  },
};

const ask = async (message: unknown) => {
  const line = await answer(typeof message === "string" ? message : JSON.stringify(message), [echo], "1.2.3");
  return line === undefined ? undefined : JSON.parse(line);
};
const request = (method: string, params?: unknown) => ({ jsonrpc: "2.0", id: 7, method, params });

test("initialize agrees on a version both know", async () => {
  const asked = (protocolVersion: string) =>
    ask(request("initialize", { protocolVersion, capabilities: {} }));
  const { result } = await asked("2025-03-26");
  expect(result).toEqual({
    protocolVersion: "2025-03-26",
    capabilities: { tools: {} },
    serverInfo: { name: "linkup", title: "Linkup", version: "1.2.3" },
  });
  expect((await asked("1999-01-01")).result.protocolVersion).toBe("2025-06-18");
});

test("tools are listed without their code, and called", async () => {
  const { run, ...listed } = echo;
  expect((await ask(request("tools/list"))).result).toEqual({ tools: [listed] });
  expect(await ask(request("tools/call", { name: "echo", arguments: { text: "hi" } }))).toEqual({
    jsonrpc: "2.0",
    id: 7,
    result: { content: [{ type: "text", text: "hi" }] },
  });
});

test("a tool's failure is told to the agent, a wrong call to its program", async () => {
  const bad = await ask(request("tools/call", { name: "echo", arguments: { text: "bad" } }));
  expect(bad.result).toEqual({ content: [{ type: "text", text: "Not that." }], isError: true });
  const missing = await ask(request("tools/call", { name: "echo" }));
  expect(missing.result).toMatchObject({ isError: true, content: [{ text: "text must be given." }] });
  expect((await ask(request("tools/call", { name: "nothing" }))).error.code).toBe(-32602);
  expect((await ask(request("resources/list"))).error.code).toBe(-32601);
});

test("garbage is answered, notifications are not", async () => {
  expect(await ask("{")).toEqual({
    jsonrpc: "2.0",
    id: null,
    error: { code: -32700, message: "This line is no JSON." },
  });
  for (const line of ["null", "[]", "7", '{"id":1}']) expect((await ask(line)).error.code).toBe(-32600);
  expect(await ask({ jsonrpc: "2.0", method: "notifications/initialized" })).toBeUndefined();
});
