/** How a part of the control API adds its calls. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** A call of the API: `params` from its path, `query` from its URL. */
export interface ApiCall {
  request: IncomingMessage;
  response: ServerResponse;
  params: Record<string, string | undefined>;
  query: Record<string, string>;
}

export type AddRoute = (method: "GET" | "PUT" | "POST" | "DELETE", path: string, handler: ApiHandler) => void;
export type ApiHandler = (call: ApiCall) => void | Promise<void>;
