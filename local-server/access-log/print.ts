/**
 * What the control API says of an exchange. All that a decision rests on was kept, so why it went where it went is asked
 * of the deciding functions again, when somebody wants to know.
 */
import { isUtf8 } from "node:buffer";
import type { CapturedBody, Exchange, ExchangeDetails } from "../../core/api/request-log-api.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import {
  HOST_SOURCES,
  hostFrom,
  type SessionCandidate,
  sessionCandidates,
} from "../../core/routing/identify-session.ts";
import { type RouteDecision, route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { isLocal } from "../../core/session/session-document.ts";
import { endToEnd, Fields } from "../http/fields.ts";
import { joinedCookies, requestHead } from "../proxy/request-head.ts";
import { asItCame, responseHead } from "../proxy/response-head.ts";
import { type Facts, type KeptBody, NOTHING_RARE, type Recorded } from "./facts.ts";
import { redactedBody, redactedHeader, redactedHeaders, redactedReason, redactedText } from "./redact.ts";
import { likelySender } from "./sender.ts";

const SOURCES = [...HOST_SOURCES, "tracestate"] as const;

export function printExchange(recorded: Recorded): Exchange {
  const { facts } = recorded;
  const head = headOf(recorded);
  const { served, service, rare = NOTHING_RARE } = facts;
  const { publicHost } = rare;
  const named = served && sessionCandidates(head).find(({ name }) => name === served.name);
  return {
    id: facts.id,
    time: facts.time,
    listener: facts.listener,
    protocol: facts.protocol,
    secure: facts.secure,
    method: recorded.method,
    host: redactedText(recorded.host),
    client_host: redactedText(clientHost(facts, head)),
    target: redactedText(recorded.target),
    session: served?.name ?? null,
    session_by: named?.source ?? null,
    service: service?.name ?? null,
    at:
      publicHost !== undefined ? "public" : service ? (isLocal(service.location) ? "local" : "remote") : null,
    url: urlOf(facts, head),
    state: facts.ended === 0 ? "open" : rare.brokenBy ? "broken" : "complete",
    status: facts.status || null,
    failure: rare.failure ?? null,
    broken: rare.brokenBy ? { by: rare.brokenBy, reason: redactedReason(rare.reason ?? "") } : null,
    request_bytes: facts.requestBytes,
    response_bytes: facts.responseBytes,
    timings: timings(facts),
    websocket:
      facts.status === 101
        ? {
            client_frames: rare.clientFrames,
            service_frames: rare.serviceFrames,
            client_close: rare.clientClose || null,
            service_close: rare.serviceClose || null,
          }
        : null,
    sender:
      served || publicHost !== undefined ? null : redactedText(likelySender((name) => head.header(name))),
  };
}

export function printDetails(recorded: Recorded): ExchangeDetails {
  const head = headOf(recorded);
  const { host, requestHeaders, responseHeaders, requestBody, responseBody } = recorded;
  return {
    ...printExchange(recorded),
    explanation: explanation(recorded.facts, head),
    looked_at: SOURCES.map((source) => {
      const value = source === "host" ? head.host : head.header(source);
      return { source, value: value === undefined ? null : redactedHeader(source, value) };
    }),
    request_headers: redactedHeaders(asOneRequest(host, requestHeaders)),
    response_headers: responseHeaders ? redactedHeaders(asAnswered(recorded, responseHeaders)) : null,
    request_body: requestBody ? printBody(requestBody) : null,
    response_body: responseBody ? printBody(responseBody) : null,
  };
}

/** The headers of the answer as the client got them. */
function asAnswered(recorded: Recorded, said: readonly string[]): readonly string[] {
  const { facts, method, host, target, requestHeaders: fields } = recorded;
  if (facts.rare?.failure !== undefined) return said;
  const response = {
    status: facts.status,
    reason: "",
    fields: new Fields(said),
    hasBody: true,
    length: undefined,
  };
  const { header } = headOf(recorded);
  const head = { method, host, target, fields, header, secure: facts.secure, hasBody: false };
  const decision = decisionOf(facts, head);
  if (!facts.served || facts.status === 101 || decision?.outcome !== "routed")
    return asItCame(response).headers;
  return responseHead(head, facts.served, requestHead(head, facts.served, decision), response).headers;
}

interface Head extends RequestHead {
  header(name: string): string | undefined;
}

function headOf({ host, target, requestHeaders }: Recorded): Head {
  return { host, target, header: (name) => requestHeaders.get(name) };
}

function clientHost({ listener }: Facts, head: RequestHead): string {
  return (listener === "tunnel" && hostFrom(head, "x-forwarded-host")) || head.host;
}

/** The host stands elsewhere in HTTP/2, and in the URL when a proxy was meant; cookies come in crumbs there. */
function asOneRequest(host: string, fields: Fields): string[] {
  const { raw, names } = fields;
  const rest = raw.filter((_, i) => names[i >> 1] !== "host" && names[i >> 1] !== "cookie");
  const cookies = joinedCookies(fields);
  return ["host", host, ...endToEnd(new Fields(rest)), ...(cookies === undefined ? [] : ["Cookie", cookies])];
}

function urlOf(facts: Facts, head: Head): string | null {
  const publicHost = facts.rare?.publicHost;
  if (publicHost !== undefined) return redactedText(`https://${publicHost}${head.target}`);
  if (!facts.service) return null;
  const decision = decisionOf(facts, head);
  return decision?.outcome === "routed" ? redactedText(decision.origin + decision.target) : null;
}

function decisionOf({ served, rare }: Facts, head: Head): RouteDecision | null {
  return served && rare?.failure !== "forbidden" ? route(served.name, served.session, head) : null;
}

function explanation(facts: Facts, head: Head): Explanation {
  const { served, status, rare = NOTHING_RARE } = facts;
  const { publicHost, failure } = rare;
  const told = {
    candidates: asked(sessionCandidates(head), served?.name),
    session: served?.name ?? null,
    decision: decisionOf(facts, head),
    ...(publicHost === undefined ? {} : { public_host: publicHost }),
    ...(failure === undefined ? {} : { failure: { status, code: failure } }),
  };
  return JSON.parse(JSON.stringify(told), (_key, value) =>
    typeof value === "string" ? redactedText(value) : value,
  );
}

/** Up to the one that was known: those behind it were not looked at. */
function asked(all: SessionCandidate[], session: string | undefined): Explanation["candidates"] {
  const found = all.findIndex(({ name }) => name === session);
  const looked = found === -1 ? all : all.slice(0, found + 1);
  return looked.map((candidate) => ({ ...candidate, known: candidate.name === session }));
}

function timings({ started, answered, ended, rare = NOTHING_RARE }: Facts): Exchange["timings"] {
  const { asked, connected } = rare;
  const begun = asked || started;
  return {
    queue: tenths(begun - started),
    connect: connected === 0 ? null : tenths(connected - begun),
    first_byte: answered === 0 ? null : tenths(answered - started),
    total: ended === 0 ? null : tenths(ended - started),
  };
}

/** Finer than that is noise. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function printBody({ bytes, cut }: KeptBody): CapturedBody {
  // The last character may be cut in two.
  const whole = cut ? bytes.subarray(0, endOfText(bytes)) : bytes;
  if (isUtf8(whole) && !whole.includes(0)) return { text: redactedBody(whole.toString("utf8")), cut };
  return { base64: bytes.toString("base64"), cut };
}

/** Where the last UTF-8 character that may be incomplete begins. */
function endOfText(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && end > bytes.length - 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && bytes[end - 1]! >= 0xc0 ? end - 1 : bytes.length;
}
