/** The Model Context Protocol over lines of JSON: https://modelcontextprotocol.io/specification, server side, tools only. */

export interface Tool {
  name: string;
  title: string;
  description: string;
  /** JSON Schema of the arguments. */
  inputSchema: { type: "object"; properties: Record<string, unknown>; required?: string[] };
  /** `readOnlyHint`: an agent may call it without asking its user. */
  annotations: { readOnlyHint: boolean; openWorldHint: boolean };
  /** What the agent is told. Rejects with what stands in the way. */
  run(input: Record<string, unknown>): Promise<string>;
}

interface Message {
  jsonrpc?: unknown;
  id?: unknown;
  method?: unknown;
  params?: { [name: string]: unknown } | undefined;
}

const VERSIONS = ["2025-06-18", "2025-03-26", "2024-11-05"];
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

/** The answer to one line, as one line; undefined for notifications, which have none. Never rejects. */
export async function answer(
  line: string,
  tools: readonly Tool[],
  version: string,
): Promise<string | undefined> {
  let message: Message;
  try {
    message = JSON.parse(line);
  } catch {
    return failed(null, PARSE_ERROR, "This line is no JSON.");
  }
  const { id, method, params } = message ?? {};
  if (message?.jsonrpc !== "2.0" || typeof method !== "string")
    return failed(id ?? null, INVALID_REQUEST, "This is no JSON-RPC 2.0 request.");
  if (id === undefined) return undefined;
  switch (method) {
    case "initialize": {
      const asked = params?.protocolVersion as string;
      return done(id, {
        protocolVersion: VERSIONS.includes(asked) ? asked : VERSIONS[0],
        capabilities: { tools: {} },
        serverInfo: { name: "linkup", title: "Linkup", version },
      });
    }
    case "ping":
      return done(id, {});
    case "tools/list":
      return done(id, { tools: tools.map(({ run, ...tool }) => tool) });
    case "tools/call": {
      const tool = tools.find(({ name }) => name === params?.name);
      if (!tool) return failed(id, INVALID_PARAMS, `There is no tool "${params?.name}".`);
      return done(id, await call(tool, (params?.arguments ?? {}) as Record<string, unknown>));
    }
    default:
      return failed(id, METHOD_NOT_FOUND, `There is no method "${method}".`);
  }
}

/** A tool's failure is for the agent to read, not for its program. */
async function call(tool: Tool, input: Record<string, unknown>) {
  const missing = (tool.inputSchema.required ?? []).filter((name) => input[name] === undefined);
  try {
    if (missing.length > 0) throw new Error(`${missing.join(" and ")} must be given.`);
    return { content: [{ type: "text", text: await tool.run(input) }] };
  } catch (error) {
    return { content: [{ type: "text", text: (error as Error).message }], isError: true };
  }
}

function done(id: unknown, result: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

function failed(id: unknown, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}
