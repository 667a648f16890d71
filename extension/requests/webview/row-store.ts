/** The rows of the page: kept in order, filtered as they come. Without the DOM. */
import type { Exchange } from "../../../core/api/request-log-api.ts";
import { type ExchangeQuery, parseFilter } from "../../../core/exchange/filter.ts";

export class RowStore {
  readonly #max: number;
  #all = new Map<number, Exchange>();
  #query: ExchangeQuery = parseFilter("");
  /** The ids of rows that match, in the order of their time; undefined when it has to be made anew. */
  #shown: Exchange[] | undefined;
  /** While paused: the rows as they were. */
  #frozen: Exchange[] | undefined;
  #newer = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get total(): number {
    return this.#all.size;
  }

  get unknownWords(): readonly string[] {
    return this.#query.unknown;
  }

  /** Rows that came since the pause. */
  get newer(): number {
    return this.#newer;
  }

  get paused(): boolean {
    return this.#frozen !== undefined;
  }

  filter(text: string): void {
    this.#query = parseFilter(text);
    this.#shown = undefined;
  }

  pause(paused: boolean): void {
    this.#frozen = paused ? [...this.#all.values()] : undefined;
    this.#newer = 0;
    this.#shown = undefined;
  }

  reset(rows: readonly Exchange[]): void {
    this.#all = new Map();
    this.#frozen &&= [];
    this.#newer = 0;
    this.change(rows);
    this.#shown = undefined;
  }

  change(rows: readonly Exchange[]): void {
    for (const row of rows) {
      const isNew = !this.#all.has(row.id);
      this.#all.set(row.id, row);
      if (this.#frozen) {
        if (isNew) this.#newer++;
      } else this.#place(row, isNew);
    }
    while (this.#all.size > this.#max) {
      const [oldest] = this.#all.keys();
      this.#all.delete(oldest!);
      if (!this.#frozen && this.#shown) {
        const at = this.#shown.findIndex(({ id }) => id === oldest);
        if (at !== -1) this.#shown.splice(at, 1);
      }
    }
  }

  get(id: number): Exchange | undefined {
    return this.#all.get(id);
  }

  /** Whether the filter shows them or not. */
  withTrace(trace: string): Exchange[] {
    return [...this.#all.values()].filter((row) => row.trace === trace);
  }

  /** Rows that match, oldest first. */
  get shown(): readonly Exchange[] {
    this.#shown ??= (this.#frozen ?? [...this.#all.values()])
      .filter((row) => this.#query.matches(row))
      .sort(byTime);
    return this.#shown;
  }

  /** Most rows are the newest, and most changes are of the latest rows. */
  #place(row: Exchange, isNew: boolean): void {
    const shown = this.#shown;
    if (!shown) return;
    if (!isNew) {
      const at = shown.findLastIndex(({ id }) => id === row.id);
      if (at !== -1) shown.splice(at, 1);
    }
    if (!this.#query.matches(row)) return;
    let at = shown.length;
    while (at > 0 && byTime(shown[at - 1]!, row) > 0) at--;
    shown.splice(at, 0, row);
  }
}

/** The time of the first hop; requests of one instant in the order in which they came. */
function byTime(one: Exchange, other: Exchange): number {
  return timeOf(one) - timeOf(other) || one.id - other.id;
}

export function timeOf({ time, edge }: Exchange): number {
  return edge ? Math.min(edge.time, time) : time;
}
