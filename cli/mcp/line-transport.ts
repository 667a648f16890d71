/**
 * MCP's stdio transport: a JSON-RPC message per line. The SDK's own one drops lines that it cannot read; here their sender is
 * told, as JSON-RPC asks for, and the end of the input is known.
 */
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";

export class LineTransport implements Transport {
  readonly #input: Readable;
  readonly #output: Writable;
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** Resolves when the client has closed the input. */
  readonly ended: Promise<void>;
  readonly #end: () => void;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  async start(): Promise<void> {
    createInterface({ input: this.#input })
      .on("line", (line) => this.#receive(line))
      .on("close", this.#end);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#output.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  #receive(line: string): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#refuse(null, ErrorCode.ParseError, "This line is not JSON.");
      return;
    }
    const { success, data } = JSONRPCMessageSchema.safeParse(value);
    const id = (value as { id?: unknown } | null)?.id;
    if (success) this.onmessage?.(data);
    else this.#refuse(id ?? null, ErrorCode.InvalidRequest, "This is not a JSON-RPC 2.0 request.");
  }

  #refuse(id: unknown, code: number, message: string): void {
    this.#output.write(`${JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })}\n`);
  }
}
