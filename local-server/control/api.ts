/** The control API that core/control.ts describes. */
import express, { type ErrorRequestHandler, type Express } from "express";
import type { ServerStatus } from "../../core/api/control-api.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import { explainRequest } from "../../core/routing/explain-request.ts";
import { headOfUrl } from "../../core/routing/routing-input.ts";
import type { RequestLog } from "../access-log/log.ts";
import { type Leases, parseLease } from "../leases.ts";
import { printServed, type Sessions } from "../sessions.ts";
import { requestRoutes } from "./requests.ts";

export interface ControlledServer {
  sessions: Sessions;
  leases: Leases;
  log: RequestLog | undefined;
  status(): ServerStatus;
  /** A lease came or went. */
  leased(): void;
  stop(reason: string): void;
}

export function controlApi(server: ControlledServer): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(express.json({ limit: "10mb", strict: false }));

  app.get("/v1/status", (_request, response) => {
    response.json(server.status());
  });

  app.get("/v1/sessions", (_request, response) => {
    const sessions = Object.fromEntries(
      Array.from(server.sessions, (served) => [served.name, printServed(served)]),
    );
    response.json({ sessions });
  });
  app.put("/v1/sessions/:name", (request, response) => {
    const { name } = request.params;
    const put = server.sessions.put(name, request.body);
    if (put.ok) response.json({});
    else
      response
        .status(400)
        .json({ error: `The session "${name}" cannot be served:\n${put.errors.join("\n")}` });
  });
  app.delete("/v1/sessions/:name", (request, response) => {
    server.sessions.delete(request.params.name);
    response.status(204).end();
  });

  app.put("/v1/leases/:id", (request, response) => {
    const lease = parseLease(request.body);
    if (!lease) {
      response.status(400).json({ error: "ttl_ms: must be a number of milliseconds, or null" });
      return;
    }
    server.leases.put(request.params.id, lease);
    server.leased();
    response.json({});
  });
  app.delete("/v1/leases/:id", (request, response) => {
    server.leases.delete(request.params.id);
    server.leased();
    response.status(204).end();
  });

  app.post("/v1/explain", (request, response) => {
    const explanation = explained(server.sessions, request.body);
    if (typeof explanation === "string") response.status(400).json({ error: explanation });
    else response.json(explanation);
  });

  app.use("/v1/requests", requestRoutes(server.log));

  app.post("/v1/stop", (_request, response) => {
    response.status(202).json({});
    server.stop("asked to by the control API");
  });

  app.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path} in the control API.` });
  });
  const failed: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
    response.status(error.status ?? 500).json({ error: error.message });
  };
  app.use(failed);
  return app;
}

/** What would happen to this request; a text that says what is wrong with the question. */
function explained(sessions: Sessions, body: unknown): Explanation | string {
  const { url, headers = {} } = (body ?? {}) as { url?: unknown; headers?: unknown };
  if (typeof url !== "string" || !URL.canParse(url)) return "url: must be an absolute URL";
  if (typeof headers !== "object" || headers === null) return "headers: must be an object";
  if (Object.values(headers).some((value) => typeof value !== "string"))
    return "headers: every value must be a text";
  return explainRequest(sessions, headOfUrl(url, headers as Record<string, string>));
}
