/** The part of the control API that reads the request log. */
import { type Request, type Response, Router } from "express";
import * as z from "zod/mini";
import type { Exchange, FollowedExchange, RequestLogSettings } from "../../core/api/request-log-api.ts";
import { isFailed } from "../../core/api/request-log-api.ts";
import type { Exchange as Underway } from "../access-log/exchange.ts";
import { MAX_BODY_BYTES, type RequestLog } from "../access-log/log.ts";
import { printDetails, printExchange } from "../access-log/print.ts";

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
export function requestRoutes(log: RequestLog | undefined): Router {
  const router = Router();
  if (!log) {
    router.use((_request, response) => {
      response.status(404).json({ error: "This local server keeps no request log (--request-log 0)." });
    });
    return router;
  }
  router.get("/", (request, response) => {
    const filter = parsed(filterSchema, request.query, response);
    if (filter) response.json({ requests: newest(log, filter) });
  });
  router.delete("/", (_request, response) => {
    log.clear();
    response.status(204).end();
  });
  router.get("/settings", (_request, response) => {
    const settings: RequestLogSettings = { recording: log.recording, body_bytes: log.bodyBytes };
    response.json(settings);
  });
  router.put("/settings", (request, response) => {
    const settings = parsed(settingsSchema, request.body, response);
    if (!settings) return;
    log.recording = settings.recording ?? log.recording;
    log.bodyBytes = settings.body_bytes ?? log.bodyBytes;
    response.json({});
  });
  router.get("/follow", (request, response) => {
    const filter = parsed(filterSchema, request.query, response);
    if (filter) follow(log, filter, request, response);
  });
  router.get("/:id", (request, response) => {
    const recorded = log.get(Number(request.params.id));
    if (recorded) response.json(printDetails(recorded));
    else
      response
        .status(404)
        .json({ error: `There is no request ${request.params.id}, or it is too long ago to be remembered.` });
  });
  return router;
}

/** The newest that fit, oldest first. */
function newest(log: RequestLog, filter: Filter): Exchange[] {
  const found: Exchange[] = [];
  for (const recorded of log.all().reverse()) {
    if (found.length >= filter.limit || recorded.facts.id <= (filter.after ?? 0)) break;
    const exchange = printExchange(recorded);
    if (fits(exchange, filter)) found.push(exchange);
  }
  return found.reverse();
}

/** The newest so many, then each that changes, a line of JSON each, until the reader goes away. */
function follow(log: RequestLog, filter: Filter, request: Request, response: Response): void {
  let full = false;
  let missed = 0;
  const tell = (line: FollowedExchange) => {
    full = !response.write(`${JSON.stringify(line)}\n`);
  };
  const changed = (exchange: Underway) => {
    // Nothing is printed for a reader who does not take it: he is told how much he missed.
    if (full) {
      missed++;
      return;
    }
    const printed = printExchange(exchange.read());
    if (fits(printed, filter)) tell(printed);
  };
  response.on("drain", () => {
    full = false;
    if (missed > 0) tell({ missed });
    missed = 0;
  });
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  for (const exchange of newest(log, filter)) tell(exchange);
  log.followers.add(changed);
  request.on("close", () => log.followers.delete(changed));
  response.on("close", () => log.followers.delete(changed));
}

function fits(exchange: Exchange, { session, service, status, failed, method, path }: Filter): boolean {
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

/** Answers 400 with what is wrong, and returns undefined, when it does not fit. */
function parsed<T extends z.core.$ZodType>(
  schema: T,
  value: unknown,
  response: Response,
): z.output<T> | undefined {
  const result = z.safeParse(schema, value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  response.status(400).json({ error: problems.join("\n") });
  return undefined;
}
