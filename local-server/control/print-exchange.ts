/**
 * An exchange as the control API shows it. The log keeps all that the decision depended on, so the explanation is computed
 * again by the deciding functions when it is read.
 */
import { isUtf8 } from "node:buffer";
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { CapturedBody, EdgeHop, Exchange, ExchangeDetails } from "../../core/api/request-log-api.ts";
import { likelySender } from "../../core/exchange/likely-sender.ts";
import {
  redactedBody,
  redactedHeader,
  redactedHeaders,
  redactedReason,
  redactedText,
} from "../../core/exchange/redact.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import { FALLBACK_HEADER } from "../../core/routing/fallback.ts";
import {
  HOST_SOURCES,
  hostFrom,
  type SessionCandidate,
  sessionCandidates,
} from "../../core/routing/identify-session.ts";
import { HOP_ID_HEADER } from "../../core/routing/proxy-headers.ts";
import { type RouteDecision, route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { spanIdOf, traceIdOf } from "../../core/routing/trace-context.ts";
import { needsOwnerMachine } from "../../core/session/session-document.ts";
import type { RecordedBody } from "../access-log/body-capture.ts";
import {
  type ExchangeMetadata,
  NO_RARE_FIELDS,
  type RecordedExchange,
} from "../access-log/exchange-metadata.ts";
import { endToEnd, Fields } from "../http/fields.ts";
import { trustedHead } from "../proxy/destination-proof.ts";
import { serviceResponse, unchangedResponse } from "../proxy/downstream-response.ts";
import { joinedCookies, serviceRequest } from "../proxy/upstream-request.ts";

export const SOURCES = [...HOST_SOURCES, "tracestate", "cookie"] as const;

/** What is known of an exchange beside its own record. */
export interface EdgeFacts {
  hop: EdgeHop | null;
  lostFrom: string | null;
}

export function printExchange(recorded: RecordedExchange, { hop, lostFrom }: EdgeFacts): Exchange {
  const { metadata } = recorded;
  const head = headOf(recorded);
  const { served, service, rare = NO_RARE_FIELDS } = metadata;
  const { publicHost } = rare;
  const first = hop?.after ? undefined : hop;
  const traceparent = head.header("traceparent");
  const named = served && sessionCandidates(head).find(({ name }) => name === served.name);
  return {
    id: metadata.id,
    time: metadata.time,
    listener: metadata.listener,
    protocol: metadata.protocol,
    secure: metadata.secure,
    method: recorded.method,
    host: redactedText(recorded.host),
    client_host: redactedText(clientHost(metadata, head)),
    target: redactedText(recorded.target),
    session: served?.name ?? null,
    session_by: first?.session_by ?? named?.source ?? null,
    service: service?.name ?? null,
    override: service?.override ?? null,
    at:
      publicHost !== undefined
        ? "public"
        : service
          ? needsOwnerMachine(service.location)
            ? "local"
            : "remote"
          : null,
    url: urlOf(metadata, head),
    ...(rare.fallback === undefined ? {} : { fallback: rare.fallback }),
    state: metadata.ended === 0 ? "open" : rare.brokenBy ? "broken" : "complete",
    status: metadata.status || null,
    failure: rare.failure ?? null,
    broken: rare.brokenBy ? { by: rare.brokenBy, reason: redactedReason(rare.reason ?? "") } : null,
    request_bytes: metadata.requestBytes,
    response_bytes: metadata.responseBytes,
    timings: timings(metadata),
    websocket:
      metadata.status === 101
        ? {
            client_frames: rare.clientFrames,
            service_frames: rare.serviceFrames,
            client_close: rare.clientClose || null,
            service_close: rare.serviceClose || null,
          }
        : null,
    events: rare.events?.events ?? null,
    sender:
      served || (publicHost !== undefined && lostFrom === null)
        ? null
        : redactedText(likelySender((name) => head.header(name))),
    lost_from: lostFrom,
    trace: rare.trace ?? traceIdOf(traceparent),
    span: rare.span ?? spanIdOf(traceparent),
    trace_began: first?.trace_began ?? (rare.trace !== null && traceIdOf(traceparent) === null),
    replay_of: rare.replayOf ?? null,
    edge: hop,
  };
}

/** `pagePorts`: the ports at which pages of sessions are served here. `edge`: the Worker's report of the first hop. */
export function printDetails(
  recorded: RecordedExchange,
  pagePorts: readonly number[],
  facts: EdgeFacts,
  edge: EdgeReport | undefined,
): ExchangeDetails {
  const head = headOf(recorded);
  const { host, requestHeaders, responseHeaders, requestBody, responseBody, metadata } = recorded;
  const isOurs = metadata.rare?.failure !== undefined;
  return {
    ...printExchange(recorded, facts),
    explanation: explanation(recorded.metadata, head),
    looked_at: SOURCES.map((source) => {
      const value = source === "host" ? head.host : head.header(source);
      return { source, value: value === undefined ? null : redactedHeader(source, value) };
    }),
    request_headers: edge?.request_headers ?? redactedHeaders(requestHeaderLines(host, requestHeaders)),
    sent_headers: sentHeaders(recorded, pagePorts),
    service_headers: responseHeaders && !isOurs ? redactedHeaders(responseHeaders) : null,
    response_headers:
      edge?.response_headers ??
      (responseHeaders ? redactedHeaders(downstreamHeaders(recorded, responseHeaders, pagePorts)) : null),
    request_body: requestBody ? printBody(requestBody) : null,
    response_body: responseBody ? printBody(responseBody) : null,
  };
}

/** The headers of the request as the service got them; null when it was not sent to one. */
function sentHeaders(recorded: RecordedExchange, pagePorts: readonly number[]): [string, string][] | null {
  const { metadata, method, host, target, requestHeaders: fields } = recorded;
  const { header } = headOf(recorded);
  const head = { method, host, target, fields, header, secure: metadata.secure, hasBody: false };
  const decision = decisionOf(metadata, head);
  if (!metadata.served || decision?.outcome !== "routed") return null;
  const request = serviceRequest(head, metadata.served, decision, { listener: metadata.listener, pagePorts });
  const hop = metadata.rare?.nextHop;
  const raw = ["host", request.host, ...request.lines.raw(request.traceparent)];
  if (hop) raw.push(HOP_ID_HEADER, hop.id);
  // A trace that Linkup began has another id each time that the headers are made.
  const trace = metadata.rare?.trace;
  return redactedHeaders(raw).map(([name, value]) =>
    name === "traceparent" && !fields.has(name) ? [name, trace ? `00-${trace}-…` : "(new)"] : [name, value],
  );
}

/** The headers of the response as the client got them. */
function downstreamHeaders(
  recorded: RecordedExchange,
  received: readonly string[],
  pagePorts: readonly number[],
): readonly string[] {
  const { metadata, method, host, target, requestHeaders: fields } = recorded;
  if (metadata.rare?.failure !== undefined) return received;
  const response = {
    status: metadata.status,
    reason: "",
    fields: new Fields(received),
    hasBody: true,
    length: undefined,
  };
  const { header } = headOf(recorded);
  const head = { method, host, target, fields, header, secure: metadata.secure, hasBody: false };
  const decision = decisionOf(metadata, head);
  if (!metadata.served || metadata.status === 101 || decision?.outcome !== "routed")
    return unchangedResponse(response).headers;
  const arrival = { listener: metadata.listener, pagePorts };
  const request = serviceRequest(head, metadata.served, decision, arrival);
  const { headers } = serviceResponse(head, metadata.served, request, arrival, response);
  const fallback = metadata.rare?.fallback;
  return fallback === undefined ? headers : [...headers, FALLBACK_HEADER, fallback];
}

interface Head extends RequestHead {
  header(name: string): string | undefined;
}

function headOf({ host, target, method, requestHeaders }: RecordedExchange): Head {
  return { host, target, method, header: (name) => requestHeaders.get(name) };
}

function clientHost({ listener }: ExchangeMetadata, head: RequestHead): string {
  return (listener === "tunnel" && hostFrom(head, "x-forwarded-host")) || head.host;
}

/** The request's headers as HTTP/1 writes them: HTTP/2 has the host in a pseudo-header, and cookies in several fields. */
function requestHeaderLines(host: string, fields: Fields): string[] {
  const { raw, names } = fields;
  const rest = raw.filter((_, i) => names[i >> 1] !== "host" && names[i >> 1] !== "cookie");
  const cookies = joinedCookies(fields);
  return ["host", host, ...endToEnd(new Fields(rest)), ...(cookies === undefined ? [] : ["Cookie", cookies])];
}

function urlOf(metadata: ExchangeMetadata, head: Head): string | null {
  const publicHost = metadata.rare?.publicHost;
  if (publicHost !== undefined) return redactedText(`https://${publicHost}${head.target}`);
  if (!metadata.service) return null;
  const decision = decisionOf(metadata, head);
  const origin = metadata.rare?.replayOrigin;
  return decision?.outcome === "routed" ? redactedText((origin ?? decision.origin) + decision.target) : null;
}

/** `scheme://host:port` of the service that it was sent to. */
export function originOf(recorded: RecordedExchange): string | undefined {
  const decision = decisionOf(recorded.metadata, headOf(recorded));
  const origin = recorded.metadata.rare?.replayOrigin;
  return decision?.outcome === "routed" ? (origin ?? decision.origin) : undefined;
}

function decisionOf({ listener, served, rare }: ExchangeMetadata, head: Head): RouteDecision | null {
  return served && rare?.failure !== "forbidden"
    ? route(served.name, served.session, trustedHead(listener, served, head))
    : null;
}

function explanation(metadata: ExchangeMetadata, head: Head): Explanation {
  const { served, status, rare = NO_RARE_FIELDS } = metadata;
  const { publicHost, failure } = rare;
  const told = {
    candidates: evaluatedCandidates(sessionCandidates(head), served?.name),
    session: served?.name ?? null,
    decision: decisionOf(metadata, head),
    ...(publicHost === undefined ? {} : { public_host: publicHost }),
    ...(failure === undefined ? {} : { failure: { status, code: failure } }),
  };
  return JSON.parse(JSON.stringify(told), (_key, value) =>
    typeof value === "string" ? redactedText(value) : value,
  );
}

/** Up to the known one: later ones were not evaluated. */
export function evaluatedCandidates(
  all: SessionCandidate[],
  session: string | undefined,
): Explanation["candidates"] {
  const found = all.findIndex(({ name }) => name === session);
  const upToKnown = found === -1 ? all : all.slice(0, found + 1);
  return upToKnown.map((candidate) => ({ ...candidate, known: candidate.name === session }));
}

function timings({
  started,
  responded,
  ended,
  rare = NO_RARE_FIELDS,
}: ExchangeMetadata): Exchange["timings"] {
  const { acquired, connected } = rare;
  const begun = acquired || started;
  return {
    queue: tenths(begun - started),
    connect: connected === 0 ? null : tenths(connected - begun),
    first_byte: responded === 0 ? null : tenths(responded - started),
    total: ended === 0 ? null : tenths(ended - started),
  };
}

/** Finer than that is noise. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

export function printBody({ bytes, truncated }: RecordedBody): CapturedBody {
  // The last character may be incomplete.
  const whole = truncated ? bytes.subarray(0, endOfText(bytes)) : bytes;
  if (isUtf8(whole) && !whole.includes(0))
    return { text: redactedBody(whole.toString("utf8")), cut: truncated };
  return { base64: bytes.toString("base64"), cut: truncated };
}

/** Where the last UTF-8 character that may be incomplete begins. */
function endOfText(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && end > bytes.length - 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && bytes[end - 1]! >= 0xc0 ? end - 1 : bytes.length;
}
