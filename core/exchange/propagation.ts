/** Which services pass the session on, from what passed: the requests of one trace tell who called whom. */
import type { Exchange } from "../api/request-log-api.ts";

export interface ServicePropagation {
  service: string;
  /** Requests that came with the session. */
  received: number;
  /** Services that it called with the session, within the same traces. */
  passedTo: string[];
}

export interface LostPropagation {
  /** The session whose trace the request carries; null when it carries none. */
  session: string | null;
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

export function propagation(exchanges: readonly Exchange[]): Propagation {
  const services = new Map<string, ServicePropagation>();
  const traces = new Map<string, Exchange[]>();
  const lost = new Map<string, LostPropagation>();
  for (const exchange of exchanges) {
    const { service, session, trace, sender } = exchange;
    if (session !== null && service !== null) {
      const known = services.get(service) ?? { service, received: 0, passedTo: [] };
      known.received++;
      services.set(service, known);
      if (trace !== null) traces.set(trace, [...(traces.get(trace) ?? []), exchange]);
    } else if (session === null && sender !== null) {
      const how = howLost(sender);
      const key = `${exchange.lost_from}\n${sender}`;
      const before = lost.get(key)?.count ?? 0;
      const request = `${exchange.method} ${exchange.client_host}${exchange.target.split("?", 1)[0]}`;
      lost.set(key, { session: exchange.lost_from, sender, request, count: before + 1, how });
    }
  }
  for (const calls of traces.values()) notePassed(calls, services);
  return {
    services: [...services.values()].sort((a, b) => (a.service < b.service ? -1 : 1)),
    lost: [...lost.values()].sort((a, b) => b.count - a.count),
  };
}

/** A request that began while another of its trace was being served was sent by that one's service. */
function notePassed(calls: Exchange[], services: Map<string, ServicePropagation>): void {
  for (const caller of calls) {
    const end = caller.timings.total === null ? Number.POSITIVE_INFINITY : caller.time + caller.timings.total;
    const known = services.get(caller.service!)!;
    for (const { service, time } of calls) {
      const isWithin = time > caller.time && time <= end;
      if (isWithin && service !== caller.service && !known.passedTo.includes(service!))
        known.passedTo.push(service!);
    }
  }
}

/** As `likelySender` words it. */
function howLost(sender: string): LostPropagation["how"] {
  if (sender.includes("it propagates traceparent, but not tracestate")) return "traceparent-only";
  return sender.includes("its tracestate names no running session") ? "invalid-member" : "nothing";
}
