import { expect, test } from "vitest";
import type { ComponentView, ServiceView, SessionView, Snapshot } from "../../manager/model/snapshot.ts";
import { SESSION } from "../../test/support/extension-window.ts";
import { eventsBetween } from "./session-events.ts";

const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  sessions: [],
  components: [],
  problems: [],
  ...more,
});
const session = (more: Partial<SessionView> = {}): SessionView => ({ ...SESSION, ...more });
const service = (more: Partial<ServiceView>): ServiceView => ({ ...SESSION.services[0]!, ...more });
const told = (before: Partial<Snapshot>, after: Partial<Snapshot>) =>
  eventsBetween(snapshot(before), snapshot(after)).map(({ level, text }) => `${level}: ${text}`);

test("a session's life", () => {
  const starting = session({ name: undefined, state: "starting", urls: [] });
  expect(told({}, { sessions: [starting] })).toEqual(["info: Starting session /shop/linkup.yaml (tunneled)"]);
  expect(told({ sessions: [starting] }, { sessions: [session()] })).toEqual([
    "info: Session slim-gecko (tunneled) is running at https://slim-gecko.example.com/",
  ]);
  expect(told({}, { sessions: [session()] })).toEqual([
    "info: Adopted session slim-gecko (tunneled), which was running at https://slim-gecko.example.com/",
  ]);
  expect(told({ sessions: [session()] }, { sessions: [session({ state: "failed" })] })).toEqual([
    "error: Session slim-gecko (tunneled) failed",
  ]);
  expect(told({ sessions: [session()] }, {})).toEqual(["info: Ended session slim-gecko (tunneled)"]);
  expect(told({ sessions: [session()] }, { sessions: [session()] })).toEqual([]);
});

test("who can open a session", () => {
  const [open, closed] = [session({ access: "public" }), session({ access: "private" })];
  expect(told({ sessions: [open] }, { sessions: [closed] })).toEqual([
    "info: Session slim-gecko (tunneled) is private now",
  ]);
});

test("toggles, and services that fall ill and recover", () => {
  const local = session({ services: [service({ target: "local" })] });
  const ill = session({ services: [service({ health: "unhealthy", reason: "connection refused" })] });
  expect(told({ sessions: [session()] }, { sessions: [local] })).toEqual([
    "info: Routed web of slim-gecko (tunneled) to local, http://localhost:3000",
  ]);
  const byAna = session({ services: [service({ target: "local", routedBy: "Ana" })] });
  expect(told({ sessions: [session()] }, { sessions: [byAna] })).toEqual([
    "info: Routed web of slim-gecko (tunneled) to local by Ana, http://localhost:3000",
  ]);
  expect(told({ sessions: [session()] }, { sessions: [ill] })).toEqual([
    "warn: Service web of slim-gecko (tunneled) is unhealthy: connection refused",
  ]);
  expect(told({ sessions: [ill] }, { sessions: [session()] })).toEqual([
    "info: Service web of slim-gecko (tunneled) is healthy again",
  ]);
});

test("copies of other sessions that go and come back, and overrides", () => {
  const borrowed = (fallback?: string) =>
    session({
      services: [service({ target: "session:bold-cat", ...(fallback === undefined ? {} : { fallback }) })],
    });
  expect(told({ sessions: [borrowed()] }, { sessions: [borrowed("session-gone")] })).toEqual([
    "warn: web of slim-gecko (tunneled) goes to its remote copy: The session bold-cat does not exist any more.",
  ]);
  expect(told({ sessions: [borrowed("session-gone")] }, { sessions: [borrowed()] })).toEqual([
    "info: web of slim-gecko (tunneled) goes to the copy of bold-cat again",
  ]);
  const overridden = (on: boolean) =>
    session({ overrides: [{ name: "down", on, service: "api", does: "respond 503", when: "" }] });
  expect(told({ sessions: [overridden(false)] }, { sessions: [overridden(true)] })).toEqual([
    "info: Override down of slim-gecko (tunneled) is on: respond 503",
  ]);
});

test("components by their states and processes, and problems that come and go", () => {
  const tunnel = (more: Partial<ComponentView>): ComponentView => ({
    id: "tunnel",
    state: "ready",
    pid: 1,
    since: 0,
    detail: "cloudflared",
    outdated: false,
    ...more,
  });
  const failed = tunnel({ state: "failed", detail: "no such host" });
  expect(told({}, { components: [tunnel({})] })).toEqual(["info: Tunnel ready: cloudflared"]);
  expect(told({ components: [tunnel({})] }, { components: [failed] })).toEqual([
    "error: Tunnel failed: no such host",
  ]);
  expect(told({ components: [tunnel({})] }, { components: [tunnel({ pid: 2 })] })).toHaveLength(1);
  expect(told({ components: [tunnel({})] }, {})).toEqual(["info: Tunnel stopped"]);
  const problem = {
    code: "tunnel-failed" as const,
    title: "The tunnel is down",
    message: "why",
    actions: [],
  };
  expect(told({}, { problems: [problem] })).toEqual(["error: The tunnel is down: why"]);
  expect(told({ problems: [problem] }, {})).toEqual(["info: No longer a problem: The tunnel is down"]);
});
