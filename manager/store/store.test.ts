import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Config } from "../../core/config/model/config-model.ts";
import { newRecord } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { Store } from "./store.ts";

let home: string;
let store: Store;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "linkup-store-"));
  store = new Store(home);
});
afterEach(() => rmSync(home, { recursive: true }));

const file = () => JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as State;
const keeper = (pid: number) => (state: State) => {
  state.keeper = { pid, started: "1" };
};

test("a transaction is seen by others when it ends, and by its own process at once", async () => {
  await store.change(keeper(1));
  const { ino } = statSync(join(home, "state.json"));
  await store.transaction(async () => {
    for (let pid = 2; pid < 10; pid++) await store.change(keeper(pid));
    expect((await store.read()).keeper?.pid).toBe(9);
    expect((await new Store(home).read()).keeper?.pid).toBe(1);
    expect(statSync(join(home, "state.json")).ino).toBe(ino);
  });
  expect(file().keeper?.pid).toBe(9);
});

test("what has to be known should the process die is written before the end", async () => {
  await store.transaction(async () => {
    await store.change(keeper(1));
    await store.flush();
    expect(file().keeper?.pid).toBe(1);
  });
});

test("a change that throws changes nothing, one before it is kept", async () => {
  const failing = store.transaction(async () => {
    await store.change(keeper(1));
    await store.change((state) => {
      state.keeper = null;
      throw new Error("no");
    });
  });
  await expect(failing).rejects.toThrow("no");
  expect(file().keeper?.pid).toBe(1);
});

test("nothing is written where nothing changed", async () => {
  await store.transaction(async () => {
    await store.change(keeper(1));
    await store.change((state) => {
      state.keeper = null;
    });
  });
  expect(readdirSync(home)).toEqual([]);
});

test("a change from elsewhere in the process joins the transaction that is open", async () => {
  const gate = Promise.withResolvers<void>();
  const open = store.transaction(() => gate.promise);
  await expect.poll(() => store.isOpen).toBe(true);
  await store.change(keeper(1));
  gate.resolve();
  await open;
  expect(file().keeper?.pid).toBe(1);
});

test("after a process that died in its transaction no hash is believed, until one succeeded", async () => {
  const config: Config = { linkup: { worker_url: "http://w", cache_routes: [] }, services: [], domains: [] };
  await store.change((state) => {
    state.sessions = [
      newRecord("tunneled", config, { worker_hash: "a", local_server_hash: "b" }),
      newRecord("tunneled", config),
    ];
  });
  const hashes = async () =>
    (await store.read()).sessions.map((record) => [record.worker_hash, record.local_server_hash]);
  writeFileSync(join(home, "state.lock"), JSON.stringify({ pid: process.pid, started: "long ago" }));
  await expect(store.transaction(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await store.transaction(async () => {
    expect(await hashes()).toEqual([
      ["unknown", "unknown"],
      [null, null],
    ]);
    await store.change((state) => {
      state.sessions[0]!.worker_hash = "c";
    });
  });
  await store.transaction(async () =>
    expect(await hashes()).toEqual([
      ["c", "unknown"],
      [null, null],
    ]),
  );
  expect(readdirSync(home)).toEqual(["state.json"]);
});
