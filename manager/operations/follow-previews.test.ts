import { expect, test } from "vitest";
import { WATCH_CAPABILITY } from "../../core/api/edge-report-api.ts";
import type { SessionRecord, State } from "../model/state.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";
import { followPreviews, type PreviewSelector } from "./follow-previews.ts";

const preview = (name: string, more: object = {}) => ({
  name,
  kind: "preview",
  desired: "running",
  config_path: "/shop/linkup.yaml",
  worker: { capabilities: [WATCH_CAPABILITY] },
  ...more,
});

/** What was answered, the previews that are followed then, and how often everything was reconciled. */
async function followed(selector: PreviewSelector, sessions: object[]) {
  const state = { sessions: sessions as SessionRecord[] };
  let reconciled = 0;
  const loop = {
    store: { read: async () => structuredClone(state) },
    async reconcile(change: (state: State) => void) {
      reconciled++;
      change(state as State);
    },
  } as unknown as ControlLoop;
  const any = await followPreviews(loop, selector);
  const names = state.sessions.filter(({ followed_here }) => followed_here).map(({ name }) => name);
  return { any, names, reconciled };
}

const ours = { configPaths: ["/shop/linkup.yaml", "/blog/linkup.yaml"] };

test("a window follows the running previews of its own files, and of no other folder", async () => {
  const all = [
    preview("pr-1"),
    preview("pr-2", { config_path: "/blog/linkup.yaml" }),
    preview("others", { config_path: "/elsewhere/linkup.yaml" }),
    preview("by-hand", { config_path: null }),
    preview("stopped", { desired: "stopped" }),
    preview("old-worker", { worker: { capabilities: [] } }),
    preview("slim-gecko", { kind: "tunneled" }),
  ];
  expect(await followed(ours, all)).toEqual({ any: true, names: ["pr-1", "pr-2"], reconciled: 1 });
});

test("nothing is started for previews of other folders, and nothing is done twice", async () => {
  const others = [preview("others", { config_path: "/elsewhere/linkup.yaml" })];
  expect(await followed(ours, others)).toEqual({ any: false, names: [], reconciled: 0 });
  expect(await followed({ configPaths: [] }, others)).toMatchObject({ any: false, reconciled: 0 });
  const known = [preview("pr-1", { followed_here: true })];
  expect(await followed(ours, known)).toEqual({ any: true, names: ["pr-1"], reconciled: 0 });
});

test("a preview that is named is followed wherever it was made", async () => {
  const all = [preview("pr-1"), preview("others", { config_path: "/elsewhere/linkup.yaml" })];
  expect(await followed({ name: "others" }, all)).toMatchObject({ any: true, names: ["others"] });
});
