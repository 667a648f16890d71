import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configFile, SESSION } from "../test/support/extension-window.ts";
import { contextValues } from "./context-keys.ts";
import { CONTEXT_KEYS } from "./ids.ts";
import type { WindowModel } from "./window-model.ts";

const { contributes } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
const conditions = new Map<string, string>(
  contributes.menus.commandPalette.map(({ command, when }: Record<string, string>) => [command, when]),
);

/** Whether VS Code's condition holds: `a && !b || c == d`. */
function holds(condition: string, values: Record<string, unknown>): boolean {
  const term = (text: string): boolean => {
    const [, negated, key, operator, right] = /^(!?)([\w.]+)(?: (==|!=|>|=~) (.+))?$/.exec(text.trim())!;
    const value = values[key!];
    if (operator === "==") return String(value) === right;
    if (operator === "!=") return String(value) !== right;
    if (operator === ">") return Number(value) > Number(right);
    if (operator === "=~") return new RegExp(right!.slice(1, -1)).test(String(value));
    return (key === "false" ? false : Boolean(value)) !== (negated === "!");
  };
  return condition.split("||").some((part) => part.split("&&").every(term));
}

/** The entries of the palette, without the category. */
function palette(model: Partial<WindowModel>, more: Record<string, unknown> = {}): string[] {
  const full: WindowModel = {
    snapshot: { sessions: [], components: [], problems: [] },
    configs: [],
    starting: new Set(),
    trusted: true,
    ...model,
  };
  const values: Record<string, unknown> = { workspaceFolderCount: 1, isWorkspaceTrusted: true, ...more };
  for (const [key, value] of Object.entries(contextValues(full)))
    values[CONTEXT_KEYS[key as keyof typeof CONTEXT_KEYS]] = value;
  return contributes.commands
    .map(({ command }: { command: string }) => command)
    .filter((command: string) => holds(conditions.get(command) ?? "!never", values))
    .map((command: string) => command.replace("linkup.", ""));
}

const file = configFile(SESSION.configPath!);
const session = (more = {}) => ({
  configs: [file],
  snapshot: { sessions: [{ ...SESSION, ...more }], components: [], problems: [] },
});

describe("the palette shows what can be done now", () => {
  test("before there is a file", () => {
    expect(palette({})).toEqual(["doctor", "deployWorker", "createConfig"]);
  });

  test("while the file has errors nothing starts", () => {
    const shown = palette({ configs: [{ ...file, errors: 1 }] });
    expect(shown).toContain("openConfig");
    for (const command of ["start", "startPrivate", "startIsolated", "stop", "createPreview", "routeService"])
      expect(shown).not.toContain(command);
  });

  test("stopped", () => {
    const shown = palette({ configs: [file] });
    for (const command of ["start", "startPrivate", "startIsolated", "createPreview", "showStatus"])
      expect(shown).toContain(command);
    for (const command of [
      "stop",
      "restart",
      "openSession",
      "routeAllLocal",
      "deleteSession",
      "createConfig",
    ])
      expect(shown).not.toContain(command);
  });

  test("running", () => {
    const shown = palette(session());
    for (const command of [
      "stop",
      "restart",
      "openSession",
      "routeService",
      "routeAllLocal",
      "explainRequest",
    ])
      expect(shown).toContain(command);
    for (const command of [
      "start",
      "startPrivate",
      "startIsolated",
      "routeAllRemote",
      "updateWorker",
      "uninstallLocalDns",
    ])
      expect(shown).not.toContain(command);
    expect(palette(session(), { "linkup.systemChanged": true })).toContain("uninstallLocalDns");
  });

  test("failed", () => {
    const shown = palette(session({ state: "failed", urls: [] }));
    for (const command of ["start", "restart", "stop"]) expect(shown).toContain(command);
    for (const command of ["openSession", "copyUrl", "routeService"]) expect(shown).not.toContain(command);
  });

  test("in Restricted Mode nothing that starts something", () => {
    const shown = palette({ configs: [file], trusted: false }, { isWorkspaceTrusted: false });
    for (const command of ["start", "startPrivate", "createPreview", "deployWorker", "installLocalDns"])
      expect(shown).not.toContain(command);
    expect(shown).toContain("doctor");
  });

  test("each command has a condition, or can always be run", () => {
    const always = contributes.commands
      .map(({ command }: { command: string }) => command)
      .filter((command: string) => !conditions.has(command));
    expect(always).toEqual(["linkup.doctor"]);
  });
});

test("settings stand in their order; one that is to go names its successor and stands last", () => {
  const settings = Object.entries(
    contributes.configuration.properties as Record<
      string,
      { order: number; markdownDeprecationMessage?: string }
    >,
  );
  const orders = settings.map(([, { order }]) => order);
  expect(orders).toEqual([...new Set(orders)].sort((a, b) => a - b));
  for (const [, { order, markdownDeprecationMessage: message }] of settings) {
    expect(message === undefined).toBe(order < 900);
    if (message !== undefined) expect(message).toMatch(/^%setting\..*%$/);
  }
});

test("what can be shared, and the other kind of access", () => {
  const shown = (access: "public" | "private" | undefined) =>
    palette(session(access ? { access } : { kind: "isolated" })).filter((command) =>
      ["shareSession", "makePrivate", "makePublic"].includes(command),
    );
  expect(shown("public")).toEqual(["shareSession", "makePrivate"]);
  expect(shown("private")).toEqual(["shareSession", "makePublic"]);
  expect(shown(undefined)).toEqual([]);
});
