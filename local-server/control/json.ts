/** JSON in and out of the control API. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Bytes. A session document is much smaller. */
const MAX_BODY = 10 << 20;

/** A request that the API refuses with this status. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const payload = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": payload.length,
  });
  response.end(payload);
}

export function sendNothing(response: ServerResponse): void {
  response.writeHead(204).end();
}

/** Undefined without a body. Rejects with an ApiError. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new ApiError(413, `The body is longer than ${MAX_BODY >> 20} MB.`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new ApiError(400, `The body is not valid JSON: ${(error as Error).message}`);
  }
}
