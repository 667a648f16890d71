/**
 * Reports the exchanges of watched sessions to their objects, after the response and in batches. A session that nobody
 * watches costs one comparison.
 */
import { type EdgeReport, MAX_REPORTS_PER_SECOND } from "../../core/api/edge-report-api.ts";
import { likelySender } from "../../core/exchange/likely-sender.ts";
import { redactedHeader, redactedText } from "../../core/exchange/redact.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { traceIdOf } from "../../core/routing/trace-context.ts";
import type { Env } from "../env.ts";
import { sessionObject } from "../objects/session-object.ts";
import type { RoutedRequest } from "./routed-request.ts";
import { FRESH_MS, type SessionMatch } from "./session-lookup.ts";
import { watchedSessions } from "./session-names.ts";

/** How long reports are collected before they are sent. */
const BATCH_MS = 100;
/** A batch whose request has ended with its timer is sent by a later one. */
const STUCK_MS = 2_000;
/** Characters of all headers of one message, and of one target. */
const MAX_HEADERS = 16_384;
const MAX_TARGET = 4_096;
/** Sessions that one lost request is told to. */
const MAX_TOLD = 20;

interface Batch {
  since: number;
  reports: string[];
  traces: string[];
  dropped: number;
}

/** By session. */
const batches = new Map<string, Batch>();
let second = 0;
let reported = 0;

/** What the proxy learns of an exchange of a watched session. */
export class WatchedExchange {
  readonly hop = newHopId();
  readonly #started = Date.now();
  readonly #match: SessionMatch;
  readonly #request: Request;
  readonly #head: RequestHead;
  /** Once the service is known. */
  routed: RoutedRequest | undefined;
  /** Headers of the request as it was sent on. */
  sent: Headers | undefined;
  /** Headers of the service's response. */
  received: [string, string][] | undefined;

  constructor(match: SessionMatch, request: Request, head: RequestHead) {
    this.#match = match;
    this.#request = request;
    this.#head = head;
  }

  end(response: Response, env: Env, context: ExecutionContext): void {
    const { name } = this.#match;
    const report = this.#report(response);
    add(name, env, context, (batch) => {
      batch.reports.push(JSON.stringify(report));
      if (report.trace !== null) batch.traces.push(report.trace);
    });
  }

  #report(response: Response): EdgeReport {
    const { routed, sent } = this;
    const { session, source } = this.#match;
    const decision = routed?.decision;
    const isLocal = decision !== undefined && session.tunnel?.origin === decision.origin;
    return {
      ...reportOf(this.#request, this.#head, response, this.#started),
      hop: this.hop,
      lost: false,
      session_by: source,
      service: decision?.service.name ?? null,
      at: sent === undefined ? null : isLocal ? "local" : "remote",
      url: decision && sent ? cut(redactedText(decision.origin + decision.target)) : null,
      trace: traceIdOf(sent?.get("traceparent") ?? this.#head.header("traceparent")),
      sender: null,
      sent_headers: sent ? redacted(sent) : null,
      service_headers: this.received ? redacted(this.received) : null,
    };
  }
}

/** Counts an exchange of a watched session that is not reported. */
export function dropReport({ name }: SessionMatch, env: Env, context: ExecutionContext): void {
  add(name, env, context, (batch) => {
    batch.dropped++;
  });
}

/** A request that names no session, but may carry the trace of one that somebody watches. */
export function reportLost(
  request: Request,
  head: RequestHead,
  response: Response,
  env: Env,
  context: ExecutionContext,
): void {
  const trace = traceIdOf(head.header("traceparent"));
  if (trace !== null && takesReport()) context.waitUntil(tellLost(trace, request, head, response, env));
}

async function tellLost(
  trace: string,
  request: Request,
  head: RequestHead,
  response: Response,
  env: Env,
): Promise<void> {
  const watched = await watchedSessions(env, FRESH_MS);
  if (watched.length === 0) return;
  const report: EdgeReport = {
    ...reportOf(request, head, response, Date.now()),
    hop: newHopId(),
    lost: true,
    session_by: null,
    service: null,
    at: null,
    url: null,
    trace,
    sender: redactedText(likelySender((name) => head.header(name) ?? undefined)),
    sent_headers: null,
    service_headers: null,
  };
  const text = JSON.stringify(report);
  await Promise.all(
    watched.slice(0, MAX_TOLD).map((name) => sessionObject(name, env).reportLost(trace, text)),
  );
}

function newHopId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}

/** Counts a report; false when this second has had as many as it may. */
export function takesReport(): boolean {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) reported = 0;
  second = now;
  return reported++ < MAX_REPORTS_PER_SECOND;
}

function add(name: string, env: Env, context: ExecutionContext, to: (batch: Batch) => void): void {
  const now = Date.now();
  const pending = batches.get(name);
  if (pending && now - pending.since < STUCK_MS) {
    to(pending);
    return;
  }
  const batch = pending ?? { since: now, reports: [], traces: [], dropped: 0 };
  batch.since = now;
  batches.set(name, batch);
  to(batch);
  context.waitUntil(flush(name, batch, env));
}

async function flush(name: string, batch: Batch, env: Env): Promise<void> {
  await scheduler.wait(BATCH_MS);
  if (batches.get(name) === batch) batches.delete(name);
  const { reports, traces, dropped } = batch;
  await sessionObject(name, env).report(reports, traces, dropped);
}

type Common = Pick<
  EdgeReport,
  | "time"
  | "protocol"
  | "secure"
  | "method"
  | "host"
  | "target"
  | "status"
  | "failure"
  | "first_byte"
  | "request_bytes"
  | "response_bytes"
  | "request_headers"
  | "response_headers"
>;

function reportOf(
  request: Request,
  { host, target }: RequestHead,
  response: Response,
  started: number,
): Common {
  const { url, method, headers } = request;
  return {
    time: started,
    protocol: typeof request.cf?.httpProtocol === "string" ? request.cf.httpProtocol : null,
    secure: url.startsWith("https:") || headers.get("x-forwarded-proto") === "https",
    method,
    host: redactedText(host),
    target: cut(redactedText(target)),
    status: response.status,
    failure: response.headers.get("linkup-error"),
    first_byte: Date.now() - started,
    request_bytes: lengthOf(headers),
    response_bytes: lengthOf(response.headers),
    request_headers: redacted(headers),
    response_headers: redacted(response.headers),
  };
}

function lengthOf(headers: Headers): number | null {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

function cut(text: string): string {
  return text.length <= MAX_TARGET ? text : `${text.slice(0, MAX_TARGET)}…`;
}

/** Those that fit. */
function redacted(headers: Iterable<[string, string]>): [string, string][] {
  const all: [string, string][] = [];
  let length = 0;
  for (const [name, value] of headers) {
    length += name.length + value.length;
    if (length > MAX_HEADERS) break;
    all.push([name, remembered(name, value)]);
  }
  return all;
}

/** Most headers of one request are those of the one before, and redacting them costs more than the rest of a report. */
const redactions = new Map<string, string>();
const MAX_REDACTIONS = 500;
const MAX_REMEMBERED = 512;

function remembered(name: string, value: string): string {
  if (value.length > MAX_REMEMBERED) return redactedHeader(name, value);
  const key = `${name}\n${value}`;
  const known = redactions.get(key);
  if (known !== undefined) return known;
  const found = redactedHeader(name, value);
  redactions.set(key, found);
  if (redactions.size > MAX_REDACTIONS) redactions.delete(redactions.keys().next().value!);
  return found;
}
