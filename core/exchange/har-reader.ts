/**
 * Reads a HAR: Linkup's own, or a browser's, which then has neither session nor service. The file may be anybody's: each member
 * is checked, and secrets are replaced as in the log.
 */
import type { CapturedBody, EdgeHop, Exchange, ExchangeDetails } from "../api/request-log-api.ts";
import { FALLBACKS } from "../routing/fallback.ts";
import type { NameSource } from "../routing/identify-session.ts";
import { redactedBody, redactedHeader, redactedText } from "./redact.ts";

const MAX_ENTRIES = 100_000;
/** Characters of a header or a URL, and of a body. */
const MAX_TEXT = 70_000;
const MAX_BODY = 140_000;

const SOURCES: readonly NameSource[] = [
  "host",
  "x-forwarded-host",
  "referer",
  "origin",
  "tracestate",
  "baggage",
  "cookie",
];

type Members = Readonly<Record<string, unknown>>;

/** Numbered from 1, oldest first. Throws an Error for another format; invalid entries are left out. */
export function parseHar(json: string): ExchangeDetails[] {
  const { entries } = membersOf(membersOf(JSON.parse(json)).log);
  if (!Array.isArray(entries)) throw new Error("It has no log.entries.");
  return entries
    .slice(0, MAX_ENTRIES)
    .flatMap((entry) => exchangeOf(membersOf(entry)) ?? [])
    .sort((a, b) => a.time - b.time)
    .map((exchange, index) => ({ ...exchange, id: index + 1 }));
}

function exchangeOf(entry: Members): ExchangeDetails | undefined {
  const [request, response, timings, own] = [entry.request, entry.response, entry.timings, entry._linkup].map(
    membersOf,
  ) as [Members, Members, Members, Members];
  const method = textOf(request.method);
  const address = typeof request.url === "string" ? request.url.slice(0, MAX_TEXT) : "";
  const started = Date.parse(textOf(entry.startedDateTime) ?? "");
  if (!method || !address || !URL.canParse(address) || Number.isNaN(started)) return undefined;
  const url = new URL(address);
  const queue = countOf(timings.blocked);
  const connect = typeof timings.connect === "number" && timings.connect >= 0 ? timings.connect : null;
  const first_byte = queue + (connect ?? 0) + countOf(timings.send) + countOf(timings.wait);
  const session = textOf(own.session);
  return {
    ...ownMembers(own),
    id: 0,
    time: started,
    protocol: textOf(request.httpVersion) ?? "",
    secure: url.protocol === "https:" || url.protocol === "wss:",
    method: redactedText(method),
    host: url.host,
    client_host: url.host,
    target: redactedText(url.pathname + url.search).slice(0, MAX_TEXT),
    session,
    status: countOf(response.status) || null,
    request_bytes: countOf(request.bodySize),
    response_bytes: countOf(response.bodySize),
    timings: { queue, connect, first_byte, total: countOf(entry.time) },
    websocket: null,
    events: null,
    replay_of: null,
    explanation: { candidates: [], session, decision: null },
    looked_at: [],
    request_headers: headersOf(request.headers),
    sent_headers: null,
    service_headers: null,
    response_headers: headersOf(response.headers),
    request_body: bodyOf(membersOf(request.postData)),
    response_body: bodyOf(membersOf(response.content)),
  };
}

/** What a HAR has no members for. */
function ownMembers(own: Members) {
  const { by, reason } = membersOf(own.broken);
  const isBroken = typeof reason === "string";
  const fallback = oneOf(own.fallback, FALLBACKS);
  return {
    listener: oneOf(own.listener, ["browser", "tunnel", "edge"] as const) ?? "browser",
    session_by: oneOf(own.session_by, SOURCES),
    service: textOf(own.service),
    override: textOf(own.override),
    ...(fallback === null ? {} : { fallback }),
    at: oneOf(own.at, ["local", "remote", "public"] as const),
    url: textOf(own.url),
    state: isBroken ? "broken" : "complete",
    failure: textOf(own.failure),
    broken: isBroken ? { by: oneOf(by, ["client", "service"]), reason: textOf(reason) ?? "" } : null,
    sender: textOf(own.sender),
    lost_from: textOf(own.lost_from),
    trace: hexOf(own.trace, 32),
    span: hexOf(own.span, 16),
    trace_began: own.trace_began === true,
    edge: hopOf(own.edge),
  } satisfies Partial<Exchange>;
}

function hopOf(value: unknown): EdgeHop | null {
  const hop = membersOf(value);
  if (typeof hop.time !== "number" || typeof hop.first_byte !== "number") return null;
  return {
    after: hop.after === true,
    time: countOf(hop.time),
    session_by: oneOf(hop.session_by, SOURCES),
    first_byte: countOf(hop.first_byte),
    total: typeof hop.total === "number" ? countOf(hop.total) : null,
    status: countOf(hop.status),
    failure: textOf(hop.failure),
    url: textOf(hop.url),
    trace_began: hop.trace_began === true,
  };
}

function headersOf(value: unknown): [string, string][] {
  if (!Array.isArray(value)) return [];
  return value
    .map(membersOf)
    .flatMap(({ name, value }): [string, string][] =>
      typeof name === "string" && typeof value === "string"
        ? [[name.slice(0, MAX_TEXT), redactedHeader(name, value.slice(0, MAX_TEXT))]]
        : [],
    );
}

function bodyOf({ text, encoding }: Members): CapturedBody | null {
  if (typeof text !== "string" || text === "") return null;
  const cut = text.length > MAX_BODY;
  const kept = text.slice(0, MAX_BODY);
  return encoding === "base64" ? { base64: kept, cut } : { text: redactedBody(kept), cut };
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? redactedText(value.slice(0, MAX_TEXT)) : null;
}

function hexOf(value: unknown, length: number): string | null {
  return typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value) ? value : null;
}

/** 0 for invalid numbers, and for -1, which means unknown. */
function countOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

function oneOf<T extends string>(value: unknown, all: readonly T[]): T | null {
  return all.find((one) => one === value) ?? null;
}
