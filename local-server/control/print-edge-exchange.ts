/** An exchange that only the Worker had, as the control API shows it. */

import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { EdgeHop, Exchange, ExchangeDetails } from "../../core/api/request-log-api.ts";
import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { FALLBACK_HEADER } from "../../core/routing/fallback.ts";
import { type SessionCandidate, sessionCandidates } from "../../core/routing/identify-session.ts";
import { route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { spanIdOf, traceIdOf } from "../../core/routing/trace-context.ts";
import type { EdgeRow } from "../edge/edge-log.ts";
import { evaluatedCandidates, SOURCES } from "./print-exchange.ts";

export function printEdgeHop({ report, time, joined }: EdgeRow): EdgeHop {
  const { session_by, first_byte, total = null, status, failure, url } = report;
  const after = joined === "after";
  return { after, time, session_by, first_byte, total, status, failure, url, trace_began: began(report) };
}

/** The Worker gave it a trace. */
function began({ trace, request_headers }: EdgeReport): boolean {
  return trace !== null && traceIdOf(headerOf(request_headers, "traceparent")) === null;
}

export function printEdgeExchange(row: EdgeRow): Exchange {
  const { id, time, served, report } = row;
  const { first_byte, total = first_byte, aborted, request_bytes, response_bytes } = report;
  return {
    id,
    time,
    listener: "edge",
    protocol: report.protocol ?? "",
    secure: report.secure,
    method: report.method,
    host: report.host,
    client_host: report.host,
    target: report.target,
    session: report.lost ? null : served.name,
    session_by: report.session_by,
    service: report.service,
    override: headerOf(report.response_headers, OVERRIDE_HEADER) ?? null,
    at: report.at,
    url: report.url,
    ...fallbackOf(report.response_headers),
    state: aborted ? "broken" : total === null ? "open" : "complete",
    status: report.status,
    failure: report.failure,
    broken: aborted ? { by: null, reason: "the client or the service closed the connection" } : null,
    request_bytes: request_bytes ?? 0,
    response_bytes: response_bytes ?? 0,
    // Where the end is not measured, the time until the head has to do.
    timings: { queue: 0, connect: null, first_byte, total },
    websocket: null,
    events: null,
    sender: report.sender,
    lost_from: report.lost ? served.name : null,
    trace: report.trace,
    span: spanIdOf(headerOf(report.sent_headers ?? report.request_headers, "traceparent")),
    trace_began: began(report),
    replay_of: null,
    edge: printEdgeHop(row),
  };
}

export function printEdgeDetails(row: EdgeRow): ExchangeDetails {
  const { served, report } = row;
  const head = headOf(row);
  const { name, session } = served;
  const { failure, status, lost } = report;
  const candidates: SessionCandidate[] = sessionCandidates(head);
  return {
    ...printEdgeExchange(row),
    explanation: {
      candidates: evaluatedCandidates(candidates, lost ? undefined : name),
      session: lost ? null : name,
      decision: lost ? null : route(name, session, head),
      ...(failure === null ? {} : { failure: { status, code: failure } }),
    },
    looked_at: SOURCES.map((source) => ({
      source,
      value: (source === "host" ? head.host : head.header(source)) ?? null,
    })),
    request_headers: report.request_headers,
    sent_headers: report.sent_headers,
    service_headers: report.service_headers,
    response_headers: report.response_headers,
    request_body: null,
    response_body: null,
  };
}

/** Redacted, which leaves what names a session as it is. */
function headOf({ report }: EdgeRow): RequestHead {
  const { host, target, method, request_headers } = report;
  return {
    host,
    target,
    method,
    header: (name) => headerOf(request_headers, name),
  };
}

function headerOf(headers: readonly [string, string][], name: string): string | undefined {
  return headers.find(([header]) => header.toLowerCase() === name)?.[1];
}

function fallbackOf(headers: [string, string][]): Pick<Exchange, "fallback"> {
  const fallback = headerOf(headers, FALLBACK_HEADER);
  return fallback === undefined ? {} : { fallback };
}
