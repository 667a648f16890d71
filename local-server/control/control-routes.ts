/** The control API that core/api/control-api.ts describes. */
import type { RequestListener, ServerResponse } from "node:http";
import newRouter from "find-my-way";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { isToken } from "../../core/http-token.ts";
import { type Explanation, explainRequest } from "../../core/routing/explain-request.ts";
import { withoutDestination } from "../../core/routing/proxy-headers.ts";
import { headOfUrl } from "../../core/routing/routing-input.ts";
import type { LocalCopies } from "../auto/local-copies.ts";
import { type Leases, parseLease } from "../leases.ts";
import { printServed, type Sessions } from "../served-sessions.ts";
import type { Pool } from "../upstream/pool.ts";
import type { AddRoute, ApiCall } from "./api-route.ts";
import { ApiError, readJson, sendJson, sendNothing } from "./json.ts";
import { parseProbe, probe } from "./probe.ts";
import type { RequestLog } from "./request-log.ts";
import { requestRoutes } from "./requests-api.ts";
import type { TunnelLogs } from "./tunnel-logs.ts";

export interface ControlledServer {
  sessions: Sessions;
  leases: Leases;
  localCopies: LocalCopies;
  /** Connections to services. */
  pool: Pool;
  log: RequestLog | undefined;
  tunnelLogs: TunnelLogs;
  /** The ports at which pages of sessions are served here. */
  pagePorts: readonly number[];
  status(): ServerStatus;
  /** A lease was taken or given up. */
  leasesChanged(): void;
  stop(reason: string): void;
}

export function controlApi(server: ControlledServer): RequestListener {
  const router = newRouter({
    ignoreTrailingSlash: true,
    defaultRoute: (request, response) => {
      const [path] = (request.url ?? "").split("?");
      sendJson(response as ServerResponse, 404, {
        error: `There is no ${request.method} ${path} in the control API.`,
      });
    },
  });
  const route: AddRoute = (method, path, handler) =>
    router.on(method, path, (request, response, params, _store, query) => {
      const call = { request, response, params, query } as ApiCall;
      Promise.resolve(call)
        .then(handler)
        .catch((error: Error) => fail(call.response, error));
    });

  route("GET", "/v1/status", async ({ response }) => {
    await server.localCopies.lookAgainAtAll();
    sendJson(response, 200, server.status());
  });
  route("GET", "/v1/auto/follow", (call) => followLocalCopies(server.localCopies, call));
  sessionRoutes(route, server);
  leaseRoutes(route, server);
  route("POST", "/v1/explain", async ({ request, response }) => {
    const question = await readJson(request);
    await server.localCopies.lookAgainAtAll();
    sendJson(response, 200, explained(server.sessions, question));
  });
  route("POST", "/v1/probe", async ({ request, response }) => {
    const asked = parseProbe(await readJson(request));
    if (!asked) throw new ApiError(400, "A probe needs a location (URL), a path and timeout_ms.");
    sendJson(response, 200, await probe(server.pool, asked));
  });
  route("DELETE", "/v1/tunnel-logs/:name", async ({ response, params: { name = "" } }) => {
    await server.tunnelLogs.end(name);
    sendNothing(response);
  });
  requestRoutes(route, server.log, server);
  route("POST", "/v1/stop", ({ response }) => {
    sendJson(response, 202, {});
    server.stop("requested by the control API");
  });
  return (request, response) => router.lookup(request, response);
}

function sessionRoutes(route: AddRoute, { sessions, localCopies }: ControlledServer): void {
  route("GET", "/v1/sessions", ({ response }) => {
    const served = sessions.names.map((name) => [name, printServed(sessions.given(name)!)]);
    sendJson(response, 200, { sessions: Object.fromEntries(served) });
  });
  route("PUT", "/v1/sessions/:name", async ({ request, response, params: { name = "" } }) => {
    const put = sessions.put(name, await readJson(request));
    if (!put.ok) throw new ApiError(400, `The session "${name}" cannot be served:\n${put.errors.join("\n")}`);
    // The next request goes where each service is now.
    await localCopies.watch(sessions.autoLocations);
    sendJson(response, 200, {});
  });
  route("DELETE", "/v1/sessions/:name", ({ response, params: { name = "" } }) => {
    sessions.delete(name);
    void localCopies.watch(sessions.autoLocations);
    sendNothing(response);
  });
}

/** Writes a line at once and with each change, until the reader disconnects. */
function followLocalCopies(localCopies: LocalCopies, { response }: ApiCall): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const tell = () => void response.write(`${JSON.stringify(localCopies.states ?? {})}\n`);
  response.on("close", localCopies.follow(tell));
  tell();
}

function leaseRoutes(route: AddRoute, server: ControlledServer): void {
  route("PUT", "/v1/leases/:id", async ({ request, response, params: { id = "" } }) => {
    const lease = parseLease(await readJson(request));
    if (!lease)
      throw new ApiError(
        400,
        "ttl_ms must be a number of milliseconds or null, files a list of at most 100 paths",
      );
    server.leases.put(id, lease);
    server.leasesChanged();
    sendJson(response, 200, {});
  });
  route("DELETE", "/v1/leases/:id", ({ response, params: { id = "" } }) => {
    server.leases.delete(id);
    server.leasesChanged();
    sendNothing(response);
  });
}

function fail(response: ServerResponse, error: Error): void {
  if (response.headersSent) response.destroy();
  else sendJson(response, error instanceof ApiError ? error.status : 500, { error: error.message });
}

/** Throws an ApiError that says what is wrong with the question. */
function explained(sessions: Sessions, body: unknown): Explanation {
  const {
    url,
    method,
    headers = {},
  } = (body ?? {}) as { url?: unknown; method?: unknown; headers?: unknown };
  if (typeof url !== "string" || !URL.canParse(url)) throw new ApiError(400, "url: must be an absolute URL");
  if (typeof headers !== "object" || headers === null) throw new ApiError(400, "headers: must be an object");
  if (Object.values(headers).some((value) => typeof value !== "string"))
    throw new ApiError(400, "headers: every value must be a string");
  if (method !== undefined && !(typeof method === "string" && isToken(method)))
    throw new ApiError(400, "method: must be an HTTP method");
  const head = headOfUrl(url, headers as Record<string, string>, method);
  return explainRequest(sessions, withoutDestination(head));
}
