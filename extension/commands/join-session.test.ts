import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import type * as vscode from "vscode";
import { LinkupError } from "../../manager/model/problem.ts";
import {
  configFile,
  type ExtensionWindow,
  editor,
  openWindow,
  writeSmallConfig,
} from "../../test/support/extension-window.ts";
import { BACK } from "../../test/support/vscode.ts";
import { registerLinks } from "../tools/register-links.ts";
import { type Row, rowsText, sessionRows } from "../views/rows.ts";

const folder = mkdtempSync(join(tmpdir(), "linkup-join-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = writeSmallConfig(folder);
const TOKEN = "0123456789abcdef".repeat(4);
const LINK = `https://slim-gecko.example.com/linkup/join#${TOKEN}`;
const shared = (web: object) => ({
  invite: { name: "Ana", expires: 4_000_000_000_000 },
  services: { web, api: { target: "auto" } },
});

const windows: ExtensionWindow[] = [];
afterEach(() => {
  for (const { linkup } of windows.splice(0)) linkup.joined.dispose();
});
/** A window of the colleague, and how the owner's session is. */
function colleague(answers: Record<string, unknown> = {}) {
  const window = openWindow(
    { configs: [configFile(file)] },
    { sharedRouting: shared({ target: "remote" }), ...answers },
  );
  windows.push(window);
  // Without the one of the workspace's own linkup.yaml.
  const rows = () => sessionRows(window.model).filter(({ context }) => context.startsWith("joined"));
  const find = (label: string, all: readonly Row[] = rows()): Row | undefined =>
    all.find((row) => row.label === label) ?? all.map(({ children }) => find(label, children)).find(Boolean);
  return { ...window, rows, find };
}
/** All that this window has shown, logged or kept outside the secret storage. */
const visible = ({ log, model, asked }: ExtensionWindow) =>
  JSON.stringify([
    editor.shown,
    editor.titles,
    editor.statusMessages,
    editor.executed,
    [...editor.settings],
    log.lines,
    model,
    asked.filter((call) => !/^(sharedRouting|routeElsewhere)/.test(call)),
  ]);

test("joining by a link puts the session into the tree and the invite only into the secret storage", async () => {
  const window = colleague();
  editor.answers.push(` ${LINK}\n`, "Join");
  await window.run("joinSession");
  expect(editor.shown.at(-1)).toMatchObject({
    kind: "information",
    text: "Join the session slim-gecko?",
    detail:
      "The invite is sent to the Worker at linkup.example.com, and lets you route the session's services. Your colleague sees that it was you.",
  });
  expect(rowsText(window.rows())).toBe(
    ["▾ slim-gecko  colleague's · 0 of 2 on the owner's machine", "  api  auto", "  web  remote"].join("\n"),
  );
  expect([...window.secrets.values()].join()).toContain(TOKEN);
  expect(visible(window)).not.toContain(TOKEN);
  expect(readFileSync(join(window.storageFolder, "joined-sessions.json"), "utf8")).not.toContain(TOKEN);
});

test("a token needs the session's name, and the user can go back to that step", async () => {
  const window = colleague();
  editor.answers.push(TOKEN, BACK, TOKEN, "slim-gecko", "Join");
  await window.run("joinSession");
  expect(window.asked).toContainEqual(expect.stringContaining('"session":"slim-gecko"'));
  expect(window.rows()).toHaveLength(1);
});

test("text without an invite, an invite for another system, and a refusal by the user or the Worker join nothing", async () => {
  const window = colleague({ sharedRouting: new LinkupError("invite-unknown", "It is over.") });
  editor.answers.push("https://slim-gecko.example.com/");
  await window.run("joinSession");
  expect(editor.refused).toEqual(["This is neither the link nor the token of an invite."]);
  editor.answers.push(LINK.replace("example.com", "evil.example"));
  await window.run("joinSession");
  expect(editor.shown.at(-1)!.text).toMatch(/^The invite is for evil\.example, which is not a domain in /);
  editor.answers.push(LINK);
  await window.run("joinSession");
  expect(window.asked).toEqual([]);
  editor.answers.push(LINK, "Join");
  await window.run("joinSession");
  await expect.poll(() => editor.shown.at(-1)!.text).toBe("It is over.");
  expect(window.secrets.size).toBe(0);
  expect(window.rows()).toEqual([]);
});

test("a toggle names the session as a colleague's, and both sides see who did it", async () => {
  let web: object = { target: "remote" };
  const window = colleague({
    sharedRouting: () => shared(web),
    routeElsewhere: (_: unknown, { services }: { services: { web: string } }) => {
      web = { target: services.web, by: "Ana" };
    },
  });
  editor.answers.push(LINK, "Join");
  await window.run("joinSession");
  const before = window.asked.length;
  // The user does not agree.
  await window.run("routeToLocal", window.find("web"));
  expect(editor.shown.at(-1)).toMatchObject({
    kind: "warning",
    text: "Route web of your colleague's session slim-gecko to the owner's machine?",
    detail: "It takes effect at once for everyone who uses the session, and they see that it was you.",
  });
  expect(window.asked.slice(before)).toEqual([]);

  editor.answers.push("Route");
  await window.run("routeToLocal", window.find("web"));
  expect(rowsText(window.rows())).toContain("web  owner's machine · by Ana");
  expect(window.find("web")!.context).toBe("joinedService.local");
  editor.answers.push("Route");
  await window.run("toggleService", window.find("web"));
  expect(rowsText(window.rows())).toContain("web  remote · by Ana");
  // The owner's own toggle is the owner's.
  web = { target: "local" };
  await window.linkup.joined.look();
  expect(rowsText(window.rows())).toContain("web  owner's machine");
  expect(rowsText(window.rows())).not.toContain("by Ana");
  expect(visible(window)).not.toContain(TOKEN);
});

test("a stop, an unreachable Worker and a revoked invite are distinguished, and the end is reported once", async () => {
  let answer: () => unknown = () => shared({ target: "remote" });
  const window = colleague({ sharedRouting: () => answer() });
  editor.answers.push(LINK, "Join");
  await window.run("joinSession");
  const fails = async (error: Error) => {
    answer = () => {
      throw error;
    };
    await window.linkup.joined.look();
    return rowsText(window.rows());
  };
  expect(await fails(new LinkupError("session-unknown", "x"))).toBe("slim-gecko  colleague's · stopped");
  expect(await fails(new LinkupError("worker-unreachable", "x"))).toBe(
    "slim-gecko  colleague's · the Worker cannot be reached",
  );
  expect(editor.shown.filter(({ kind }) => kind === "warning")).toEqual([]);
  expect(await fails(new LinkupError("invite-unknown", "x"))).toBe("slim-gecko  the invite has ended");
  await fails(new LinkupError("invite-unknown", "x"));
  expect(editor.shown.filter(({ kind }) => kind === "warning").map(({ text }) => text)).toEqual([
    "You can no longer route the session slim-gecko: the invite was revoked or has expired.",
  ]);

  await window.run("leaveSession", window.find("slim-gecko"));
  expect(window.secrets.size).toBe(1);
  editor.answers.push("Leave");
  await window.run("leaveSession", window.find("slim-gecko"));
  expect(window.secrets.size).toBe(0);
  expect(window.rows()).toEqual([]);
});

test("a link into VS Code asks first, can name the session, and cannot carry an invite", async () => {
  const window = colleague();
  registerLinks({ subscriptions: [] } as unknown as vscode.ExtensionContext, window.linkup);
  const open = (query: string) => editor.uriHandler!.handleUri({ path: "/join", query } as vscode.Uri);
  open(`session=slim-gecko&invite=${TOKEN}`);
  await expect.poll(() => editor.shown.length).toBe(1);
  expect(editor.shown[0]!.text).toBe("A link asks Linkup to join a colleague's session. Do it?");
  expect(window.asked).toEqual([]);
  editor.answers.push("Yes", TOKEN, (shown: { text: string }) => shown.text && "slim-gecko", "Join");
  open("session=slim-gecko");
  await expect.poll(() => window.rows().length).toBe(1);
});

test("an invalid list of sessions counts as empty; in Restricted Mode no Worker is asked", async () => {
  const window = colleague();
  const list = join(window.storageFolder, "joined-sessions.json");
  for (const content of ["nonsense", "{}", '[{"session":1}]', "null"]) {
    writeFileSync(list, content);
    await window.linkup.joined.look();
    expect(window.rows()).toEqual([]);
  }
  const joined = { workerUrl: "https://linkup.example.com", session: "slim-gecko" };
  writeFileSync(list, JSON.stringify([joined, { ...joined, session: "its-secret-is-gone" }]));
  window.secrets.set(`joined-session ${joined.session} ${joined.workerUrl}`, TOKEN);
  editor.trusted = false;
  await window.linkup.joined.look();
  expect(window.asked).toEqual([]);
  editor.trusted = true;
  await window.linkup.joined.look();
  expect(window.rows()).toHaveLength(1);
});
