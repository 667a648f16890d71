/**
 * The exchanges under way. A Set would do, but for the garbage collector: the table that a growing Set leaves behind
 * points to the next one, and together they carry every request into the old generation (measured: 30 % more CPU for each).
 */
export interface Placed {
  /** Where it stands. */
  place: number;
}

export class Underway<T extends Placed> {
  readonly #all: T[] = [];

  add(one: T): void {
    one.place = this.#all.push(one) - 1;
  }

  /** The last one takes its place. */
  delete({ place }: T): void {
    const last = this.#all.pop()!;
    if (place === this.#all.length) return;
    this.#all[place] = last;
    last.place = place;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all.values();
  }
}
