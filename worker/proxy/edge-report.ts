/**
 * Reports the exchanges of watched sessions to their objects, after the response and in batches. A session that nobody
 * watches costs one comparison.
 */
import { type EdgeHeaders, type EdgeReport, MAX_REPORTS_PER_SECOND } from "../../core/api/edge-report-api.ts";
import { likelySender } from "../../core/exchange/likely-sender.ts";
import { redactedHeader, redactedText } from "../../core/exchange/redact.ts";
import { hopIdOf } from "../../core/routing/proxy-headers.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { isTraceparent, randomDigits, traceIdOf } from "../../core/routing/trace-context.ts";
import { type Env, isDirect } from "../env.ts";
import { sessionObject } from "../objects/session-object.ts";
import { countedAddress, RateLimit } from "../rate-limit.ts";
import type { RecordedHeaders } from "./recorded-headers.ts";
import type { RoutedRequest } from "./routed-request.ts";
import { FRESH_MS, type SessionMatch } from "./session-lookup.ts";
import { watchedSessions } from "./session-names.ts";

const HOP_ID_DIGITS = 16;
/** How long reports are collected before they are sent. */
const BATCH_MS = 250;
/** A batch whose request has ended with its timer is sent by a later one. */
const STUCK_MS = 2_000;
/** Characters of all headers of one message, and of one target. */
const MAX_HEADERS = 16_384;
const MAX_TARGET = 4_096;
/** Bytes of a body whose end is not measured. */
const MAX_SHORT_BODY = 65_536;
/** Number of sessions to which one lost request is reported. */
const MAX_TOLD = 20;
/** Lost requests of one address that are reported: each costs a call for each of those sessions, and anybody can send them. */
const LOST_PER_MINUTE = 100;

const lostRequests = new RateLimit(LOST_PER_MINUTE);

interface Batch {
  since: number;
  /** Each writes its report when the batch is sent. */
  reports: ((lines: LineTable) => string)[];
  traces: string[];
  dropped: number;
}

/** By session. */
const batches = new Map<string, Batch>();
let second = 0;
let reported = 0;

/** What the proxy learns of an exchange of a watched session. */
export class WatchedExchange {
  readonly hop = randomDigits(HOP_ID_DIGITS);
  readonly #started = Date.now();
  readonly #match: SessionMatch;
  readonly #request: Request;
  readonly #head: RequestHead;
  /** Once the service is known. */
  routed: RoutedRequest | undefined;
  /** Headers of the request as it was sent on. */
  sent: RecordedHeaders | undefined;
  /** The end of the response's body is told, too. Its body is as the service encoded it. */
  isMeasured = false;
  #received: Headers | null = null;

  constructor(match: SessionMatch, request: Request, head: RequestHead) {
    this.#match = match;
    this.#request = request;
    this.#head = head;
  }

  /** Headers of the service's response, which nobody changes: clients get a copy. */
  receive(headers: Headers): void {
    this.#received = headers;
  }

  /** The response to pass on. */
  end(response: Response, env: Env, context: ExecutionContext): Response {
    const { name } = this.#match;
    const trace = traceIdOf(this.sent?.changes.get("traceparent") ?? this.#head.header("traceparent"));
    const firstByte = Date.now() - this.#started;
    const body = this.isMeasured && lasts(response) ? response.body : null;
    const measured = body ? new MeasuredBody(body, response, this.#started) : undefined;
    // Headers are read when the batch is sent: many in a row take less than each between other work. Until then no more
    // of them are kept than reports may be made.
    const write = (lines: LineTable) =>
      reportText(this.#report(response, trace, firstByte), lines, measured?.tell());
    add(name, env, context, (batch) => {
      batch.reports.push(write);
      if (trace !== null) batch.traces.push(trace);
    });
    if (!measured) return response;
    const again = () => add(name, env, context, (batch) => batch.reports.push(write));
    context.waitUntil(measured.end.then(() => measured.isTold && again()));
    return measured.response;
  }

  #report(response: Response, trace: string | null, firstByte: number): Report {
    const { routed, sent } = this;
    const { session, source } = this.#match;
    const decision = routed?.decision;
    const isLocal = decision !== undefined && session.tunnel?.origin === decision.origin;
    const request = readHeaders(this.#request.headers);
    const answer = readHeaders(response.headers);
    const members = {
      ...reportOf(this.#request, this.#head, response, this.#started, firstByte, request, answer),
      hop: this.hop,
      from_hop: hopIdOf(this.#head),
      lost: false,
      session_by: source,
      service: decision?.service.name ?? null,
      at: sent === undefined ? null : isLocal ? ("local" as const) : ("remote" as const),
      url: decision && sent ? cut(rememberedText(decision.origin + decision.target)) : null,
      trace,
      sender: null,
    };
    const headers = {
      request_headers: request.lines,
      sent_headers: sent ? sentLines(request, sent) : null,
      service_headers: this.#received && readHeaders(this.#received).lines,
      response_headers: answer.lines,
    };
    return { members, headers };
  }
}

/** A short response ends with its head, as far as anybody cares; a pipe for it costs as much as the rest of the exchange. */
function lasts({ headers }: Response): boolean {
  const length = byteCount(headers.get("content-length"));
  return length === null || length > MAX_SHORT_BODY;
}

type Ending = Pick<EdgeReport, "total" | "aborted">;

/** Notes when the body ends. Its bytes do not pass through JavaScript. */
class MeasuredBody {
  readonly response: Response;
  readonly end: Promise<void>;
  /** It was reported before its end, as most are not: a batch waits longer. */
  isTold = false;
  #members: Ending = { total: null };

  constructor(body: ReadableStream, response: Response, started: number) {
    const length = byteCount(response.headers.get("content-length"));
    // Without a length the client would get a chunked body.
    const { readable, writable } =
      length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
    const note = (aborted: boolean) => {
      this.#members = { total: Date.now() - started, aborted };
    };
    this.end = body.pipeTo(writable).then(
      () => note(false),
      () => note(true),
    );
    this.response = new Response(readable, response);
  }

  /** For a report that is written now. */
  tell(): Ending {
    this.isTold = true;
    return this.#members;
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
  if (trace === null) return;
  const address = countedAddress(head.header("cf-connecting-ip"));
  if (!isDirect(env) && lostRequests.take(address) > 0) return;
  if (takesReport()) context.waitUntil(tellLost(trace, request, head, response, env));
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
  const [asked, answer] = [readHeaders(request.headers), readHeaders(response.headers)];
  const members = {
    ...reportOf(request, head, response, Date.now(), 0, asked, answer),
    hop: randomDigits(HOP_ID_DIGITS),
    from_hop: hopIdOf(head),
    lost: true,
    session_by: null,
    service: null,
    at: null,
    url: null,
    trace,
    sender: redactedText(likelySender((name) => head.header(name) ?? undefined)),
  };
  const headers = {
    request_headers: asked.lines,
    sent_headers: null,
    service_headers: null,
    response_headers: answer.lines,
  };
  const table = new LineTable();
  const reports = [reportText({ members, headers }, table)];
  const batch = { lines: table.text, reports };
  await Promise.all(
    watched.slice(0, MAX_TOLD).map((name) => sessionObject(name, env).reportLost(trace, batch)),
  );
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
  const table = new LineTable();
  const texts = reports.map((report) => report(table));
  await sessionObject(name, env).report({ lines: table.text, reports: texts }, traces, dropped);
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
>;

interface Report {
  members: Omit<EdgeReport, EdgeHeaders>;
  headers: Record<EdgeHeaders, Line[] | null>;
}

/** The JSON of a `SentEdgeReport`. */
function reportText({ members, headers }: Report, table: LineTable, ending?: Ending): string {
  const { request_headers, sent_headers, service_headers, response_headers } = headers;
  const others = JSON.stringify(ending ? { ...members, ...ending } : members).slice(0, -1);
  return `${others},"request_headers":${table.places(request_headers)},"sent_headers":${table.places(sent_headers)},"service_headers":${table.places(service_headers)},"response_headers":${table.places(response_headers)}}`;
}

function reportOf(
  request: Request,
  { host, target }: RequestHead,
  { status }: Response,
  started: number,
  firstByte: number,
  asked: ReadHeaders,
  answer: ReadHeaders,
): Common {
  const { url, method } = request;
  return {
    time: started,
    protocol: typeof request.cf?.httpProtocol === "string" ? request.cf.httpProtocol : null,
    secure: url.startsWith("https:") || asked.forwardedProto === "https",
    method,
    host: rememberedText(host),
    target: cut(rememberedText(target)),
    status,
    failure: answer.failure,
    first_byte: firstByte,
    request_bytes: byteCount(asked.contentLength),
    response_bytes: byteCount(answer.contentLength),
  };
}

function byteCount(length: string | null): number | null {
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

function cut(text: string): string {
  return text.length <= MAX_TARGET ? text : `${text.slice(0, MAX_TARGET)}…`;
}

interface ReadHeaders {
  /** Those that fit. */
  lines: Line[];
  contentLength: string | null;
  forwardedProto: string | null;
  failure: string | null;
}

/** All that a report needs of headers, in one pass: each access to them is a call out of JavaScript. */
function readHeaders(headers: Headers): ReadHeaders {
  const found: ReadHeaders = { lines: [], contentLength: null, forwardedProto: null, failure: null };
  let length = 0;
  headers.forEach((value, name) => {
    if (name === "content-length") found.contentLength = value;
    else if (name === "x-forwarded-proto") found.forwardedProto = value;
    else if (name === "linkup-error") found.failure = value;
    length += name.length + value.length;
    if (length <= MAX_HEADERS) found.lines.push(rememberedLine(name, value));
  });
  return found;
}

/** The headers of the request as they were sent on. */
function sentLines({ lines }: ReadHeaders, { changes }: RecordedHeaders): Line[] {
  const kept = lines.filter(({ name }) => !changes.has(name));
  for (const [name, value] of changes)
    if (value !== null && value.length <= MAX_HEADERS) kept.push(rememberedLine(name, value));
  return kept;
}

/** A header. */
interface Line {
  name: string;
  /** `["name","value"]`, redacted. */
  json: string;
  /** Its place in the table that it was in last. */
  place: number;
  table: LineTable | undefined;
}

/** The lines of a message, each once. */
class LineTable {
  readonly #lines: string[] = [];

  /** JSON. */
  places(lines: Line[] | null): string {
    return lines === null ? "null" : `[${lines.map((line) => this.#place(line)).join(",")}]`;
  }

  /** The members of a JSON array. */
  get text(): string {
    return this.#lines.join(",");
  }

  #place(line: Line): number {
    if (line.table !== this) {
      line.table = this;
      line.place = this.#lines.push(line.json) - 1;
    }
    return line.place;
  }
}

/** Most headers of one request are those of the one before, and redacting them costs more than the rest of a report. */
const lines = new Map<string, Map<string, Line>>();
const texts = new Map<string, string>();
/** Names, and values of each; texts. */
const MAX_NAMES = 200;
const MAX_VALUES = 50;
const MAX_TEXTS = 200;
const MAX_REMEMBERED = 512;
/** Of version 00: later ones may have more fields. */
const TRACEPARENT_LENGTH = 55;

function rememberedLine(name: string, value: string): Line {
  // Another one for each request, and no secret: to look for one would cost as much as the rest of the report.
  if (name === "traceparent" && value.length === TRACEPARENT_LENGTH && isTraceparent(value))
    return newLine(name, value);
  let values = lines.get(name);
  const known = values?.get(value);
  if (known !== undefined) return known;
  const line = newLine(name, redactedHeader(name, value));
  if (name.length + value.length > MAX_REMEMBERED) return line;
  if (!values) {
    values = new Map();
    lines.set(name, values);
    if (lines.size > MAX_NAMES) lines.delete(lines.keys().next().value!);
  }
  values.set(value, line);
  if (values.size > MAX_VALUES) values.delete(values.keys().next().value!);
  return line;
}

/** `value`: redacted. */
function newLine(name: string, value: string): Line {
  return { name, json: JSON.stringify([name, value]), place: -1, table: undefined };
}

function rememberedText(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  const found = redactedText(text);
  if (text.length > MAX_REMEMBERED) return found;
  texts.set(text, found);
  if (texts.size > MAX_TEXTS) texts.delete(texts.keys().next().value!);
  return found;
}
