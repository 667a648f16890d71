import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { text } from "../../core/text.ts";
import type { ComparedRow } from "../../manager/operations/compare.ts";
import {
  configFile,
  editor,
  openWindow,
  SESSION,
  writeSmallConfig,
} from "../../test/support/extension-window.ts";
import { compare, runAction } from "./request-actions.ts";

const folder = mkdtempSync(join(tmpdir(), "linkup-actions-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = writeSmallConfig(folder);
const CONFIG = `${readFileSync(path, "utf8")}    routes:
      - path: ^/apiary
        service: web
      - path: ^/api
        service: web
`;

function open(answers: Record<string, unknown>) {
  writeFileSync(path, CONFIG);
  const sessions = [{ ...SESSION, configPath: path }];
  return openWindow(
    { snapshot: { sessions, components: [], problems: [] }, configs: [configFile(path, { folder: "shop" })] },
    answers,
  );
}

describe("comparing chosen requests", () => {
  const response = { status: 200, url: "https://web.example.com/", ms: 1, headers: [], body: null };
  const row = (method: string, more: Partial<ComparedRow> = {}): ComparedRow => ({
    id: 1,
    method,
    target: "/cart",
    service: "web",
    skipped: null,
    local: response,
    remote: { ...response, status: 404 },
    differences: [{ where: "status", path: "", local: "200", remote: "404" }],
    withheld: [],
    ...more,
  });
  const skipped = (method: string) =>
    row(method, {
      skipped: text("{0} may change data in both copies.", method),
      local: null,
      remote: null,
      differences: [],
    });
  const window = (...rows: ComparedRow[]) => {
    const asked: object[] = [];
    const { linkup } = open({
      compare: async (_: object, request: { unsafe?: boolean }) => {
        asked.push(request);
        return request.unsafe ? rows.map(({ method }) => row(method)) : rows;
      },
    });
    return { linkup, asked };
  };

  test("each request that may change data is named before it is sent", async () => {
    const { linkup, asked } = window(row("GET"), skipped("POST"), skipped("DELETE"));
    editor.answers.push("Send to Both");
    await compare(linkup, "slim-gecko", { ids: [1, 2, 3] });
    expect(editor.shown[0]).toMatchObject({
      text: "These 2 requests may change data in both copies. Send them?",
      detail: "POST /cart\nDELETE /cart",
    });
    expect(asked).toEqual([{ ids: [1, 2, 3] }, { ids: [1, 2, 3], unsafe: true }]);
  });

  test("without consent the remaining requests are compared; without any, nothing is shown", async () => {
    const some = window(row("GET"), skipped("POST"));
    editor.answers.push(undefined);
    await compare(some.linkup, "slim-gecko", { ids: [1, 2] });
    expect(some.asked).toHaveLength(1);
    expect(editor.executed.map(({ command }) => command)).toContain("vscode.diff");
    const none = window(skipped("POST"));
    editor.answers.push(undefined);
    await compare(none.linkup, "slim-gecko", { ids: [1] });
    expect(none.asked).toHaveLength(1);
    expect(editor.shown).toHaveLength(1);
  });

  test("differences to ignore are written through the editor, and the rest of the file stays", async () => {
    const differences = [{ where: "body" as const, path: ".items[0].at", local: "1", remote: "2" }];
    const { linkup } = window(row("GET", { differences }));
    editor.answers.push("Ignore…", ["items.*.at"]);
    await compare(linkup, "slim-gecko", { ids: [1] });
    await expect
      .poll(() => readFileSync(path, "utf8"))
      .toBe(`${CONFIG}\ncompare:\n  ignore:\n    - "items.*.at"\n`);
  });

  test("without a session's name it is this window's own", async () => {
    const { linkup, asked } = window(row("GET"));
    Object.assign(linkup.model.snapshot, {
      sessions: [{ ...SESSION, name: "big-fish", configPath: "/elsewhere/linkup.yaml" }],
    });
    await expect(compare(linkup, null, {})).rejects.toThrow("No session is running.");
    const beside = { ...SESSION, name: "beside", configPath: path, secondary: true };
    Object.assign(linkup.model.snapshot, { sessions: [beside] });
    await compare(linkup, null, {});
    expect(asked).toHaveLength(1);
  });
});

test.each([
  [
    "the route that decided, not one whose pattern begins the same",
    { by: "route", index: 1, pattern: "^/api" },
    12,
  ],
  ["the service where none did", { by: "default" }, 3],
  ["the service where the file no longer has the route", { by: "route", index: 7, pattern: "^/old" }, 3],
])("Go to linkup.yaml shows %s", async (_what, reason, line) => {
  const decision = { outcome: "routed", reason, match: { domain: { domain: "example.com" } } };
  const { linkup } = open({});
  const exchange = { session: "slim-gecko", service: "web", explanation: { decision } };
  const requestLog = { request: async () => exchange };
  await runAction(
    { ...linkup, manager: Promise.resolve({ requestLog }) } as unknown as typeof linkup,
    "goToConfig",
    [1],
  );
  expect(editor.shownDocuments).toEqual([path]);
  expect(editor.selections).toEqual([line]);
});
