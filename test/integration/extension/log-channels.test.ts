import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Row } from "../../../extension/views/rows.ts";
import type { ComponentView, Snapshot } from "../../../manager/model/snapshot.ts";
import { editor, openWindow, SESSION } from "../../support/extension-window.ts";

const home = mkdtempSync(join(tmpdir(), "linkup-log-channels-"));
afterAll(() => rmSync(home, { recursive: true }));
mkdirSync(join(home, "logs"));
const log = join(home, "logs", "local-server.log");
const tunnel = join(home, "logs", "cloudflared-slim-gecko.log");
const component = (id: ComponentView["id"]): ComponentView => ({
  id,
  state: "ready",
  pid: 1,
  since: 0,
  detail: "",
  outdated: false,
});
const row = (subject: object) => ({ subject }) as unknown as Row;
const lines = (name: string) => editor.channels.get(name)?.lines ?? [];

test("each component has a channel that follows its log, and a row's Show Logs opens the row's", async () => {
  writeFileSync(log, "2020-01-01T00:00:00.000Z listening\n");
  writeFileSync(tunnel, "");
  const { run, model, changed, log: own } = openWindow({}, {}, home);
  const components = [component("local-server"), component("tunnel"), component("worker")];
  (model as { snapshot: Snapshot }).snapshot = { sessions: [SESSION], components, problems: [] };
  changed();
  expect(own.lines[0]).toMatch(/^info: Adopted session slim-gecko/);
  // Its old lines keep their time, new ones have that of the channel.
  await expect
    .poll(() => lines("Linkup: Local server"))
    .toEqual(["info: Local server ready", "info: 2020-01-01T00:00:00.000Z listening"]);
  appendFileSync(log, `${new Date().toISOString()} error: no more memory\nhalf a li`);
  const event = { level: "warn", time: new Date().toISOString(), message: "retrying", attempt: 2 };
  appendFileSync(tunnel, `${JSON.stringify(event)}\n`);
  await expect.poll(() => lines("Linkup: Local server").at(-1)).toBe("error: error: no more memory");
  await expect.poll(() => lines("Linkup: Tunnel").at(-1)).toBe("warn: [slim-gecko] retrying attempt=2");
  appendFileSync(log, "ne\n");
  await expect.poll(() => lines("Linkup: Local server").at(-1)).toBe("info: half a line");

  await run("showLogs", row({ is: "component", component: component("tunnel") }));
  await run("showLogs", row({ is: "component", component: component("worker") }));
  expect([...editor.channels.values()].map(({ name, shown }) => `${name} ${shown}`)).toEqual([
    "Linkup: Local server 0",
    "Linkup: Tunnel 1",
    "Linkup: Worker 1",
  ]);
  await run("showLogs", row({ is: "session", session: SESSION }));
  expect(own.shown).toBe(1);
  editor.answers.push("Local server");
  await run("showLogs");
  expect(editor.shown.at(-1)!.items).toEqual(["Sessions", "Local server", "Tunnel", "Worker"]);
  expect(editor.channels.get("Linkup: Local server")!.shown).toBe(1);
});
