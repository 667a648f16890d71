/** The part of the control API that reads the access log. */
import * as z from "zod/mini";
import type { Exchange, FollowedExchange, RequestLogSettings } from "../../core/api/request-log-api.ts";
import { isFailed } from "../../core/api/request-log-api.ts";
import { type AccessLog, MAX_BODY_BYTES } from "../access-log/access-log.ts";
import type { InFlightExchange } from "../access-log/in-flight-exchange.ts";
import type { AddRoute, ApiCall } from "./api-route.ts";
import { ApiError, readJson, sendJson, sendNothing } from "./json.ts";
import { printDetails, printExchange } from "./print-exchange.ts";

const DEFAULT_LIMIT = 100;

const whole = z.coerce.number().check(z.int(), z.gte(0));
const filterSchema = z.object({
  after: z.optional(whole),
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
export function requestRoutes(
  route: AddRoute,
  log: AccessLog | undefined,
  pagePorts: readonly number[],
): void {
  if (!log) {
    const refuse = () => {
      throw new ApiError(404, "This local server keeps no request log (--request-log 0).");
    };
    for (const method of ["GET", "PUT", "DELETE"] as const)
      for (const path of ["/v1/requests", "/v1/requests/*"]) route(method, path, refuse);
    return;
  }
  route("GET", "/v1/requests", ({ response, query }) => {
    sendJson(response, 200, { requests: newest(log, parsed(filterSchema, query)) });
  });
  route("DELETE", "/v1/requests", ({ response }) => {
    log.clear();
    sendNothing(response);
  });
  route("GET", "/v1/requests/settings", ({ response }) => {
    const settings: RequestLogSettings = { recording: log.recording, body_bytes: log.bodyBytes };
    sendJson(response, 200, settings);
  });
  route("PUT", "/v1/requests/settings", async ({ request, response }) => {
    const settings = parsed(settingsSchema, await readJson(request));
    log.recording = settings.recording ?? log.recording;
    log.bodyBytes = settings.body_bytes ?? log.bodyBytes;
    sendJson(response, 200, {});
  });
  route("GET", "/v1/requests/follow", (call) => follow(log, parsed(filterSchema, call.query), call));
  route("GET", "/v1/requests/:id", ({ response, params: { id } }) => {
    const recorded = log.get(Number(id));
    if (!recorded) throw new ApiError(404, `There is no request ${id}, or it is no longer kept.`);
    sendJson(response, 200, printDetails(recorded, pagePorts));
  });
}

/** The newest that match, oldest first. */
function newest(log: AccessLog, filter: Filter): Exchange[] {
  const found: Exchange[] = [];
  for (const recorded of log.all().reverse()) {
    if (found.length >= filter.limit || recorded.metadata.id <= (filter.after ?? 0)) break;
    const exchange = printExchange(recorded);
    if (matches(exchange, filter)) found.push(exchange);
  }
  return found.reverse();
}

/** Writes the newest `limit`, then each that changes, as a line of JSON each, until the reader disconnects. */
function follow(log: AccessLog, filter: Filter, { request, response }: ApiCall): void {
  let full = false;
  let missed = 0;
  const write = (line: FollowedExchange) => {
    full = !response.write(`${JSON.stringify(line)}\n`);
  };
  const changed = (exchange: InFlightExchange) => {
    // A slow reader gets the number of exchanges it missed.
    if (full) {
      missed++;
      return;
    }
    const printed = printExchange(exchange.read());
    if (matches(printed, filter)) write(printed);
  };
  response.on("drain", () => {
    full = false;
    if (missed > 0) write({ missed });
    missed = 0;
  });
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  for (const exchange of newest(log, filter)) write(exchange);
  log.followers.add(changed);
  request.on("close", () => log.followers.delete(changed));
  response.on("close", () => log.followers.delete(changed));
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
