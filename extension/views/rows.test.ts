import { expect, test } from "vitest";
import type { SessionView, Snapshot } from "../../manager/model/snapshot.ts";
import { serviceView, sessionView } from "../../test/support/session-view.ts";
import { uptime } from "../labels.ts";
import type { ConfigFile, WindowModel } from "../window-model.ts";
import { rowsText, sessionRows } from "./rows.ts";
import { statusItem } from "./status-item.ts";
import { statusText } from "./status-text.ts";

const CONFIG: ConfigFile = { path: "/home/me/shop/linkup.yaml", folder: "shop", services: [], errors: 0 };

const service = serviceView;

function session(more: Partial<SessionView> = {}): SessionView {
  return sessionView({
    configPath: CONFIG.path,
    urls: ["https://slim-gecko.example.com/", "https://slim-gecko.api.example.com/"],
    services: [service("web", 3000, { target: "local" }), service("api", 3001)],
    ...more,
  });
}

function model(snapshot: Partial<Snapshot> = {}, more: Partial<WindowModel> = {}): WindowModel {
  return {
    snapshot: { sessions: [], components: [], problems: [], ...snapshot },
    configs: [CONFIG],
    starting: new Set(),
    trusted: true,
    ...more,
  };
}

const lines = (text: string) => text.replace(/^\n/, "").replace(/\n *$/, "").replaceAll(/^ {4}/gm, "");

test("a running session shows its URLs, its services and what runs for them", () => {
  const components: Snapshot["components"] = [
    { id: "local-server", state: "ready", pid: 4711, since: 0, detail: "", outdated: false },
    { id: "tunnel", state: "stopped", pid: undefined, since: 0, detail: "", outdated: false },
  ];
  expect(rowsText(sessionRows(model({ sessions: [session()], components })))).toBe(
    lines(`
    ▾ slim-gecko  1 of 2 local
      example.com  https://slim-gecko.example.com
      api.example.com  https://slim-gecko.api.example.com
      web  local · localhost:3000
      api  remote · api.example.com
    ▸ Components  all ready
      Local server  ready · pid 4711`),
  );
});

test("services beyond local and remote say where they are now", () => {
  const services = [
    service("web", 3000, { target: "auto", now: "local" }),
    service("api", 3001, { target: "auto", now: "remote" }),
    service("auth", 3002, { target: "auto", now: "restarting", waitMs: 4_000 }),
    service("cart", 3003, { target: "staging", url: "https://staging.example.com" }),
    service("mail", 3004, { target: "https://pr-12.example.com", url: "https://pr-12.example.com" }),
    service("shop", 3005, { target: "session:bold-cat", url: "https://bold-cat.example.com" }),
    service("tax", 3006, {
      target: "session:bold-cat",
      url: "https://bold-cat.example.com",
      fallback: "session-gone",
    }),
  ];
  const [row] = sessionRows(model({ sessions: [session({ urls: [], services })] }));
  expect(rowsText([row!])).toBe(
    lines(`
    ▾ slim-gecko  1 of 7 local
      web  auto: local · localhost:3000
      api  auto: remote · api.example.com
      auth  auto: remote, restarting… · auth.example.com
      cart  staging · staging.example.com
      mail  elsewhere · pr-12.example.com
      shop  copy of bold-cat · bold-cat.example.com
      tax  remote, not copy of bold-cat · tax.example.com`),
  );
  expect(row!.children[2]!.tooltip).toContain("until it has been listening for 4 s");
  expect(row!.children.map(({ icon, mark }) => [icon.name, mark])).toEqual([
    ["home", "local"],
    ["cloud", undefined],
    ["cloud", undefined],
    ...Array(3).fill(["link-external", undefined]),
    ["cloud", undefined],
  ]);
  expect(row!.children.at(-1)!.tooltip).toContain("does not exist any more");
});

test("an outdated Worker says so, and each of two has a row of its own", () => {
  const worker = (detail: string, outdated: boolean): Snapshot["components"][number] => {
    return { id: "worker", state: "ready", pid: undefined, since: 0, detail, outdated };
  };
  const components = [
    worker("https://a.example.com, of the original Linkup. What it lacks:\n  much", true),
    worker("https://b.example.com, version 0.1.0", false),
  ];
  const rows = sessionRows(model({ sessions: [session({ urls: [], services: [] })], components }));
  expect(rowsText(rows.slice(1))).toBe(
    lines(`
    ▾ Components  Worker outdated
      Worker  ready · outdated · https://a.example.com, of the original Linkup.
      Worker  ready · https://b.example.com, version 0.1.0`),
  );
  const [first, second] = rows[1]!.children;
  expect([first!.context, second!.context]).toEqual(["component.worker.outdated", "component.worker"]);
  expect(first!.id).not.toBe(second!.id);
});

test("a service says in words what its icon shows", () => {
  const services = [
    service("web", 3000, { health: "unhealthy", reason: "connection refused", target: "local" }),
    service("api", 3001, { health: "unhealthy" }),
    service("auth", 3002, { changing: true }),
  ];
  const [row] = sessionRows(model({ sessions: [session({ services, urls: [] })] }));
  expect(
    row!.children.map(({ label, description, icon, context }) => [label, description, icon.name, context]),
  ).toEqual([
    ["web", "local · unhealthy · localhost:3000", "error", "service.local.own"],
    ["api", "remote · unhealthy · api.example.com", "error", "service.remote.own"],
    ["auth", "remote · switching… · auth.example.com", "loading~spin", "service.remote.own"],
  ]);
  expect(row!.description).toBe("1 of 3 local · 2 unhealthy");
  expect(row!.icon.name).toBe("warning");
  expect(row!.children[0]!.spoken).toBe("Service web, local, http://localhost:3000, unhealthy");
});

test("each health has a shape of its own, and a local service stands out without its color", () => {
  const services = (["healthy", "unhealthy", "unknown"] as const).flatMap((health) => [
    service(`here-${health}`, 3000, { health, target: "local" }),
    service(`there-${health}`, 3001, { health }),
  ]);
  const [row] = sessionRows(model({ sessions: [session({ services, urls: [] })] }));
  const shapes = (at: number) =>
    row!.children.filter((_, index) => index % 2 === at).map(({ icon }) => icon.name);
  expect(shapes(0)).toEqual(["home", "error", "question"]);
  expect(shapes(1)).toEqual(["cloud", "error", "question"]);
  const [local, remote] = ["local", undefined];
  expect(row!.children.map(({ mark }) => mark)).toEqual([local, remote, local, remote, local, remote]);
});

test("a preview shows what it overrides", () => {
  const services = [
    service("web", 3000, { remote: "https://pr-12.example.com", overridden: true }),
    service("api", 3001),
  ];
  const preview = session({ name: "a1b2c3", kind: "preview", secondary: true, urls: [], services });
  const [, row] = sessionRows(model({ sessions: [session(), preview] }));
  expect(rowsText([row!])).toBe(
    lines(`
    ▸ a1b2c3  preview · with its own web · shop
      web  overridden · pr-12.example.com
      api  remote · api.example.com`),
  );
  expect(row!.children.map(({ mark, context }) => [mark, context])).toEqual([
    ["overridden", "service.remote.fixed"],
    [undefined, "service.remote.fixed"],
  ]);
});

test("one stopped workspace leaves the view to its welcome", () => {
  expect(sessionRows(model())).toEqual([]);
  expect(sessionRows(model({}, { configs: [] }))).toEqual([]);
});

test("in Restricted Mode the configured services are shown, and nothing offers to start them", () => {
  const services = [{ name: "web", remote: "https://web.example.com", local: "http://localhost:3000" }];
  const rows = sessionRows(model({}, { trusted: false, configs: [{ ...CONFIG, services }] }));
  expect(rowsText(rows)).toBe(
    lines(`
    Manage Workspace Trust
    ▾ shop  stopped
      web  remote web.example.com · local localhost:3000`),
  );
  expect([rows[1]!.context, rows[1]!.children[0]!.context]).toEqual(["config.untrusted", "configured"]);
});

test("several folders have a row each, other people's sessions below", () => {
  const blog = { path: "/home/me/blog/linkup.yaml", folder: "blog", services: [], errors: 0 };
  const broken = { path: "/home/me/broken/linkup.yaml", folder: "broken", services: [], errors: 2 };
  const elsewhere = session({
    name: "old-owl",
    configPath: "/home/me/bank/linkup.yaml",
    urls: [],
    services: [],
  });
  const rows = sessionRows(
    model(
      { sessions: [elsewhere, session({ urls: [], services: [] })] },
      { configs: [blog, CONFIG, broken] },
    ),
  );
  expect(rowsText(rows)).toBe(
    lines(`
    slim-gecko  0 of 0 local · shop
    blog  stopped
    broken  linkup.yaml has errors
    old-owl  0 of 0 local · bank`),
  );
});

test("a private session looks like one, and its row has the other menu", () => {
  const [row] = sessionRows(model({ sessions: [session({ access: "private", urls: [], services: [] })] }));
  expect(row).toMatchObject({
    description: "0 of 0 local · private",
    icon: { name: "lock" },
    context: "session.running.private",
    spoken: "Session slim-gecko, 0 of 0 local, private",
  });
  const [open] = sessionRows(model({ sessions: [session({ access: "public", urls: [], services: [] })] }));
  expect(open).toMatchObject({
    description: "0 of 0 local",
    icon: { name: "link" },
    context: "session.running.public",
  });
});

test("sessions beside the file's own one stand below it, previews without toggles", () => {
  const preview = session({ name: "a1b2c3", kind: "preview", secondary: true, urls: [] });
  const isolated = session({ name: "side", kind: "isolated", secondary: true, urls: [], services: [] });
  const rows = sessionRows(model({ sessions: [preview, session({ urls: [], services: [] }), isolated] }));
  expect(rows.map(({ label, description, context }) => [label, description, context])).toEqual([
    ["slim-gecko", "0 of 0 local", "session.running"],
    ["a1b2c3", "preview · shop", "session.running.beside.preview"],
    ["side", "0 of 0 local · isolated · shop", "session.running.beside"],
  ]);
  expect(rows[1]!.children.map(({ context }) => context)).toEqual([
    "service.local.fixed",
    "service.remote.fixed",
  ]);
});

test("a start shows at once, a problem with what helps", () => {
  const problem = {
    code: "token-missing" as const,
    title: "No worker token",
    message: "The Worker at linkup.example.com wants a token.",
    actions: [{ command: "setWorkerToken", title: "Set Worker Token" }],
  };
  expect(rowsText(sessionRows(model({}, { starting: new Set([CONFIG.path]) })))).toBe("shop  starting…");
  const rows = sessionRows(model({ problems: [problem] }));
  expect(rowsText(rows)).toBe(
    lines(`
    No worker token  The Worker at linkup.example.com wants a token.
    shop  stopped`),
  );
  expect(rows[0]!.context).toBe("problem.action");
});

test("a file of the workspace is named as the user knows it", () => {
  const problem = {
    code: "config-invalid" as const,
    title: "linkup.yaml has errors",
    message: `${CONFIG.path}:3:5: There is no service "apl".`,
    actions: [],
  };
  const text = (configs: ConfigFile[]) =>
    sessionRows(model({ problems: [problem] }, { configs }))[0]!.description;
  expect(text([CONFIG])).toBe('linkup.yaml:3:5: There is no service "apl".');
  expect(text([CONFIG, { ...CONFIG, path: "/home/me/b/linkup.yaml", folder: "b" }])).toMatch(
    /^shop\/linkup.yaml:3/,
  );
});

test("a problem that quotes a log is cut to what it says itself", () => {
  const message =
    'cloudflared does not serve the tunnel. It ended: no such host. Its last lines:\n{"level":"error"}';
  const problem = { code: "tunnel-failed" as const, title: "The tunnel is down", message, actions: [] };
  const [row] = sessionRows(model({ problems: [problem] }));
  expect(row!.description).toBe("cloudflared does not serve the tunnel. It ended: no such host.");
  expect(row!.tooltip).toContain('{"level":"error"}');
});

test("of a session that does not run yet nothing is claimed", () => {
  const services = [service("web", 3000, { changing: true }), service("api", 3001, { health: "unhealthy" })];
  const [row] = sessionRows(model({ sessions: [session({ state: "failed", urls: [], services })] }));
  expect(row!.description).toBe("failed");
  expect(
    row!.children.map(({ description, icon, context }) => [description, icon.name, icon.color, context]),
  ).toEqual([
    ["remote · web.example.com", "circle-outline", undefined, "service.remote.fixed.own"],
    ["remote · api.example.com", "circle-outline", undefined, "service.remote.fixed.own"],
  ]);
});

test("the status bar shows the session's name and health", () => {
  const down = session({ services: [service("web", 3000, { health: "unhealthy" }), service("api", 3001)] });
  expect(statusItem(model({}, { configs: [] }))).toBeUndefined();
  expect(statusItem(model())?.text).toBe("$(link) Linkup");
  expect(statusItem(model({}, { configs: [{ ...CONFIG, errors: 1 }] }))?.text).toBe("$(warning) Linkup");
  expect(statusItem(model({}, { starting: new Set([CONFIG.path]) }))?.text).toBe("$(loading~spin) Linkup");
  expect(statusItem(model({ sessions: [session()] }))?.text).toBe("$(link) slim-gecko · 1 local");
  expect(statusItem(model({ sessions: [down] }))?.text).toBe("$(link) slim-gecko $(warning) 1");
  expect(statusItem(model({ sessions: [session({ state: "failed" })] }))).toMatchObject({
    text: "$(error) slim-gecko",
    alarming: true,
  });
});

test("the status document holds every session, component and problem", () => {
  const components: Snapshot["components"] = [
    {
      id: "worker",
      state: "failed",
      pid: undefined,
      since: 0,
      detail: "connection | refused",
      outdated: false,
    },
  ];
  const text = statusText(model({ sessions: [session()], components }));
  expect(text).toContain("## slim-gecko");
  expect(text).toContain("| api | remote | `https://api.example.com` | healthy |");
  expect(text).toContain("| Worker | failed |  | connection \\| refused |");
});

test.each([
  [0, "up for less than a minute"],
  [59_999, "up for less than a minute"],
  [60_000, "up for 1 min"],
  [119 * 60_000, "up for 119 min"],
  [120 * 60_000, "up for 2 h"],
  [50 * 3_600_000, "up for 50 h"],
])("%i ms are said as: %s", (ms, words) => expect(uptime(1_000, 1_000 + ms)).toBe(words));

test("the requests of the last minute, and the failures that nobody has looked at", () => {
  const requests = {
    services: {
      "slim-gecko/web": { perMinute: 12, errors: 0, lost: 0 },
      "slim-gecko/api": { perMinute: 3, errors: 2, lost: 4 },
      "other/api": { perMinute: 9, errors: 9, lost: 0 },
    },
    newErrors: 2,
  };
  const busy = model({ sessions: [session()] }, { requests });
  const text = rowsText(sessionRows(busy));
  expect(text).toContain("web  local · localhost:3000 · 12/min");
  expect(text).toContain("api  remote · api.example.com · 3/min · 2 failed · loses the session");
  expect(statusItem(busy)).toMatchObject({
    text: "$(link) slim-gecko · 1 local $(error) 2",
    tooltip: expect.stringContaining("2 requests have failed since you last opened the Requests view."),
  });
});
