// `linkup mcp` as the official MCP Inspector drives it, from its command line.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AGENT_TOOLS } from "../../agent-tools/catalogue.ts";
import { World } from "../integration/manager/world.ts";

const INSPECTOR = join(import.meta.dirname, "node_modules", ".bin", "mcp-inspector");

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

async function inspector(...args: string[]): Promise<Record<string, unknown>> {
  const server = [process.execPath, join(world.dist, "cli.js"), "mcp"];
  const { stdout } = await promisify(execFile)(INSPECTOR, ["--cli", ...server, ...args], {
    cwd: world.folder,
    env: world.env,
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

test("the inspector lists the tools, calls one, and is refused a wrong argument", async () => {
  const { tools } = (await inspector("--method", "tools/list")) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(AGENT_TOOLS.map(({ name }) => name));
  const call = ["--method", "tools/call", "--tool-name"];
  const listed = await inspector(...call, "linkup_list_sessions");
  expect(listed.structuredContent).toMatchObject({ sessions: [], note: expect.any(String) });
  // A tool that refuses makes the inspector fail.
  await expect(inspector(...call, "linkup_list_sessions", "--tool-arg", "limit=-1")).rejects.toThrow(
    "tool_is_error",
  );
});
