/** The agent tools over the Model Context Protocol. */
import type { Readable, Writable } from "node:stream";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import type { AgentTool, AgentToolHost } from "../../agent-tools/agent-tool.ts";
import { LineTransport } from "./line-transport.ts";

/** Resolves when the client has closed the input and every call has been answered. */
export async function serveTools(
  [input, output]: [Readable, Writable],
  tools: readonly AgentTool[],
  host: AgentToolHost,
  version: string,
): Promise<void> {
  const transport = new LineTransport(input, output);
  const server = new Server({ name: "linkup", title: "Linkup", version }, { capabilities: { tools: {} } });
  const inFlight = new Set<Promise<unknown>>();
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(listed) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool "${params.name}".`);
    const call = called(tool, host, params.arguments, signal);
    inFlight.add(call);
    return call.finally(() => inFlight.delete(call));
  });
  await server.connect(transport);
  await transport.ended;
  await Promise.all(inFlight);
  // The answers leave in the microtasks after their calls.
  await new Promise((resolve) => setImmediate(resolve));
  await server.close();
}

function listed({ name, title, description, readOnly, inputSchema, outputSchema }: AgentTool): Tool {
  return {
    name,
    title,
    description,
    inputSchema,
    outputSchema,
    // Clients may call a read-only tool without asking their user.
    annotations: { readOnlyHint: readOnly, openWorldHint: !readOnly },
  };
}

/** A failure is for the model to read. */
async function called(
  tool: AgentTool,
  host: AgentToolHost,
  input: unknown,
  signal: AbortSignal,
): Promise<CallToolResult> {
  try {
    const { text, structured } = await tool.run(host, input ?? {}, signal);
    return { content: [{ type: "text", text }], structuredContent: structured };
  } catch (error) {
    return { content: [{ type: "text", text: (error as Error).message }], isError: true };
  }
}
