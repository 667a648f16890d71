/**
 * MCP's stdio transport: a JSON-RPC message per line. The SDK's own one drops lines that it cannot read; here their sender is
 * told, as JSON-RPC asks for, and the end of the input is known. Batches are understood in the one protocol version that has them.
 */
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  ErrorCode,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  JSONRPCRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** The only version with JSON-RPC batches. */
const VERSION_WITH_BATCHES = "2025-03-26";
const MAX_BATCH = 100;

type Id = string | number;

/** Requests that came together: their responses leave together. */
interface Batch {
  waiting: Set<Id>;
  responses: unknown[];
}

export class LineTransport implements Transport {
  readonly #input: Readable;
  readonly #output: Writable;
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** Resolves when the client has closed the input. */
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #batches = new Map<Id, Batch>();
  /** As agreed with the client. */
  #version: unknown;

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
    if (!("method" in message) && message.id !== undefined) {
      // The SDK tells its transport of no version: it is in the response to `initialize`.
      if ("result" in message) this.#version = message.result.protocolVersion ?? this.#version;
      const batch = this.#batches.get(message.id);
      if (batch) {
        batch.responses.push(message);
        this.#settle(message.id, batch);
        return;
      }
    }
    this.#write(message);
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
      this.#write(refusalOf(null, ErrorCode.ParseError, "This line is not JSON."));
      return;
    }
    if (Array.isArray(value)) this.#receiveBatch(value);
    else this.#dispatch(value, (refusal) => this.#write(refusal));
  }

  #receiveBatch(values: unknown[]): void {
    const wrong =
      this.#version !== VERSION_WITH_BATCHES
        ? `Batches are part of protocol version ${VERSION_WITH_BATCHES} only.`
        : values.length === 0 || values.length > MAX_BATCH
          ? `A batch has 1 to ${MAX_BATCH} messages.`
          : undefined;
    if (wrong) {
      this.#write(refusalOf(null, ErrorCode.InvalidRequest, wrong));
      return;
    }
    const ids = values.flatMap((value) => (isRequest(value) ? [value.id] : []));
    const batch: Batch = { waiting: new Set(ids), responses: [] };
    for (const id of ids) this.#batches.set(id, batch);
    for (const value of values) this.#dispatch(value, (refusal) => batch.responses.push(refusal));
    if (ids.length === 0) this.#flush(batch);
  }

  #dispatch(value: unknown, refuse: (refusal: unknown) => void): void {
    const { success, data } = JSONRPCMessageSchema.safeParse(value);
    if (!success) {
      const id = (value as { id?: unknown } | null)?.id ?? null;
      refuse(refusalOf(id, ErrorCode.InvalidRequest, "This is not a JSON-RPC 2.0 request."));
      return;
    }
    this.onmessage?.(data);
    // What is cancelled gets no response.
    if (!("method" in data) || data.method !== "notifications/cancelled") return;
    const cancelled = data.params?.requestId as Id;
    const batch = this.#batches.get(cancelled);
    if (batch) this.#settle(cancelled, batch);
  }

  #settle(id: Id, batch: Batch): void {
    this.#batches.delete(id);
    batch.waiting.delete(id);
    if (batch.waiting.size === 0) this.#flush(batch);
  }

  #flush({ responses }: Batch): void {
    if (responses.length > 0) this.#write(responses);
  }

  #write(message: unknown): void {
    this.#output.write(`${JSON.stringify(message)}\n`);
  }
}

function refusalOf(id: unknown, code: number, message: string): unknown {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function isRequest(value: unknown): value is { id: Id } {
  return JSONRPCRequestSchema.safeParse(value).success;
}
