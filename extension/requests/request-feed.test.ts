import { expect, test } from "vitest";
import type { Exchange, FollowedExchange } from "../../core/api/request-log-api.ts";
import { EventEmitter } from "../../test/support/vscode.ts";
import type { Linkup } from "../linkup.ts";
import { MAX_ROWS } from "./protocol.ts";
import { RequestFeed } from "./request-feed.ts";

const exchange = (id: number, more: Partial<Exchange> = {}) =>
  ({
    id,
    time: Date.now(),
    session: "slim-gecko",
    service: "api",
    state: "complete",
    status: 200,
    lost_from: null,
    sender: null,
    timings: { queue: 0, connect: null, first_byte: 1, total: 2 },
    ...more,
  }) as Exchange;

const FILE = "/shop/linkup.yaml";
const preview = (name: string, more: object = {}) => ({
  name,
  kind: "preview",
  state: "running",
  configPath: FILE,
  ...more,
});

/** A feed, and what a local server does: it tells lines, stops, and starts again. */
function follow(sessions: object[] = []) {
  let take: ((line: FollowedExchange) => void) | undefined;
  let stop = () => {};
  let started = 1;
  const followedPreviews: unknown[] = [];
  const logged: string[] = [];
  let failure: Error | undefined;
  const model = { snapshot: { sessions }, configs: [{ path: FILE }] };
  const changed = new EventEmitter<void>();
  const requestLog = {
    status: async () => (started > 0 ? { started } : undefined),
    logSettings: async () => ({ recording: true, body_bytes: 0 }),
    async followRequests(_filter: object, line: typeof take, signal: AbortSignal) {
      take = line;
      await new Promise<void>((resolve) => {
        stop = resolve;
        signal.addEventListener("abort", () => resolve());
      });
    },
  };
  const followPreviews = async (selector: unknown) => {
    followedPreviews.push(selector);
    if (failure) throw failure;
    return true;
  };
  const linkup = {
    manager: Promise.resolve({ requestLog, followPreviews }),
    model,
    onDidChange: changed.event,
    log: { debug: (line: string) => logged.push(line) },
  } as unknown as Linkup;
  return {
    feed: new RequestFeed(linkup),
    followed: () => expect.poll(() => take !== undefined, { timeout: 2_000 }).toBe(true),
    tell(...lines: FollowedExchange[]) {
      for (const line of lines) take!(line);
    },
    restart: () => {
      take = undefined;
      started++;
      stop();
    },
    logged,
    previews: () => followedPreviews,
    failWith: (error: Error | undefined) => (failure = error),
    become(sessions: object[]) {
      model.snapshot = { sessions };
      changed.fire();
    },
  };
}

test("requests and errors of a service, and the errors since one last looked", async () => {
  const { feed, followed, tell } = follow();
  await followed();
  tell(exchange(1), exchange(2, { status: 500 }), exchange(3, { state: "open", status: null }));
  expect(feed.counts).toEqual({
    services: { "slim-gecko/api": { perMinute: 3, errors: 1, lost: 0 } },
    newErrors: 1,
  });
  feed.looked();
  tell(exchange(4, { status: 404 }), exchange(5, { state: "broken" }));
  expect(feed.counts).toMatchObject({ services: { "slim-gecko/api": { errors: 3 } }, newErrors: 2 });
  // What came more than a minute ago is no longer one of this minute's.
  tell(exchange(6, { time: Date.now() - 61_000 }));
  expect(feed.counts.services["slim-gecko/api"]!.perMinute).toBe(5);
  feed.dispose();
});

test("dropped and missed requests, and the state of the Worker's log", async () => {
  const { feed, followed, tell } = follow();
  await followed();
  tell(
    { dropped: 5 },
    { dropped: 2 },
    { missed: 3 },
    { watch: { session: "slim-gecko", state: "connecting" } },
    { watch: { session: "slim-gecko", state: "watching" } },
  );
  expect(feed.status).toMatchObject({
    connected: true,
    dropped: 7,
    missed: 3,
    truncated: false,
    watched: [{ session: "slim-gecko", state: "watching" }],
  });
  for (let id = 1; id <= MAX_ROWS + 1; id++) tell(exchange(id));
  expect(feed.status.truncated).toBe(true);
  expect(feed.shown).toHaveLength(MAX_ROWS);
  feed.clear();
  expect(feed.shown).toEqual([]);
  // Of what was cleared nothing comes back, however often it changes.
  tell(exchange(MAX_ROWS + 1), exchange(MAX_ROWS + 2));
  expect(feed.shown.map(({ id }) => id)).toEqual([MAX_ROWS + 2]);
  expect(feed.status).toMatchObject({ dropped: 0, missed: 0, truncated: false });
  feed.dispose();
});

test("another local server counts from 1 again; previews are followed where there are some", async () => {
  const { feed, followed, tell, restart, previews, become } = follow([preview("pr-1")]);
  await followed();
  expect(previews()).toEqual([{ configPaths: [FILE] }]);
  tell(exchange(7));
  feed.clear();
  restart();
  await expect.poll(() => feed.status.connected).toBe(false);
  // Its start changes what the window shows.
  become([preview("pr-1")]);
  await followed();
  tell(exchange(1));
  expect(feed.shown.map(({ id }) => id)).toEqual([1]);
  expect(previews()).toHaveLength(2);
  feed.dispose();
});

test("a preview of this workspace is followed as soon as it runs, once", async () => {
  const { feed, followed, previews, become, failWith, logged } = follow();
  await followed();
  const others = preview("others", { configPath: "/elsewhere/linkup.yaml" });
  become([others, preview("pr-1", { state: "starting" }), { ...preview("slim-gecko"), kind: "tunneled" }]);
  expect(previews()).toEqual([]);
  become([others, preview("pr-1")]);
  await expect.poll(previews).toEqual([{ configPaths: [FILE] }]);
  become([others, preview("pr-1")]);
  become([others]);
  failWith(new Error("The state cannot be written."));
  become([others, preview("pr-1")]);
  await expect.poll(() => logged).toEqual(["The state cannot be written."]);
  // What failed is tried again when something changes.
  failWith(undefined);
  become([others, preview("pr-1")]);
  await expect.poll(previews).toHaveLength(3);
  feed.dispose();
  become([preview("pr-2")]);
  expect(previews()).toHaveLength(3);
});
