import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configJsonSchema } from "../core/config/model/json-schema.ts";
import {
  COMMANDS,
  CONTEXT_KEYS,
  commandId,
  REQUESTS_VIEW,
  SESSIONS_VIEW,
  SETTING_DEFAULTS,
  type Setting,
  settingId,
} from "./ids.ts";
import { PLACE_ICONS } from "./labels.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifest = read("package.json");
const { commands, menus, views, viewsWelcome, keybindings } = manifest.contributes;

test("package.json and the code have the same commands", () => {
  expect(commands.map(({ command }: { command: string }) => command).sort()).toEqual(
    COMMANDS.map(commandId).sort(),
  );
});

test("package.json and the code have the same settings, with the same defaults", () => {
  const { properties } = manifest.contributes.configuration;
  const declared = Object.entries(properties as Record<string, { default: unknown }>);
  expect(Object.fromEntries(declared.map(([id, { default: value }]) => [id, value]))).toEqual(
    Object.fromEntries(
      Object.entries(SETTING_DEFAULTS).map(([name, value]) => [settingId(name as Setting), value]),
    ),
  );
});

test("one icon for one thing: rows, buttons, the menu and agents' tools", () => {
  const iconOf = (name: string) =>
    commands.find(({ command }: { command: string }) => command === `linkup.${name}`)?.icon;
  for (const [place, names] of Object.entries({
    local: ["routeToLocal", "routeAllLocal"],
    remote: ["routeToRemote", "routeAllRemote"],
  } as const))
    for (const name of names)
      expect(iconOf(name), name).toBe(`$(${PLACE_ICONS[place as "local" | "remote"]})`);
  const tools: { name: string; icon: string }[] = manifest.contributes.languageModelTools;
  const sameAs = {
    get_status: "showStatus",
    start_session: "start",
    stop_session: "stop",
    route_service: "routeService",
    explain_request: "explainRequest",
    get_requests: "showRequests",
    delete_session: "deleteSession",
    doctor: "doctor",
    logs: "showLogs",
  };
  for (const [tool, command] of Object.entries(sameAs))
    expect(tools.find(({ name }) => name === `linkup_${tool}`)!.icon, tool).toBe(iconOf(command));
});

test("menus, keys and welcome views name commands that exist", () => {
  const known = COMMANDS.map(commandId);
  const used = [...Object.values(menus).flat(), ...keybindings].map(
    (entry) => (entry as { command: string }).command,
  );
  expect(used.filter((command) => !known.includes(command))).toEqual([]);
  const texts: string[] = viewsWelcome.map(({ contents }: { contents: string }) => contents);
  const nls = read("package.nls.json");
  const linked = texts
    .map((text) => nls[text.slice(1, -1)] as string)
    .flatMap((text) => [...text.matchAll(/\(command:(linkup\.\w+)\)/g)].map(([, command]) => command!));
  expect(linked.length).toBeGreaterThan(3);
  expect(linked.filter((command) => !known.includes(command))).toEqual([]);
});

test("what a row's buttons do its context menu does too, for the keyboard", () => {
  const entries: { command: string; group: string }[] = menus["view/item/context"];
  const inMenu = entries.filter(({ group }) => !group.startsWith("inline")).map(({ command }) => command);
  expect(entries.filter(({ command }) => !inMenu.includes(command))).toEqual([]);
});

test("every condition asks for a view and context keys that exist", () => {
  const conditions: string[] = [...Object.values(menus).flat(), ...keybindings, ...viewsWelcome].map(
    (entry) => (entry as { when?: string }).when ?? "",
  );
  const known = [SESSIONS_VIEW, REQUESTS_VIEW, ...Object.values(CONTEXT_KEYS)] as string[];
  const named = conditions.flatMap((condition) => condition.match(/\blinkup\.\w+/g) ?? []);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(views.linkup.map(({ id }: { id: string }) => id)).toEqual([SESSIONS_VIEW]);
  expect(views["linkup-panel"].map(({ id }: { id: string }) => id)).toEqual([REQUESTS_VIEW]);
});

/** `npx vitest run -u extension/manifest.test.ts` writes it anew. */
test("the JSON schema for other editors is that of the code", async () => {
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(root, "media", "linkup.schema.json"));
});
