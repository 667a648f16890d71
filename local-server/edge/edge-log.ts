/** What the Worker reported: exchanges that never came to this machine, and the first hop of those that did. */
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { Served } from "../served-sessions.ts";

/** A report, by the id of its exchange. */
export interface EdgeRow {
  id: number;
  served: Served;
  report: EdgeReport;
  /** The report's time by this machine's clock. */
  time: number;
  /** The exchange is one of this machine, too: the Worker had it before, or after it. */
  joined: "before" | "after" | undefined;
}

type Place = Pick<EdgeRow, "id" | "joined">;

/** A request of this machine, as it was sent to where the Worker may be. */
export interface ForwardedRequest {
  id: number;
  method: string;
  host: string;
}

/** Of the reports' text; what is older is forgotten. */
const MAX_CHARACTERS = 8 << 20;
/** Hops and traces of the latest exchanges. */
const MAX_HOPS = 4_000;
const MAX_TRACES = 4_000;

export class EdgeLog {
  readonly #size: number;
  readonly #rows = new Map<number, { row: EdgeRow; length: number }>();
  #characters = 0;
  /** Exchanges of this machine, by the hop id that the Worker gave them. */
  readonly #hops = new Map<string, number>();
  /** Exchanges that this machine sent on, by the hop id that it gave them. */
  readonly #sent = new Map<string, ForwardedRequest>();
  /** Rows of what was reported before it ended, by hop id: it is reported again. */
  readonly #lasting = new Map<string, Place>();
  /** Sessions by trace id. */
  readonly #traces = new Map<string, string>();

  constructor(size: number) {
    this.#size = size;
  }

  /** An exchange of this machine that the Worker will report as well. */
  expect(hop: string, id: number): void {
    remember(this.#hops, hop, id, MAX_HOPS);
  }

  /** An exchange of this machine that the Worker reports as well, if it is the one that gets it. */
  expectSent(hop: string, sent: ForwardedRequest): void {
    remember(this.#sent, hop, sent, MAX_HOPS);
  }

  rememberTrace(trace: string, session: string): void {
    remember(this.#traces, trace, session, MAX_TRACES);
  }

  /** The session that had a request with this trace. */
  sessionOfTrace(trace: string): string | undefined {
    return this.#traces.get(trace);
  }

  /** `newId`: the id for an exchange that did not come to this machine. */
  add(served: Served, report: EdgeReport, time: number, newId: () => number): EdgeRow {
    if (report.trace !== null && !report.lost) this.rememberTrace(report.trace, served.name);
    const place = this.#place(report, newId);
    const row = { served, report, time, ...place };
    if (report.total === null) remember(this.#lasting, report.hop, place, MAX_HOPS);
    else this.#lasting.delete(report.hop);
    const length = JSON.stringify(report).length;
    this.#forget(row.id);
    this.#rows.set(row.id, { row, length });
    this.#characters += length;
    while (this.#rows.size > this.#size || this.#characters > MAX_CHARACTERS) {
      this.#forget(this.#rows.keys().next().value!);
    }
    return row;
  }

  #forget(id: number): void {
    this.#characters -= this.#rows.get(id)?.length ?? 0;
    this.#rows.delete(id);
  }

  /** Whose row it is. */
  #place(report: EdgeReport, newId: () => number): Place {
    const lasting = this.#lasting.get(report.hop);
    if (lasting) return lasting;
    const received = this.#hops.get(report.hop);
    if (received !== undefined) return { id: received, joined: "before" };
    const sent = report.from_hop ? this.#sent.get(report.from_hop) : undefined;
    // A service elsewhere may copy the header to requests of its own, which are others.
    if (!sent || sent.method !== report.method || sent.host !== report.host.toLowerCase())
      return { id: newId(), joined: undefined };
    this.#sent.delete(report.from_hop!);
    return { id: sent.id, joined: "after" };
  }

  get(id: number): EdgeRow | undefined {
    return this.#rows.get(id)?.row;
  }

  /** By arrival. */
  *[Symbol.iterator](): Generator<EdgeRow> {
    for (const { row } of this.#rows.values()) yield row;
  }

  clear(): void {
    this.#rows.clear();
    this.#characters = 0;
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > max) map.delete(map.keys().next().value!);
}
