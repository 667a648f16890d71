/** The part of the control API that reads the access log. */
import * as z from "zod/mini";
import type { Exchange, FollowedExchange, RequestLogSettings } from "../../core/api/request-log-api.ts";
import { isFailed } from "../../core/api/request-log-api.ts";
import { MAX_BODY_BYTES } from "../access-log/access-log.ts";
import type { AddRoute, ApiCall } from "./api-route.ts";
import { ApiError, readJson, sendJson, sendNothing } from "./json.ts";
import { parseReplay, type ReplayContext, replayExchange } from "./replay-exchange.ts";
import type { RequestLog } from "./request-log.ts";

const DEFAULT_LIMIT = 100;

const whole = z.coerce.number().check(z.int(), z.gte(0));
const filterSchema = z.object({
  after: z.optional(whole),
  before: z.optional(whole),
  limit: z._default(whole, DEFAULT_LIMIT),
  session: z.optional(z.string()),
  service: z.optional(z.string()),
  status: z.optional(whole),
  failed: z.optional(
    z.pipe(
      z.enum(["true", "false"]),
      z.transform((text) => text === "true"),
    ),
  ),
  method: z.optional(z.string()),
  path: z.optional(z.string()),
});
type Filter = z.output<typeof filterSchema>;

const settingsSchema = z.object({
  recording: z.optional(z.boolean()),
  body_bytes: z.optional(z.number().check(z.int(), z.gte(0), z.lte(MAX_BODY_BYTES))),
});

/** `log` is undefined when the local server keeps none. */
export function requestRoutes(route: AddRoute, log: RequestLog | undefined, replaying: ReplayContext): void {
  if (!log) {
    const refuse = () => {
      throw new ApiError(404, "This local server keeps no request log (--request-log 0).");
    };
    for (const method of ["GET", "PUT", "POST", "DELETE"] as const)
      for (const path of ["/v1/requests", "/v1/requests/*"]) route(method, path, refuse);
    return;
  }
  const { local } = log;
  route("GET", "/v1/requests", ({ response, query }) => {
    sendJson(response, 200, { requests: newest(log, parsed(filterSchema, query)) });
  });
  route("DELETE", "/v1/requests", ({ response }) => {
    log.clear();
    sendNothing(response);
  });
  route("GET", "/v1/requests/settings", ({ response }) => {
    const settings: RequestLogSettings = { recording: local.recording, body_bytes: local.bodyBytes };
    sendJson(response, 200, settings);
  });
  route("PUT", "/v1/requests/settings", async ({ request, response }) => {
    const settings = parsed(settingsSchema, await readJson(request));
    local.recording = settings.recording ?? local.recording;
    local.bodyBytes = settings.body_bytes ?? local.bodyBytes;
    sendJson(response, 200, {});
  });
  route("GET", "/v1/requests/follow", (call) => follow(log, parsed(filterSchema, call.query), call));
  route("GET", "/v1/requests/:id", ({ response, params: { id } }) => {
    const details = log.details(Number(id));
    if (!details) throw new ApiError(404, `There is no request ${id}, or it is no longer kept.`);
    sendJson(response, 200, details);
  });
  route("POST", "/v1/requests/:id/replay", async ({ request, response, params: { id } }) => {
    const asked = parseReplay(await readJson(request));
    const kept = log.kept(Number(id));
    if (!kept) throw new ApiError(404, `There is no request ${id} of a session, or it is no longer kept.`);
    sendJson(response, 200, await replayExchange(kept, asked, local, replaying));
  });
}

/** The newest that match, oldest first. */
function newest(log: RequestLog, filter: Filter): Exchange[] {
  const found: Exchange[] = [];
  for (const exchange of [...log].reverse()) {
    if (found.length >= filter.limit || exchange.id <= (filter.after ?? 0)) break;
    if (exchange.id >= (filter.before ?? Number.POSITIVE_INFINITY)) continue;
    if (matches(exchange, filter)) found.push(exchange);
  }
  return found.reverse();
}

/** Writes the newest `limit`, then each that changes, as a line of JSON each, until the reader disconnects. */
function follow(log: RequestLog, filter: Filter, { request, response }: ApiCall): void {
  let full = false;
  let missed = 0;
  const write = (line: FollowedExchange) => {
    full = !response.write(`${JSON.stringify(line)}\n`);
  };
  response.on("drain", () => {
    full = false;
    if (missed > 0) write({ missed });
    missed = 0;
  });
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  for (const exchange of newest(log, filter)) write(exchange);
  const leave = log.follow({
    changed(print) {
      // A slow reader gets the number of exchanges it missed.
      if (full) {
        missed++;
        return;
      }
      const exchange = print();
      if (matches(exchange, filter)) write(exchange);
    },
    statusChanged: (watch) => write({ watch }),
    dropped: (dropped) => write({ dropped }),
  });
  for (const watch of log.statuses) write({ watch });
  request.on("close", leave);
  response.on("close", leave);
}

function matches(exchange: Exchange, { session, service, status, failed, method, path }: Filter): boolean {
  return (
    (session === undefined || exchange.session === session) &&
    (service === undefined || exchange.service === service) &&
    (status === undefined || exchange.status === status) &&
    (failed === undefined || isFailed(exchange) === failed) &&
    (method === undefined || exchange.method === method.toUpperCase()) &&
    (path === undefined ||
      [exchange.client_host, exchange.host].some((host) => `${host}${exchange.target}`.includes(path)))
  );
}

/** Throws an ApiError that names what is wrong. */
function parsed<T extends z.core.$ZodType>(schema: T, value: unknown): z.output<T> {
  const result = z.safeParse(schema, value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ApiError(400, problems.join("\n"));
}
