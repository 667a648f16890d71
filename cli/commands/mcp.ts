/** `linkup mcp`: a Model Context Protocol server on standard input and output, for coding agents. */
import { AGENT_TOOLS } from "../../agent-tools/catalogue.ts";
import { needConfig, newManager, selectSession } from "../context.ts";
import { version } from "../version.ts";

/** Resolves when the client closes standard input. Sessions that it started end soon after. */
export async function mcp(): Promise<void> {
  const manager = newManager({ keep: false });
  manager.watch();
  const host = {
    manager,
    configPath: async (named: string | undefined) => needConfig(named),
    selector: (choice: Parameters<typeof selectSession>[1]) => selectSession(manager, choice),
    start: manager.start.bind(manager),
  };
  const { serveTools } = await import("../mcp/mcp-server.ts");
  await serveTools([process.stdin, process.stdout], AGENT_TOOLS, host, version);
  await manager.dispose();
}
