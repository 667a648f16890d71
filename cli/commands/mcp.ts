/** `linkup mcp`: a Model Context Protocol server on standard input and output, for coding agents. */
import type { AgentToolHost } from "../../agent-tools/agent-tool.ts";
import { AGENT_TOOLS } from "../../agent-tools/catalogue.ts";
import { stateHome } from "../../node/home.ts";
import { needConfig, newManager, selectSession } from "../context.ts";
import { version } from "../version.ts";

/** Resolves when the client closes standard input. Sessions that it started end soon after. */
export async function mcp(): Promise<void> {
  const manager = newManager({ keep: false });
  manager.watch();
  const host: AgentToolHost = {
    manager,
    home: stateHome(process.env),
    configPath: async (named) => needConfig(named),
    selector: (choice, choose) => selectSession(manager, choice, choose),
    start: manager.start.bind(manager),
  };
  const { serveTools } = await import("../mcp/mcp-server.ts");
  await serveTools([process.stdin, process.stdout], AGENT_TOOLS, host, version);
  await manager.dispose();
}
