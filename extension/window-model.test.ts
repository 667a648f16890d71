import { expect, test } from "vitest";
import type { SessionView } from "../manager/model/snapshot.ts";
import { assertReplacesNone, replacedBy, type WindowModel } from "./window-model.ts";

const PATH = "/home/me/shop/linkup.yaml";

function model(kind: SessionView["kind"], state: SessionView["state"], secondary = false): WindowModel {
  const session: SessionView = {
    name: "slim-gecko",
    kind,
    state,
    configPath: PATH,
    secondary,
    workerUrl: "https://linkup.example.com",
    urls: [],
    services: [],
  };
  return {
    snapshot: { sessions: [session], components: [], problems: [] },
    configs: [],
    starting: new Set(),
    trusted: true,
  };
}

test.each([
  ["tunneled", "running", "isolated", true],
  ["tunneled", "starting", "isolated", true],
  ["isolated", "running", "tunneled", true],
  ["tunneled", "running", "tunneled", false],
  ["tunneled", "failed", "isolated", false],
] as const)("a session that is %s and %s: starting %s replaces it: %s", (kind, state, wanted, replaced) => {
  expect(replacedBy(model(kind, state), PATH, wanted) !== undefined).toBe(replaced);
});

test("a session beside the workspace's own is not replaced", () => {
  expect(replacedBy(model("isolated", "running", true), PATH, "tunneled")).toBeUndefined();
});

test("who cannot ask the user gets an error", () => {
  expect(() => assertReplacesNone(model("tunneled", "running"), PATH, "isolated")).toThrow(
    "The session slim-gecko is running and is tunneled: stop it before you start it isolated.",
  );
});
