/** Sends each hop of Linkup as a span to a collector, as OTLP/HTTP. The exchanges are redacted already; there are no headers and no bodies. */
import { createHash } from "node:crypto";
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Exchange } from "../../core/api/request-log-api.ts";

/** The Worker tells its hop a moment after this machine's is over. */
const DELAY_MS = 1_500;
/** What came through the tunnel is sent without the Worker's hop when that is not told by then. */
const LATE_MS = 6_000;
/** Exchanges that wait for a collector; what comes on top of them is not sent. */
const MAX_WAITING = 5_000;
/** Exchanges whose hops have been sent: each is sent once. */
const MAX_SENT = 20_000;
const TIMEOUT_MS = 5_000;
const TRACES_PATH = "/v1/traces";

type Span = Parameters<OTLPTraceExporter["export"]>[0][number];
type HopName = "worker" | "local-server";

export class OtlpExport {
  readonly #exporter: OTLPTraceExporter;
  readonly #version: string;
  readonly #failed: (message: string) => void;
  #waiting = new Map<number, { exchange: Exchange; since: number }>();
  #timer: NodeJS.Timeout | undefined;
  readonly #sent = new Set<string>();
  #sending: Promise<void> = Promise.resolve();

  /**
   * `endpoint`: of the collector (`http://localhost:4318`) or of its traces (`…/v1/traces`). Headers for it come from the
   * variable `OTEL_EXPORTER_OTLP_HEADERS`, as for every exporter. Throws an Error when it is no URL.
   */
  constructor(endpoint: string, version: string, failed: (message: string) => void) {
    this.#exporter = new OTLPTraceExporter({ url: tracesUrl(endpoint), timeoutMillis: TIMEOUT_MS });
    this.#version = version;
    this.#failed = failed;
  }

  /** An exchange that is new or has changed; it is sent once it is over. */
  add(exchange: Exchange): void {
    if (exchange.trace === null || exchange.state === "open") return;
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(exchange.id)) return;
    const since = this.#waiting.get(exchange.id)?.since ?? performance.now();
    this.#waiting.set(exchange.id, { exchange, since });
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      const now = performance.now();
      void this.flush(
        ({ edge, listener }, since) => edge !== null || listener !== "tunnel" || now - since > LATE_MS,
      );
    }, DELAY_MS);
  }

  /** Sends what waits and is due. Never rejects. */
  flush(isDue: (exchange: Exchange, since: number) => boolean = () => true): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = [...this.#waiting.values()].filter(({ exchange, since }) => isDue(exchange, since));
    for (const { exchange } of due) this.#waiting.delete(exchange.id);
    if (this.#waiting.size > 0) this.#arm();
    const spans = due.flatMap(({ exchange }) => this.#newSpans(exchange));
    if (spans.length > 0) this.#sending = this.#sending.then(() => this.#send(spans));
    return this.#sending;
  }

  /** Sends what waits, and ends. */
  async end(): Promise<void> {
    await this.flush();
    await this.#exporter.shutdown();
  }

  #send(spans: Span[]): Promise<void> {
    return new Promise((resolve) => {
      this.#exporter.export(spans, ({ error }) => {
        if (error) this.#failed(error.message);
        resolve();
      });
    });
  }

  #newSpans(exchange: Exchange): Span[] {
    return spansOf(exchange, this.#version).filter((span) => {
      const { spanId } = span.spanContext();
      if (this.#sent.has(spanId)) return false;
      this.#sent.add(spanId);
      if (this.#sent.size > MAX_SENT) this.#sent.delete(this.#sent.values().next().value!);
      return true;
    });
  }
}

function tracesUrl(endpoint: string): string {
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint))
    throw new Error(`"${endpoint}" is not the http(s) URL of a collector.`);
  const url = new URL(endpoint);
  if (url.pathname === "/") url.pathname = TRACES_PATH;
  return url.href;
}

/** The first hop is the parent of the second. Where Linkup began the trace, the services were told the first hop's id. */
function spansOf(exchange: Exchange, version: string): Span[] {
  const { time, timings, edge, listener, span, trace_began } = exchange;
  const first = edge && !edge.after ? "worker" : "local-server";
  const firstId = (trace_began ? span : null) ?? derivedId(exchange, first);
  const caller = trace_began ? undefined : (span ?? undefined);
  const make = (hop: HopName, id: string, parent: string | undefined, start: number, ms: number) =>
    spanOf(exchange, version, { hop, id, parent, start, ms });
  const took = timings.total ?? timings.first_byte ?? 0;
  if (!edge) return [make(first, firstId, caller, time, took)];
  const edgeTook = edge.total ?? edge.first_byte;
  if (edge.after)
    return [
      make("local-server", firstId, caller, time, took),
      make("worker", derivedId(exchange, "worker"), firstId, edge.time, edgeTook),
    ];
  const worker = make("worker", firstId, caller, edge.time, edgeTook);
  if (listener === "edge") return [worker];
  return [worker, make("local-server", derivedId(exchange, "local-server"), firstId, time, took)];
}

/** The same in each window that sends it. */
function derivedId({ trace, id, time }: Exchange, hop: HopName): string {
  return createHash("sha256").update(`${trace}/${id}/${time}/${hop}`).digest("hex").slice(0, 16);
}

interface HopSpan {
  hop: HopName;
  id: string;
  parent: string | undefined;
  /** Milliseconds since the epoch. */
  start: number;
  ms: number;
}

function spanOf(exchange: Exchange, version: string, { hop, id, parent, start, ms }: HopSpan): Span {
  const { method, target, secure, client_host, url, service, session, at, edge, failure } = exchange;
  const status = hop === "worker" ? edge!.status : exchange.status;
  const isError = exchange.state === "broken" || (status ?? 0) >= 500;
  const context = (spanId: string): SpanContext => ({
    traceId: exchange.trace!,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  const attributes = {
    "http.request.method": method,
    "url.full": `${secure ? "https" : "http"}://${client_host}${target}`,
    "server.address": client_host,
    "http.response.status_code": status ?? undefined,
    "error.type": failure ?? (isError ? String(status ?? "aborted") : undefined),
    "linkup.request": exchange.id,
    "linkup.session": session ?? undefined,
    "linkup.lost_from": exchange.lost_from ?? undefined,
    "linkup.service": service ?? undefined,
    "linkup.override": exchange.override ?? undefined,
    "linkup.fallback": exchange.fallback,
    "linkup.target": at ?? undefined,
    "linkup.url": (hop === "worker" ? edge!.url : url) ?? undefined,
  };
  return {
    name: `${method} ${target.split("?", 1)[0]}`,
    kind: SpanKind.SERVER,
    spanContext: () => context(id),
    ...(parent === undefined ? {} : { parentSpanContext: { ...context(parent), isRemote: true } }),
    startTime: hrTime(start),
    endTime: hrTime(start + ms),
    duration: hrTime(ms),
    status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)),
    links: [],
    events: [],
    ended: true,
    resource: resourceFromAttributes({ "service.name": `linkup-${hop}`, "service.version": version }),
    instrumentationScope: { name: "linkup", version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
