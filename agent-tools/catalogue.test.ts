import { describe, expect, test } from "vitest";
import type { Exchange } from "../core/api/request-log-api.ts";
import manifest from "../package.json" with { type: "json" };
import type { AgentToolHost } from "./agent-tool.ts";
import { AGENT_TOOLS } from "./catalogue.ts";

const never = new AbortController().signal;

/** Calls a tool whose program has these requests in its log. */
function call(name: string, input: unknown, log: Partial<AgentToolHost["manager"]["requestLog"]> = {}) {
  const host = { manager: { requestLog: log } } as AgentToolHost;
  return AGENT_TOOLS.find((tool) => tool.name === name)!.run(host, input, never);
}

describe("package.json's language-model tools are those of the catalogue", () => {
  const declared = manifest.contributes.languageModelTools;
  test("by name", () =>
    expect(declared.map(({ name }) => name)).toEqual(AGENT_TOOLS.map(({ name }) => name)));
  test.each(AGENT_TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s",
    (name, { description, inputSchema }) => {
      expect(declared.find((tool) => tool.name === name)).toMatchObject({ modelDescription: description });
      expect(declared.find((tool) => tool.name === name)!.inputSchema).toEqual(inputSchema);
    },
  );
});

test.each([
  ["linkup_start_session", { isolated: "yes" }, '"isolated" must be true or false, not "yes".'],
  [
    "linkup_explain_request",
    { url: "http://a.example", headers: "nope" },
    '"headers" must be an object, not "nope".',
  ],
  ["linkup_explain_request", { url: "nope" }, '"url" must be an absolute http or https URL.'],
  ["linkup_get_requests", { limit: -1 }, '"limit" must be at least 1, not -1.'],
  ["linkup_get_requests", { limit: 1e6 }, '"limit" must be at most 100, not 1000000.'],
  ["linkup_get_requests", { limit: 1.5 }, '"limit" must be a whole number, not 1.5.'],
  ["linkup_get_requests", { id: 0 }, '"id" must be at least 1, not 0.'],
  [
    "linkup_route_service",
    { service: "web", target: "moon" },
    '"target" must be "local" or "remote", not "moon".',
  ],
  ["linkup_route_service", { service: "web" }, '"target" is missing: it must be "local" or "remote".'],
  [
    "linkup_route_service",
    { service: "", target: "local" },
    '"service" must be a string that is not empty, not "".',
  ],
  ["linkup_get_status", { all: true }, 'There is no argument "all": this tool takes no arguments.'],
  [
    "linkup_start_session",
    { isolate: true },
    'There is no argument "isolate": this tool takes config, isolated.',
  ],
  ["linkup_get_status", [], "The arguments must be an object, not []."],
])("%s refuses %j", async (name, input, sentence) => {
  await expect(call(name, input)).rejects.toThrow(sentence);
});

const exchange = (id: number, words: string) => ({ id, time: 0, method: "GET", host: words, target: words });

test("texts of requests are cut, their invisible characters shown, and all of it is marked as untrusted", async () => {
  const words = `/\u001b[2J\u202e\u{e0041}${"x".repeat(10_000)}`;
  const requests = async () => [exchange(1, words)] as Exchange[];
  const { text, structured } = await call("linkup_get_requests", {}, { requests });
  const [request] = structured.requests as { target: string }[];
  expect(request!.target).toMatch(/^\/\ufffd\[2J\ufffd\ufffdx+…$/);
  expect(request!.target.length).toBeLessThan(310);
  expect(text.indexOf("Untrusted content")).toBeLessThan(30);
  expect(JSON.parse(text)).toEqual(structured);
});

test("an answer of many requests leaves out the oldest, and says how many", async () => {
  const all = Array.from({ length: 100 }, (_, i) => exchange(i + 1, "x".repeat(9_000)));
  const { text, structured } = await call(
    "linkup_get_requests",
    { limit: 100 },
    { requests: async () => all as Exchange[] },
  );
  expect(text.length).toBeLessThan(60_000);
  const requests = structured.requests as Exchange[];
  expect(requests.at(-1)!.id).toBe(100);
  expect(structured.omitted).toBe(100 - requests.length);
  expect(structured.omitted).toBeGreaterThan(0);
});

test("no requests are explained", async () => {
  const { structured } = await call("linkup_get_requests", {}, { requests: async () => [] });
  expect(structured).toMatchObject({ requests: [], note: expect.stringContaining("No request") });
});

test("a status of very many services is cut, and says so", async () => {
  const service = (i: number) => ({ name: `s${i}`, target: "local", local: "x".repeat(9_000), remote: "y" });
  const sessions = [{ name: "mine", services: Array.from({ length: 5_000 }, (_, i) => service(i)) }];
  const refresh = async () => ({ sessions, components: [], problems: [] });
  const host = { manager: { refresh } } as unknown as AgentToolHost;
  const { text, structured } = await AGENT_TOOLS[0]!.run(host, {}, never);
  expect(text.length).toBeLessThan(60_000);
  expect((structured.sessions as typeof sessions)[0]!.services).toHaveLength(50);
  expect(structured.note).toContain("50 services");
});

test("a reason in the words of others is cut, too", async () => {
  const requests = () => Promise.reject(new Error(`\u001b[2J${"x".repeat(100_000)}`));
  await expect(call("linkup_get_requests", {}, { requests })).rejects.toThrow(/^\ufffd\[2Jx{900,1000}…$/);
});
