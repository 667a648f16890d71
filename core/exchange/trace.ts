/** The exchanges of one trace as spans: one for each hop of Linkup, in the order and depth of their calls. */
import type { Exchange } from "../api/request-log-api.ts";

export interface Trace {
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
  /** Each after the one that it was called from. */
  spans: TraceSpan[];
  /** Times in which no hop of Linkup had a request of the trace. */
  unseen: TraceGap[];
}

export interface TraceSpan {
  exchange: Exchange;
  hop: "worker" | "local-server";
  /** Index in `spans` of the span that it was called from, as far as the times tell; -1 for the first. */
  parent: number;
  depth: number;
  /** Milliseconds since the epoch. */
  start: number;
  /** As far as it is known: an exchange in flight goes on. Of the Worker's hop at least until the head of the response. */
  end: number;
  /** What the time was spent on that no span below it explains. */
  gaps: TraceGap[];
}

/** `tunnel`: from the Worker to this machine. `way`: from this machine to the Worker. `service`: in the service, or on the way to it. */
export interface TraceGap {
  is: "tunnel" | "way" | "queue" | "connect" | "service" | "unseen";
  start: number;
  ms: number;
}

/** Shorter gaps are noise of the clocks. */
const MIN_GAP_MS = 0.1;

/** `exchanges`: those of one trace. */
export function traceOf(exchanges: readonly Exchange[]): Trace {
  const hops = exchanges.flatMap(hopsOf).sort((a, b) => a.start - b.start || a.order - b.order);
  const callers = new Map(hops.map((hop) => [hop, callerOf(hop, hops)]));
  const spans: TraceSpan[] = [];
  const add = (hop: Hop, parent: number) => {
    const { order: _order, ...span } = hop;
    const depth = parent === -1 ? 0 : spans[parent]!.depth + 1;
    const called = hops.filter((other) => callers.get(other) === hop);
    const index = spans.push({ ...span, parent, depth, gaps: gapsOf(hop, called) }) - 1;
    for (const other of called) add(other, index);
  };
  const roots = hops.filter((hop) => !callers.get(hop));
  for (const root of roots) add(root, -1);
  const start = hops[0]?.start ?? 0;
  const end = Math.max(start, ...hops.map((hop) => hop.end));
  const unseen = uncovered(start, end, roots).map((gap) => ({ is: "unseen" as const, ...gap }));
  return { start, end, spans, unseen };
}

interface Hop extends Pick<TraceSpan, "exchange" | "hop" | "start" | "end"> {
  /** The second hop of an exchange comes after the first, however short the way. */
  order: number;
}

function hopsOf(exchange: Exchange): Hop[] {
  const { time, timings, edge, listener } = exchange;
  const took = timings.total ?? timings.first_byte ?? 0;
  const here = { exchange, hop: "local-server" as const, start: time, end: time + took };
  if (!edge) return [{ ...here, order: 0 }];
  const edgeTook = edge.total ?? edge.first_byte;
  const worker = { exchange, hop: "worker" as const, start: edge.time, end: edge.time + edgeTook };
  if (listener === "edge") return [{ ...worker, order: 0 }];
  if (edge.after)
    return [
      { ...here, order: 0 },
      { ...worker, order: 1 },
    ];
  // However the clocks differ, what it waited for ended before.
  const end = Math.max(worker.end, time + (timings.first_byte ?? took));
  return [
    { ...worker, end, order: 0 },
    { ...here, order: 1 },
  ];
}

/** The latest hop within whose time this one began: its own exchange's first hop, or one with another service. */
function callerOf(hop: Hop, hops: readonly Hop[]): Hop | undefined {
  const own = hops.find((other) => other.exchange === hop.exchange && other.order < hop.order);
  if (own) return own;
  return hops.findLast(
    (other) =>
      other.exchange !== hop.exchange &&
      other.exchange.service !== null &&
      other.exchange.service !== hop.exchange.service &&
      (other.start < hop.start || (other.start === hop.start && other.exchange.id < hop.exchange.id)) &&
      hop.start <= other.end &&
      isLastHop(other, hops),
  );
}

/** Services answer the last hop. */
function isLastHop(hop: Hop, hops: readonly Hop[]): boolean {
  return !hops.some((other) => other.exchange === hop.exchange && other.order > hop.order);
}

function gapsOf(hop: Hop, called: readonly Hop[]): TraceGap[] {
  const { exchange, start, end } = hop;
  const { edge, listener } = exchange;
  if (hop.hop === "worker" && listener !== "edge" && !edge?.after)
    return uncovered(start, end, called).map((gap) => ({ is: "tunnel", ...gap }));
  if (exchange.at === null) return [];
  const { queue, connect } = hop.hop === "local-server" ? exchange.timings : { queue: 0, connect: null };
  const rest = hop.hop === "local-server" && edge?.after ? ("way" as const) : ("service" as const);
  const sent = start + queue + (connect ?? 0);
  return [
    ...(queue >= MIN_GAP_MS ? [{ is: "queue" as const, start, ms: queue }] : []),
    ...(connect !== null && connect >= MIN_GAP_MS
      ? [{ is: "connect" as const, start: start + queue, ms: connect }]
      : []),
    ...uncovered(sent, end, called).map((gap) => ({ is: rest, ...gap })),
  ];
}

/** The parts of a time in which none of these was. */
function uncovered(
  from: number,
  to: number,
  hops: readonly Pick<Hop, "start" | "end">[],
): { start: number; ms: number }[] {
  const gaps: { start: number; ms: number }[] = [];
  let at = from;
  for (const { start, end } of [...hops].sort((a, b) => a.start - b.start)) {
    if (start - at >= MIN_GAP_MS) gaps.push({ start: at, ms: Math.min(start, to) - at });
    at = Math.max(at, end);
  }
  if (to - at >= MIN_GAP_MS) gaps.push({ start: at, ms: to - at });
  return gaps;
}
