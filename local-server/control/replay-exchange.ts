/**
 * Sends a request of the log again. What was redacted for readers of the log never leaves this process, but to where it went
 * before, or where the user says so.
 */
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod/mini";
import type { ReplayRequest, ReplayResponse } from "../../core/api/request-log-api.ts";
import { MASK, redactedHeader, redactedHeaders, redactedText } from "../../core/exchange/redact.ts";
import { type Routed, route } from "../../core/routing/route-request.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import type { AccessLog } from "../access-log/access-log.ts";
import { BodyCapture } from "../access-log/body-capture.ts";
import type { InFlightExchange } from "../access-log/in-flight-exchange.ts";
import type { ClientHead } from "../downstream/client.ts";
import { Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import { trustedHead } from "../proxy/destination-proof.ts";
import { serviceRequest } from "../proxy/upstream-request.ts";
import type { Served, Sessions } from "../served-sessions.ts";
import type { Pool } from "../upstream/pool.ts";
import type { UpstreamRequest } from "../upstream/upstream-stream.ts";
import { ApiError } from "./json.ts";
import { printBody } from "./print-exchange.ts";

const TIMEOUT_MS = 30_000;
const MAX_BODY = 1 << 20;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Written anew, or about the connection of then. Compressed bodies could not be compared. */
const NOT_REPLAYED: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "if-modified-since",
  "if-none-match",
  "keep-alive",
  // Linkup's own, between its hops.
  "linkup-destination",
  "linkup-destination-proof",
  "linkup-hop",
  "linkup-hops",
  "linkup-origin-secret",
  "te",
  "transfer-encoding",
  "upgrade",
]);

const schema: z.ZodMiniType<ReplayRequest> = z.object({
  location: z.nullable(z.string().check(z.refine((url) => httpOrigin(url) !== undefined, "is no URL"))),
  secrets: z.boolean(),
  edited: z.exactOptional(
    z.object({
      method: z.string().check(z.regex(TOKEN)),
      target: z.string().check(z.regex(/^\/[!-~]*$/)),
      headers: z
        .array(z.tuple([z.string().check(z.regex(TOKEN)), z.string().check(z.regex(/^[^\r\n\0]*$/))]))
        .check(z.maxLength(500)) as unknown as z.ZodMiniType<[string, string][]>,
      body: z.nullable(z.string()),
    }),
  ),
});

/** Throws an ApiError that names what is wrong. */
export function parseReplay(body: unknown): ReplayRequest {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw new ApiError(
    400,
    read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"),
  );
}

/** What a replay needs of the server. */
export interface ReplayContext {
  sessions: Sessions;
  pool: Pool;
  pagePorts: readonly number[];
}

/** A request of the log, with its secrets. Those of a request that only the Worker had are `***`. */
export interface KeptRequest {
  id: number;
  served: Served;
  listener: "browser" | "tunnel";
  secure: boolean;
  method: string;
  host: string;
  target: string;
  headers: readonly string[];
  /** Null when there was none; undefined when it was not kept as a whole. */
  body: Buffer | null | undefined;
  /** Where it went. */
  origin: string | undefined;
}

export async function replayExchange(
  kept: KeptRequest,
  asked: ReplayRequest,
  log: AccessLog,
  { sessions, pool, pagePorts }: ReplayContext,
): Promise<ReplayResponse> {
  const { edited } = asked;
  const served = sessions.get(kept.served.name) ?? kept.served;
  const body = edited ? (edited.body === null ? null : Buffer.from(edited.body)) : kept.body;
  if (body === undefined)
    throw new ApiError(
      409,
      "The body of this request was not kept. Keep bodies before it is sent, or edit the request.",
    );
  const method = edited?.method ?? kept.method;
  const decision = decide(kept, served, edited?.target ?? kept.target, asked.location);
  const mayShow = asked.secrets || decision.origin === kept.origin;
  const withheld = new Set<string>();
  const headers = headersFor(kept, edited?.headers, mayShow, withheld);
  const target = mayShow ? decision.target : redactedText(decision.target);
  if (target !== decision.target) withheld.add("query");

  const fields = new Fields([...headers, ...(body ? ["content-length", String(body.length)] : [])]);
  const head: ClientHead = {
    method,
    host: kept.host,
    target: kept.target,
    fields,
    header: (name) => fields.get(name),
    secure: kept.secure,
    hasBody: body !== null,
  };
  const arrival = { listener: kept.listener, pagePorts };
  const routed = { ...decision, target };
  const request = serviceRequest(head, served, routed, arrival);
  const recorder = log.begin(
    { ...head, target: edited?.target ?? kept.target, protocol: "HTTP/1.1" },
    kept.listener,
  );
  recorder?.replays(kept.id, decision.origin);
  recorder?.decided({ served, decision: routed });
  recorder?.sentOn(request.traceparent);
  const started = performance.now();
  const { response, captured } = await send(pool, request, body, recorder);
  return {
    url: redactedText(decision.origin + target),
    status: response.status,
    headers: redactedHeaders(response.fields.raw),
    body: captured ? printBody(captured) : null,
    ms: Math.round((performance.now() - started) * 10) / 10,
    withheld: [...withheld],
  };
}

/** Where the session routes it now, or at another copy of that service. Throws an ApiError when nothing serves it. */
function decide(kept: KeptRequest, served: Served, target: string, location: string | null): Routed {
  const fields = new Fields(kept.headers);
  const head = { host: kept.host, target, header: (name: string) => fields.get(name) };
  const decision = route(served.name, served.session, trustedHead(kept.listener, served, head));
  if (decision.outcome !== "routed")
    throw new ApiError(409, "No service of the session would get this request now.");
  if (location === null) return decision;
  return { ...decision, origin: httpOrigin(location)!, service: { ...decision.service, location } };
}

/** Name, value, name, value…; secrets as they were where they may be shown, else left out and named in `withheld`. */
function headersFor(
  kept: KeptRequest,
  edited: [string, string][] | undefined,
  mayShow: boolean,
  withheld: Set<string>,
): string[] {
  const original = pairs(kept.headers);
  const lines = edited ? edited.map((line) => restored(line, original)) : original;
  const headers: string[] = [];
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    if (NOT_REPLAYED.has(lower)) continue;
    const isUserOwn = edited?.some(([, text]) => text === value) && !value.includes(MASK);
    const isSecret = redactedHeader(name, value) !== value;
    if (value.includes(MASK) || (isSecret && !mayShow && !isUserOwn)) withheld.add(lower);
    else headers.push(name, value);
  }
  return headers;
}

/** An edited line that still is as it was shown stands for what it was. */
function restored([name, value]: [string, string], original: [string, string][]): [string, string] {
  if (!value.includes(MASK)) return [name, value];
  const same = original.find(
    ([other, secret]) =>
      other.toLowerCase() === name.toLowerCase() && redactedHeader(other, secret) === value,
  );
  return same ?? [name, value];
}

function pairs(raw: readonly string[]): [string, string][] {
  const all: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) all.push([raw[i]!, raw[i + 1]!]);
  return all;
}

/** Rejects with an ApiError when there is no complete answer. */
function send(
  pool: Pool,
  request: UpstreamRequest,
  body: Buffer | null,
  recorder: InFlightExchange | undefined,
): Promise<{ response: ResponseHead; captured: ReturnType<BodyCapture["read"]> }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof send>>>();
  const capture = new BodyCapture(MAX_BODY);
  let head: ResponseHead | undefined;
  let abort = () => {};
  const over = new AbortController();
  const finish = (error?: Error) => {
    over.abort();
    if (error) recorder?.aborted("service", error.message);
    recorder?.end();
    if (error) reject(new ApiError(502, `The request could not be sent again: ${error.message}`));
    else resolve({ response: head!, captured: capture.read() });
  };
  const requirements = { retriable: true, fresh: true, upgrade: false, h2c: request.h2c };
  abort = pool.acquire(request.origin, requirements, (error, stream) => {
    if (!stream) return finish(error);
    abort = () => stream.abort();
    stream.request(request, {
      information() {},
      head(response) {
        head = response;
        recorder?.respond(response.status, response);
      },
      data(chunk, done) {
        recorder?.received(chunk);
        capture.take(chunk);
        done();
      },
      end: () => finish(),
      caughtUp() {},
      switched: (_head, socket) => {
        socket.destroy();
        finish(new Error("it switched protocols"));
      },
      drained() {},
      failed: (error) => finish(error),
    });
    if (body) recorder?.sent(body);
    if (body) stream.write(body);
    stream.finish([]);
  });
  void delay(TIMEOUT_MS, undefined, { signal: over.signal, ref: false }).then(
    () => {
      abort();
      finish(new Error(`it took longer than ${TIMEOUT_MS / 1_000} s`));
    },
    () => {},
  );
  return promise;
}
