/** What the Worker reported: exchanges that never came to this machine, and the first hop of those that did. */
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { Served } from "../sessions.ts";

/** A report, by the id of its exchange. */
export interface EdgeRow {
  id: number;
  served: Served;
  report: EdgeReport;
  /** The report's time by this machine's clock. */
  time: number;
  /** The exchange also came to this machine. */
  joined: boolean;
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
  /** Sessions by trace id. */
  readonly #traces = new Map<string, string>();

  constructor(size: number) {
    this.#size = size;
  }

  /** An exchange of this machine that the Worker will report as well. */
  expect(hop: string, id: number): void {
    remember(this.#hops, hop, id, MAX_HOPS);
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
    const known = this.#hops.get(report.hop);
    const row = { id: known ?? newId(), served, report, time, joined: known !== undefined };
    const length = JSON.stringify(report).length;
    this.#rows.set(row.id, { row, length });
    this.#characters += length;
    while (this.#rows.size > this.#size || this.#characters > MAX_CHARACTERS) {
      const [oldest, { length }] = this.#rows.entries().next().value!;
      this.#rows.delete(oldest);
      this.#characters -= length;
    }
    return row;
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
