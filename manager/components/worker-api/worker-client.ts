/** Talks to the Worker's HTTP API, ours or the original's. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ZodMiniType } from "zod/mini";
import type { TunneledSession, WorkerCapabilities } from "../../../core/api/control-api.ts";
import { serializeRouting, type UpsertRequest } from "../../../core/session/session-document.ts";
import { LinkupError } from "../../model/problem.ts";
import {
  capabilitiesAnswer,
  deletedAnswer,
  namedAnswer,
  readAnswer,
  tunneledAnswer,
} from "./worker-answers.ts";

const TIMEOUT_MS = 15_000;

interface Answer {
  status: number;
  text: string;
}

export class WorkerClient {
  readonly url: string;
  readonly #token: string;
  readonly #timeoutMs: number;

  constructor(url: string, token: string, timeoutMs = TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
    this.url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /** Undefined for a Worker of the original, which takes the call for one to its proxy. */
  async capabilities(): Promise<WorkerCapabilities | undefined> {
    const path = "/linkup/v2/capabilities";
    const answer = await this.#ask("GET", path);
    if (answer.status === 401) throw this.#refused();
    // Not able now is not the same as not able.
    if (answer.status === 429 || answer.status >= 500) throw this.#failed("GET", path, answer);
    if (answer.status !== 200) return undefined;
    const read = readAnswer(capabilitiesAnswer, answer.text);
    return read.ok ? read.value : undefined;
  }

  /** Undefined when the name belongs to someone else. */
  async putTunneled(request: UpsertRequest): Promise<TunneledSession | undefined> {
    return this.#upsert("/linkup/v2/sessions/tunneled", request, tunneledAnswer);
  }

  /** Undefined when the name belongs to someone else. */
  async putPreview(request: UpsertRequest): Promise<{ session_name: string } | undefined> {
    return this.#upsert("/linkup/v2/sessions/preview", request, namedAnswer);
  }

  /** For Workers with the capability `inspect-session`. */
  async hasSession(name: string): Promise<boolean> {
    const path = `/linkup/v2/sessions/${encodeURIComponent(name)}`;
    const answer = await this.#ask("GET", path);
    if (answer.status === 401) throw this.#refused();
    if (answer.status !== 200 && answer.status !== 404) throw this.#failed("GET", path, answer);
    return answer.status === 200;
  }

  /** Deletes the sessions whose names fit (`*` for any characters); for Workers with the capability `delete-by-pattern`. */
  async deleteSessions(pattern: string): Promise<string[]> {
    const path = `/linkup/v2/sessions?name=${encodeURIComponent(pattern)}`;
    const answer = await this.#ask("DELETE", path);
    if (answer.status === 401) throw this.#refused();
    const read = readAnswer(deletedAnswer, answer.text);
    if (answer.status !== 200 || !read.ok) throw this.#failed("DELETE", path, answer);
    return read.value.deleted;
  }

  /** The Worker forgets the session; for Workers with the capability `delete-session`. False when there was none. */
  async deleteSession(name: string): Promise<boolean> {
    const path = `/linkup/v2/sessions/${encodeURIComponent(name)}`;
    const answer = await this.#ask("DELETE", path);
    if (answer.status === 401) throw this.#refused();
    if (answer.status !== 204 && answer.status !== 404) throw this.#failed("DELETE", path, answer);
    return answer.status === 204;
  }

  async #upsert<T>(path: string, request: UpsertRequest, schema: ZodMiniType<T>): Promise<T | undefined> {
    const answer = await this.#ask("POST", path, { ...request, ...serializeRouting(request) });
    if (answer.status === 409) return undefined;
    if (answer.status === 401) throw this.#refused();
    if (answer.status !== 200) throw this.#failed("POST", path, answer);
    return this.#read(schema, "POST", path, answer);
  }

  /** What stands in a 200. It is not told when it is something else: it may hold a secret. */
  #read<T>(schema: ZodMiniType<T>, method: string, path: string, { text }: Answer): T {
    const read = readAnswer(schema, text);
    if (read.ok) return read.value;
    throw new LinkupError(
      "worker-failed",
      `What answers at ${this.url} is no Worker of Linkup: its answer to ${method} ${path} has no valid ${read.wrong}. Check linkup.worker_url.`,
    );
  }

  #failed(method: string, path: string, { status, text }: Answer): LinkupError {
    const said = text.trim().slice(0, 500) || "(nothing)";
    return new LinkupError(
      "worker-failed",
      `The Worker at ${this.url} answered ${status} to ${method} ${path}: ${said}`,
    );
  }

  #refused(why = "It must be the one that the Worker was deployed with (WORKER_TOKEN)."): LinkupError {
    return new LinkupError("token-refused", `The Worker at ${this.url} does not accept the token. ${why}`, [
      { command: "setWorkerToken", title: "Set Worker Token…", terminal: "export LINKUP_WORKER_TOKEN=…" },
    ]);
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    if (/[^!-~]/.test(this.#token))
      return Promise.reject(this.#refused("It has characters that no token has: a line break, a space?"));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const payload = body === undefined ? "" : JSON.stringify(body);
    const url = new URL(this.url + path);
    const call = (url.protocol === "https:" ? httpsRequest : httpRequest)(
      url,
      {
        method,
        agent: false,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          "content-length": Buffer.byteLength(payload),
        },
        signal: AbortSignal.timeout(this.#timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => reject(this.#unreachable(error)));
        response.on("end", () =>
          resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    call.on("error", (error) => reject(this.#unreachable(error)));
    call.end(payload);
    return promise;
  }

  #unreachable(cause: Error): LinkupError {
    return new LinkupError(
      "worker-unreachable",
      `The Worker at ${this.url} cannot be reached: ${networkReason(cause)}. Check linkup.worker_url and your connection.`,
      [{ command: "restart", title: "Try Again", terminal: "linkup start" }],
      { cause },
    );
  }
}

/** What went wrong on the network, in words. */
export function networkReason(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  // Connecting to several addresses of one host fails with one error for each.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  if (error.name === "AbortError" || error.name === "TimeoutError") return "it did not answer in time";
  if (code === "ECONNREFUSED") return "nothing listens there (connection refused)";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host name cannot be found";
  if (code === "ECONNRESET" || code === "EPIPE") return "it closed the connection";
  return error.message || inner?.message || code || "unknown reason";
}
