/** Which services pass the session on, from what passed: the requests of one trace tell who called whom. */
import type { Exchange } from "../api/request-log-api.ts";

export interface ServicePropagation {
  service: string;
  /** Requests that came with the session. */
  received: number;
  /** Services that it called with the session, within the same traces. */
  passedTo: string[];
  /** Requests that it sent without the session, as far as their trace tells whose they were. */
  lost: number;
}

export interface LostPropagation {
  /** The session whose trace the request carries; null when it carries none. */
  session: string | null;
  /** The service that was serving a request of that trace then; null when no trace tells. */
  service: string | null;
  /** Likely, by its headers. */
  sender: string;
  /** `METHOD host/path` of the latest. */
  request: string;
  count: number;
  /** What it carries of what Linkup needs. */
  how: "traceparent-only" | "invalid-member" | "nothing";
}

export interface Propagation {
  services: ServicePropagation[];
  lost: LostPropagation[];
}

/** What is looked at: what was before that may be mended by now. */
export const PROPAGATION_WINDOW_MS = 15 * 60_000;
/** The clocks of two machines differ by as much after they were compared. */
const CLOCK_MS = 50;
/** How long a service may go on calling others after the head of its response. */
const EDGE_BODY_MS = 1_000;
/** Calls of one trace that are compared with each other. */
const MAX_CALLS = 200;

export function propagation(exchanges: readonly Exchange[]): Propagation {
  const services = new Map<string, ServicePropagation>();
  const traces = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const { service, session, trace } = exchange;
    if (session === null || service === null) continue;
    const known = services.get(service) ?? { service, received: 0, passedTo: [], lost: 0 };
    known.received++;
    services.set(service, known);
    if (trace === null) continue;
    const calls = traces.get(trace) ?? [];
    traces.set(trace, calls);
    if (calls.length < MAX_CALLS) calls.push(exchange);
  }
  for (const calls of traces.values()) notePassed(calls, services);
  return {
    lost: lostOf(exchanges, traces, services),
    services: [...services.values()].sort((a, b) => (a.service < b.service ? -1 : 1)),
  };
}

/** A request that began while another of its trace was being served was sent by that one's service. */
function notePassed(calls: Exchange[], services: Map<string, ServicePropagation>): void {
  for (const caller of calls) {
    const known = services.get(caller.service!)!;
    for (const { service, time } of calls) {
      const isWithin = time > caller.time && time <= endOf(caller);
      if (isWithin && service !== caller.service && !known.passedTo.includes(service!))
        known.passedTo.push(service!);
    }
  }
}

function lostOf(
  exchanges: readonly Exchange[],
  traces: ReadonlyMap<string, Exchange[]>,
  services: ReadonlyMap<string, ServicePropagation>,
): LostPropagation[] {
  const lost = new Map<string, LostPropagation>();
  for (const exchange of exchanges) {
    const { session, sender, lost_from, trace, time } = exchange;
    if (session !== null || sender === null) continue;
    const calls = (trace === null ? undefined : traces.get(trace)) ?? [];
    // The latest that was being served.
    const caller = calls
      .filter((call) => call.time <= time + CLOCK_MS && time <= endOf(call) + CLOCK_MS)
      .reduce<Exchange | undefined>((last, call) => (last && last.time > call.time ? last : call), undefined);
    const service = caller?.service ?? null;
    if (service !== null) services.get(service)!.lost++;
    const key = `${lost_from}\n${service}\n${sender}`;
    const count = (lost.get(key)?.count ?? 0) + 1;
    const request = `${exchange.method} ${exchange.client_host}${exchange.target.split("?", 1)[0]}`;
    lost.set(key, { session: lost_from, service, sender, request, count, how: howLost(sender) });
  }
  return [...lost.values()].sort((a, b) => b.count - a.count);
}

function endOf({ time, timings, listener }: Exchange): number {
  if (timings.total === null) return Number.POSITIVE_INFINITY;
  // Of what only the Worker had, the end of the body is not known: calls may come while it is sent.
  return time + timings.total + (listener === "edge" ? EDGE_BODY_MS : 0);
}

/** As `likelySender` words it. */
function howLost(sender: string): LostPropagation["how"] {
  if (sender.includes("it propagates traceparent, but not tracestate")) return "traceparent-only";
  return sender.includes("its tracestate names no running session") ? "invalid-member" : "nothing";
}
