import { describe, expect, test } from "vitest";
import type { Config } from "../../core/config/model/config-model.ts";
import { newConnector } from "./connector.ts";
import { problem } from "./problem.ts";
import { newRecord } from "./records.ts";
import { emptyState, parseState, type SessionRecord, type State } from "./state.ts";
import { notStarted } from "./supervision.ts";

const config: Config = {
  linkup: {
    worker_url: "https://linkup.example.com",
    worker_token: "token-of-the-file",
    cache_routes: ["^/static/"],
  },
  services: [
    {
      name: "web",
      remote: "https://web.example.com",
      local: "http://localhost:3000",
      directory: "./web",
      rewrites: [{ source: "a", target: "b" }],
      health: { path: "/healthz", statuses: [200] },
      preserve_host: true,
    },
  ],
  domains: [{ domain: "example.com", default_service: "web", routes: [{ path: "^/", service: "web" }] }],
};

test("what is written is what is read", () => {
  const state: State = {
    ...emptyState(),
    sessions: [newRecord("tunneled", config, { name: "slim-gecko", targets: { web: "local" } })],
    local_server: { ...notStarted(), process: { pid: 1, started: "2" } },
  };
  expect(parseState(JSON.stringify(state))).toEqual({ state });
});

test("the token of the file is not kept with it", () => {
  expect(JSON.stringify(newRecord("tunneled", config))).not.toContain("token-of-the-file");
});

describe("an invalid state is described", () => {
  test.each([
    ["", "Unexpected end of JSON input"],
    ["{}", "version"],
    ['{"version":99,"sessions":[]}', "version"],
    ['{"version":1,"sessions":[{}],"local_server":null,"local_server_trouble":null}', "sessions.0"],
  ])("%s", (text, said) => {
    expect(parseState(text)).toEqual({ unreadable: expect.stringContaining(said) });
  });
});

test("what is missing or of another kind is told by its place", () => {
  const failed = problem("worker-failed", "Message", [{ command: "start", title: "Start" }]);
  const last_error = { problem: failed, failures: 1, retry_at: 2 };
  const process = { pid: 1, started: "2" };
  const state: State = {
    ...emptyState(),
    sessions: [
      newRecord("tunneled", config, {
        connector: { ...newConnector(), process },
        targets: { web: "local" },
        last_error,
        env_files: { directories: ["web"], problems: [failed] },
      }),
    ],
    keeper: process,
    set_aside: [failed],
    pending_deletions: [
      { ...last_error, name: "slim-gecko", worker_url: "https://w", worker_token: "t", ended: 1 },
    ],
    blocked_udp: { network: 1 },
  };
  expect(parseState(JSON.stringify(state))).toEqual({ state });
  // Of the file, only what Linkup itself goes by; and what version 4 got later, and optional parts.
  const free = /\.config\.|^blocked_udp$|connector\.(reached|refusals|refused)$|\.text$|\.text\./;
  const checked = placesIn(state).filter((place) => !free.test(place.join(".")));
  expect(checked.length).toBeGreaterThan(100);
  for (const place of checked) {
    const told = { unreadable: expect.stringMatching(`^${place.join(".").replaceAll(".", "\\.")}\\b`) };
    expect(parseState(JSON.stringify(changedAt(state, place, [[]])))).toEqual(told);
    if (!/\.\d+$|blocked_udp|targets/.test(place.join(".")))
      expect(parseState(JSON.stringify(changedAt(state, place, undefined)))).toEqual(told);
  }
});

/** The keys to everything within. */
function placesIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    [key],
    ...placesIn(item).map((place) => [key, ...place]),
  ]);
}

function changedAt(state: State, place: readonly string[], value: unknown): unknown {
  const changed = JSON.parse(JSON.stringify(state)) as State;
  const parent = place
    .slice(0, -1)
    .reduce<object>((object, key) => (object as Record<string, object>)[key]!, changed) as Record<
    string,
    unknown
  >;
  parent[place.at(-1)!] = value;
  return changed;
}

/** A session as versions up to 3 named its parts. */
function named3({
  secondary,
  desired,
  worker_hash,
  local_server_hash,
  last_error,
  ...record
}: SessionRecord): object {
  return {
    ...record,
    beside: secondary,
    wanted: desired,
    registered: worker_hash,
    served: local_server_hash,
    trouble: last_error,
  };
}

test("a state of version 3 is carried over", () => {
  const exiting_keeper = { pid: 1, started: "2" };
  const session = newRecord("tunneled", config, {
    secondary: true,
    desired: "running",
    worker_hash: "a",
    local_server_hash: "b",
    last_error: { problem: problem("worker-failed", "Message"), failures: 1, retry_at: 2 },
  });
  const left = {
    ...session.last_error!,
    name: "slim-gecko",
    worker_url: "https://w",
    worker_token: "t",
    ended: 1,
  };
  const { pending_deletions, ...version3 } = emptyState();
  const old = { ...version3, version: 3, undeleted: [left], leaving: exiting_keeper };
  expect(parseState(JSON.stringify({ ...old, sessions: [named3(session)] }))).toEqual({
    state: { ...emptyState(), sessions: [session], pending_deletions: [left], exiting_keeper },
  });
  expect(pending_deletions).toEqual([]);
});

test("a state of version 2 is carried over", () => {
  const [plain, tunneled] = [newRecord("isolated", config), newRecord("tunneled", config)];
  const { changed_at, ...connector } = newConnector();
  const set_aside = { code: "state-set-aside", title: "Title", message: "Message", actions: [] };
  const { pending_deletions, ...version2 } = emptyState();
  const sessions = [named3(plain), { ...named3(tunneled), connector }];
  expect(parseState(JSON.stringify({ ...version2, version: 2, sessions, set_aside }))).toEqual({
    state: {
      ...emptyState(),
      sessions: [plain, { ...tunneled, connector: newConnector() }],
      set_aside: [set_aside],
    },
  });
  expect(parseState(JSON.stringify({ ...version2, version: 2, set_aside: null }))).toEqual({
    state: emptyState(),
  });
  expect([changed_at, pending_deletions]).toEqual([0, []]);
});

test("a state of version 1 is carried over", () => {
  const sessions = [newRecord("tunneled", config, { name: "slim-gecko" })];
  const process = { pid: 1, started: "2" };
  const version1 = {
    version: 1,
    sessions: sessions.map(named3),
    local_server: process,
    local_server_trouble: null,
  };
  expect(parseState(JSON.stringify(version1))).toEqual({
    state: { ...emptyState(), sessions, local_server: { ...notStarted(), process } },
  });
});
