/** Shows a place of a linkup.yaml in the editor. */
import * as vscode from "vscode";
import type { Config } from "../core/config/model/config-model.ts";

/** `find`: the keys and indices of the place; the closest one that exists is shown, and the file's beginning without one. */
export async function showInConfig(
  path: string,
  find: (config: Config | undefined) => (string | number)[] | undefined,
): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
  const { parseConfig } = await import("../core/config/parse-config.ts");
  const { config, positions } = parseConfig(document.getText());
  const place = find(config);
  const { start, end } = place ? positions.value(place) : { start: BEGINNING, end: BEGINNING };
  const selection = new vscode.Range(start.line, start.column, end.line, end.column);
  await vscode.window.showTextDocument(document, { selection });
}

const BEGINNING = { line: 0, column: 0 };

/** The name of an override or a service. */
export function nameIn(
  config: Config | undefined,
  key: "services" | "overrides",
  name: string,
): (string | number)[] {
  return [key, config?.[key]?.findIndex((one) => one.name === name) ?? -1, "name"];
}
