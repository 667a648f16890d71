/**
 * The open streams of a connection by their numbers, in a table that never grows. A Map leaves each table that it outgrows linked to
 * the next one, and once one of them is in the old generation of V8's heap, all requests of the connection follow.
 */

/** What can be in the table. */
export interface NumberedStream<Stream> {
  readonly id: number;
  /** The next one in the same slot. */
  next: Stream | undefined;
}

/** As many as streams that may be open; clients number them 1, 3, 5… */
const SLOTS = 256;

export class StreamTable<Stream extends NumberedStream<Stream>> {
  size = 0;
  readonly #slots = new Array<Stream | undefined>(SLOTS).fill(undefined);

  get(id: number): Stream | undefined {
    let stream = this.#slots[slotOf(id)];
    while (stream && stream.id !== id) stream = stream.next;
    return stream;
  }

  add(stream: Stream): void {
    const slot = slotOf(stream.id);
    stream.next = this.#slots[slot];
    this.#slots[slot] = stream;
    this.size++;
  }

  /** It is in the table. */
  delete(stream: Stream): void {
    const slot = slotOf(stream.id);
    let before = this.#slots[slot]!;
    if (before === stream) this.#slots[slot] = stream.next;
    else {
      while (before.next !== stream) before = before.next!;
      before.next = stream.next;
    }
    stream.next = undefined;
    this.size--;
  }

  all(): Stream[] {
    const list: Stream[] = [];
    for (const first of this.#slots) for (let stream = first; stream; stream = stream.next) list.push(stream);
    return list;
  }
}

function slotOf(id: number): number {
  return (id >> 1) & (SLOTS - 1);
}
