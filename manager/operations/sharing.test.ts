import { expect, test } from "vitest";
import type { NewInvite } from "../../core/api/access-api.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";
import { recordRouters } from "./sharing.ts";

const made = { rights: ["visit", "route"], expires: 4_000_000_000_000 } as NewInvite;

const WORKER = "https://linkup.example.com";

/** Until when this machine looks for routing requests, after an invite was made or revoked. */
async function noted(before: number, list: () => Promise<readonly object[]>, invite?: NewInvite) {
  const record = (worker_url: string) => ({
    name: "slim-gecko",
    config: { linkup: { worker_url } },
    may_route_until: before,
  });
  const state = { sessions: [record(`${WORKER}/`), record("https://linkup.other.example")] };
  const store = {
    transaction: (work: () => Promise<unknown>) => work(),
    change: async (change: (changed: typeof state) => void) => change(state),
  };
  const shared = { name: "slim-gecko", sessionToken: "", worker: { url: WORKER, listInvites: list } };
  const loop = { store } as unknown as Pick<ControlLoop, "store">;
  await recordRouters(loop, shared as unknown as Parameters<typeof recordRouters>[1], invite);
  // Of the same name, on another Worker.
  expect(state.sessions[1]!.may_route_until).toBe(before);
  return state.sessions[0]!.may_route_until;
}
const fails = async () => {
  throw new Error("The Worker cannot be reached.");
};

test("the end of the latest invite that may route is kept, and none after its revocation", async () => {
  const later = made.expires + 1;
  expect(await noted(0, async () => [made, { ...made, expires: later }], made)).toBe(later);
  expect(await noted(later, async () => [made])).toBe(made.expires);
  expect(await noted(later, async () => [{ ...made, rights: ["visit"] }])).toBeUndefined();
});

test("when the Worker fails to list invites, a new invite and a revocation still hold", async () => {
  expect(await noted(0, fails, made)).toBe(made.expires);
  expect(await noted(made.expires + 1, fails, made)).toBe(made.expires + 1);
  expect(await noted(made.expires, fails)).toBe(made.expires);
});
