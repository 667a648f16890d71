/** The request log: exchanges of this machine joined with what the Worker reports of them and of others. */
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import {
  changesNothing,
  type EdgeHop,
  type EdgeStatus,
  type Exchange,
  type ExchangeDetails,
} from "../../core/api/request-log-api.ts";
import type { AccessLog } from "../access-log/access-log.ts";
import {
  type ExchangeMetadata,
  NO_RARE_FIELDS,
  type RecordedExchange,
} from "../access-log/exchange-metadata.ts";
import type { InFlightExchange } from "../access-log/in-flight-exchange.ts";
import { EdgeLog, type EdgeRow } from "../edge/edge-log.ts";
import { EdgeWatch } from "../edge/edge-watch.ts";
import type { Served, Sessions } from "../served-sessions.ts";
import { printEdgeDetails, printEdgeExchange, printEdgeHop } from "./print-edge-exchange.ts";
import { type EdgeFacts, originOf, printDetails, printExchange } from "./print-exchange.ts";
import type { KeptRequest } from "./replay-exchange.ts";

export interface LogFollower {
  /** `print` makes the exchange as it is now; a follower that is full does without. */
  changed(print: () => Exchange): void;
  statusChanged(status: EdgeStatus): void;
  dropped(count: number): void;
}

export class RequestLog {
  readonly local: AccessLog;
  readonly #edge: EdgeLog;
  readonly #watch: EdgeWatch;
  readonly #pagePorts: readonly number[];
  readonly #followers = new Set<LogFollower>();
  readonly #localChanged = (exchange: InFlightExchange) => this.#noteLocal(exchange);

  /** `size`: exchanges of the Worker that are kept. `pagePorts`: the ports at which pages of sessions are served here. */
  constructor(local: AccessLog, sessions: Sessions, size: number, pagePorts: readonly number[]) {
    this.local = local;
    this.#pagePorts = pagePorts;
    this.#edge = new EdgeLog(size);
    this.#watch = new EdgeWatch(sessions, {
      statusChanged: (status) => {
        for (const follower of this.#followers) follower.statusChanged(status);
      },
      reported: (served, report, offsetMs) => this.#reported(served, report, offsetMs),
      dropped: (count) => {
        for (const follower of this.#followers) follower.dropped(count);
      },
    });
    local.onTraced = ({ id, rare, served, listener, client }) => {
      if (rare?.nextHop)
        this.#edge.expectSent(rare.nextHop.id, { id, method: client.method, host: rare.nextHop.host });
      if (!rare?.trace || !served) return;
      this.#edge.rememberTrace(rare.trace, served.name);
      if (listener === "browser" || rare.replayOf !== undefined)
        this.#watch.tellTrace(served.name, rare.trace);
    };
  }

  /** By id, oldest first. */
  *[Symbol.iterator](): Generator<Exchange> {
    const local = this.local.all().map((recorded) => ({ id: recorded.metadata.id, recorded }));
    const here = new Set(local.map(({ id }) => id));
    const edge = [...this.#edge].filter(({ id }) => !here.has(id)).map((row) => ({ id: row.id, row }));
    for (const entry of [...local, ...edge].sort((a, b) => a.id - b.id))
      yield "recorded" in entry ? this.#print(entry.recorded) : printEdgeExchange(entry.row);
  }

  /** Undefined when it is no longer kept. */
  details(id: number): ExchangeDetails | undefined {
    const recorded = this.local.get(id);
    const row = this.#edge.get(id);
    if (!recorded) return row && printEdgeDetails(row);
    const first = row?.joined === "before" ? row : undefined;
    const details = {
      ...printDetails(recorded, this.#pagePorts, this.#facts(recorded), first?.report),
      ...this.#publicFacts(recorded),
    };
    if (row && isRoutedAfter(row, recorded)) {
      const { explanation, sent_headers, service_headers } = printEdgeDetails(row);
      const routed = { ...details.explanation, ...explanation };
      return { ...details, explanation: routed, sent_headers, service_headers };
    }
    if (!first) return details;
    // The first hop decided; the second did as it was told. Its report comes later, when the session may have changed.
    const { served = first.served } = recorded.metadata;
    const { explanation, looked_at } = printEdgeDetails({ ...first, served });
    return { ...details, explanation, looked_at };
  }

  /** With its secrets: only for `replay`. Undefined when it is no longer kept, or when it has no session. */
  kept(id: number): KeptRequest | undefined {
    const recorded = this.local.get(id);
    const row = this.#edge.get(id);
    if (recorded) {
      const served = row && isRoutedAfter(row, recorded) ? row.served : recorded.metadata.served;
      return served && keptRequest(recorded, served);
    }
    return row && !row.report.lost ? keptOfReport(row) : undefined;
  }

  clear(): void {
    this.local.clear();
    this.#edge.clear();
  }

  get statuses(): EdgeStatus[] {
    return this.#watch.statuses;
  }

  /** Call the result when the follower is gone. */
  follow(follower: LogFollower): () => void {
    this.#followers.add(follower);
    this.local.followers.add(this.#localChanged);
    const leave = this.#watch.follow();
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.local.followers.delete(this.#localChanged);
      leave();
    };
  }

  end(): void {
    this.#watch.end();
  }

  #noteLocal(exchange: InFlightExchange): void {
    const { rare } = exchange;
    if (rare?.hop !== undefined) this.#edge.expect(rare.hop, exchange.id);
    for (const follower of this.#followers) follower.changed(() => this.#print(exchange.read()));
  }

  #reported(served: Served, report: EdgeReport, offsetMs: number): void {
    const row = this.#edge.add(served, report, Math.round(report.time - offsetMs), () => this.local.nextId());
    for (const follower of this.#followers)
      follower.changed(() => {
        const recorded = row.joined ? this.local.get(row.id) : undefined;
        return recorded ? this.#print(recorded) : printEdgeExchange(row);
      });
  }

  #print(recorded: RecordedExchange): Exchange {
    return { ...printExchange(recorded, this.#facts(recorded)), ...this.#publicFacts(recorded) };
  }

  /** Of a request that this machine forwarded to its public origin: what the Worker there made of it. */
  #publicFacts(recorded: RecordedExchange): Partial<Exchange> {
    const row = this.#edge.get(recorded.metadata.id);
    if (!row || !isRoutedAfter(row, recorded)) return {};
    const { session, service, at, override = null, trace, span, trace_began } = printEdgeExchange(row);
    return { session, service, at, override, trace, span, trace_began };
  }

  #facts({ metadata }: RecordedExchange): EdgeFacts {
    const { id, served, rare = NO_RARE_FIELDS, time } = metadata;
    const row = this.#edge.get(id);
    const lostFrom = served || !rare.trace ? undefined : this.#edge.sessionOfTrace(rare.trace);
    const hop = row ? (row.joined === "after" ? hopAfter(row, metadata) : hopBefore(row, time)) : null;
    return { hop, lostFrom: lostFrom ?? null };
  }
}

/** No session of this machine serves it: the Worker routed it. */
function isRoutedAfter({ joined, report }: EdgeRow, { metadata }: RecordedExchange): boolean {
  return joined === "after" && !report.lost && metadata.served === undefined;
}

function keptRequest(recorded: RecordedExchange, served: Served): KeptRequest {
  const { metadata, method, host, target, requestHeaders, requestBody } = recorded;
  const { id, listener, secure, requestBytes } = metadata;
  const isWhole = requestBody?.truncated === false && requestBody.bytes.length === requestBytes;
  return {
    id,
    served,
    listener,
    secure,
    method,
    host,
    target,
    headers: requestHeaders.raw,
    // Copied: the log's memory is used again.
    body: requestBytes === 0 ? null : isWhole ? Buffer.from(requestBody.bytes) : undefined,
    origin: originOf(recorded),
  };
}

function keptOfReport({ id, served, report }: EdgeRow): KeptRequest {
  const { method, host, target, secure, request_headers, request_bytes } = report;
  return {
    id,
    served,
    listener: "browser",
    secure,
    method,
    host,
    target,
    headers: request_headers.flat(),
    body: request_bytes || (request_bytes === null && !changesNothing(method)) ? undefined : null,
    origin: undefined,
  };
}

/** However the clocks differ, the Worker had it between this machine's request and its response. */
function hopAfter(row: EdgeRow, { time, started, responded }: ExchangeMetadata): EdgeHop {
  const hop = printEdgeHop(row);
  const latest = time + Math.max(0, (responded || started + hop.first_byte) - started - hop.first_byte);
  return { ...hop, time: Math.round(Math.min(Math.max(hop.time, time), latest)) };
}

/** However the clocks differ, a request comes to the Worker before it comes here. */
function hopBefore(row: EdgeRow, time: number): EdgeHop {
  const hop = printEdgeHop(row);
  return { ...hop, time: Math.min(hop.time, time) };
}
