/** `linkup mcp`: a Model Context Protocol server on standard input and output, for coding agents. */
import { createInterface } from "node:readline";
import { newManager, version } from "../context.ts";
import { answer } from "../mcp/protocol.ts";
import { linkupTools } from "../mcp/tools.ts";

/** Resolves when the agent's program closes standard input. Sessions that it started end soon after. */
export async function mcp(): Promise<void> {
  const manager = newManager({ keep: false });
  manager.watch();
  const tools = linkupTools(manager);
  const running = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    // A slow call does not keep others waiting.
    const answered = answer(line, tools, version).then((text) => {
      if (text !== undefined) process.stdout.write(`${text}\n`);
      running.delete(answered);
    });
    running.add(answered);
  }
  await Promise.all(running);
  await manager.dispose();
}
