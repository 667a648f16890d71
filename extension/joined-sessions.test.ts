import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type * as vscode from "vscode";
import type { Manager } from "../manager/manager.ts";
import { secretStorage } from "../test/support/extension-window.ts";
import { JoinedList } from "./joined-list.ts";
import { JoinedSessions } from "./joined-sessions.ts";

const windows: JoinedSessions[] = [];
afterEach(() => {
  for (const window of windows.splice(0)) window.dispose();
});

/** What the windows of one editor share. */
function newEditor() {
  const secrets = new Map<string, string>();
  return { storage: secretStorage(secrets), secrets, folder: mkdtempSync(join(tmpdir(), "linkup-joined-")) };
}

function openWindow({ storage, folder }: Omit<ReturnType<typeof newEditor>, "secrets">): JoinedSessions {
  const manager = { sharedRouting: async () => ({ invite: { expires: 4_000_000_000_000 }, services: {} }) };
  const list = new JoinedList(storage, folder);
  const window = new JoinedSessions(list, async () => manager as unknown as Manager);
  window.follow();
  windows.push(window);
  return window;
}
const invited = (session: string) => ({
  workerUrl: "https://linkup.example.com",
  session,
  invite: "0123456789abcdef",
});
const sessionsOf = (window: JoinedSessions) => window.views.map(({ session }) => session).sort();

test("windows that join and leave at one moment lose nothing", async () => {
  const editor = newEditor();
  const [one, two, three] = [openWindow(editor), openWindow(editor), openWindow(editor)];
  await Promise.all([
    one!.join(invited("a")),
    two!.join(invited("b")),
    two!.join(invited("c")),
    three!.join(invited("d")),
  ]);
  for (const window of windows) await expect.poll(() => sessionsOf(window)).toEqual(["a", "b", "c", "d"]);
  const named = (session: string) => one!.views.find((view) => view.session === session)!;
  await Promise.all([one!.leave(named("a")), three!.leave(named("c")), two!.join(invited("e"))]);
  for (const window of windows) await expect.poll(() => sessionsOf(window)).toEqual(["b", "d", "e"]);
  expect(editor.secrets.size).toBe(3);
});

test("a storage that refuses the invite says so, and nothing is joined", async () => {
  const { storage, folder } = newEditor();
  const store = async () => {
    throw new Error("The keyring is locked.");
  };
  const window = openWindow({ storage: { ...storage, store } as vscode.SecretStorage, folder });
  await expect(window.join(invited("a"))).rejects.toThrow("The keyring is locked.");
  await window.look();
  expect(window.views).toEqual([]);
});
