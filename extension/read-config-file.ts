/** The services of a linkup.yaml on disk. */
import * as vscode from "vscode";
import { configText } from "../core/config/config-text.ts";
import type { Config } from "../core/config/model/config-model.ts";
import { LinkupError } from "../manager/model/problem.ts";
import { t } from "./words.ts";

/** Rejects with a LinkupError when the file has errors. */
export async function readConfigFile(path: string): Promise<Config> {
  const bytes = await vscode.workspace.fs.readFile(vscode.Uri.file(path));
  const { parseConfig } = await import("../core/config/parse-config.ts");
  const { config } = parseConfig(configText(bytes));
  if (config) return config;
  throw new LinkupError("config-invalid", t("{0} has errors.", path), [
    { command: "openConfig", title: t("Open linkup.yaml") },
  ]);
}
