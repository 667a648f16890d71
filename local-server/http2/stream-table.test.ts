import { expect, test } from "vitest";
import { type NumberedStream, StreamTable } from "./stream-table.ts";

class Stream implements NumberedStream<Stream> {
  readonly id: number;
  next: Stream | undefined;

  constructor(id: number) {
    this.id = id;
  }
}

test("streams are found by their numbers, also those that share a slot", () => {
  const table = new StreamTable<Stream>();
  const streams = [1, 513, 1025, 3, 2 ** 31 - 1].map((id) => new Stream(id));
  for (const stream of streams) table.add(stream);
  for (const stream of streams) expect(table.get(stream.id)).toBe(stream);
  expect(table.get(1537)).toBe(undefined);
  expect(table.size).toBe(5);
  expect(new Set(table.all())).toEqual(new Set(streams));
  for (const [i, stream] of [streams[1]!, streams[2]!, streams[0]!, streams[4]!, streams[3]!].entries()) {
    table.delete(stream);
    expect(table.get(stream.id)).toBe(undefined);
    expect(table.size).toBe(4 - i);
    for (const other of table.all()) expect(table.get(other.id)).toBe(other);
  }
});
