import { expect, test } from "vitest";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import { cpuTime } from "../../../test/support/cpu-time.ts";
import { RowStore } from "./row-store.ts";

function row(id: number, more: Partial<Exchange> = {}): Exchange {
  return {
    id,
    time: id * 10,
    method: "GET",
    client_host: "a.example",
    target: `/${id}`,
    session: "s",
    service: "web",
    at: "local",
    state: "complete",
    status: 200,
    sender: null,
    lost_from: null,
    websocket: null,
    timings: { queue: 0, connect: null, first_byte: 1, total: 2 },
    edge: null,
    ...more,
  } as Exchange;
}
const ids = (store: RowStore) => store.shown.map(({ id }) => id);

test("in the order of time, changed in place, filtered as they come", () => {
  const store = new RowStore(100);
  store.filter("-status:404");
  store.change([row(1), row(3)]);
  expect(ids(store)).toEqual([1, 3]);
  // The Worker tells later what was earlier.
  store.change([row(4, { time: 15 }), row(5, { status: 404 })]);
  expect(ids(store)).toEqual([1, 4, 3]);
  store.change([row(3, { status: 404 }), row(1, { status: 500 })]);
  expect(store.shown.map(({ id, status }) => [id, status])).toEqual([
    [1, 500],
    [4, 200],
  ]);
  store.filter("");
  expect(ids(store)).toEqual([1, 4, 3, 5]);
});

test("the oldest go, also from what is shown", () => {
  const store = new RowStore(3);
  expect(ids(store)).toEqual([]);
  store.change([1, 2, 3, 4, 5].map((id) => row(id)));
  expect(ids(store)).toEqual([3, 4, 5]);
  expect(store.total).toBe(3);
});

test("a pause keeps what is shown, counts what comes, and filters what it has", () => {
  const store = new RowStore(100);
  store.change([row(1), row(2)]);
  store.pause(true);
  store.change([row(3), row(2, { status: 500 })]);
  expect([ids(store), store.newer]).toEqual([[1, 2], 1]);
  store.filter("path:/1");
  expect(ids(store)).toEqual([1]);
  store.filter("");
  store.pause(false);
  expect([ids(store), store.newer]).toEqual([[1, 2, 3], 0]);
});

test("10,000 rows at 200 a second: a filter takes less than 100 ms, a batch less than 10 ms", () => {
  const store = new RowStore(10_000);
  store.reset(Array.from({ length: 10_000 }, (_, id) => row(id)));
  expect(store.shown).toHaveLength(10_000);
  const filtering = cpuTime(() => {
    store.filter("status:2xx service:web path:/99");
    expect(store.shown.length).toBeGreaterThan(100);
  });
  expect(filtering).toBeLessThan(100);
  store.filter("");
  void store.shown;
  const changing = cpuTime(() => {
    for (let batch = 0; batch < 10; batch++)
      store.change(Array.from({ length: 20 }, (_, n) => row(10_000 + batch * 20 + n)));
  });
  expect(changing / 10).toBeLessThan(10);
  expect(store.total).toBe(10_000);
});
