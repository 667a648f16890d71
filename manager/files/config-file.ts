/** linkup.yaml on disk: finding and reading it. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { configText } from "../../core/config/config-text.ts";
import type { ConfigDiagnostic } from "../../core/config/model/config-diagnostic.ts";
import type { Config } from "../../core/config/model/config-model.ts";
import { text } from "../../core/text.ts";
import { CONFIG_NAMES } from "../../node/config-names.ts";
import { IrregularFileError, readRegularFile } from "../../node/regular-file.ts";
import { LinkupError } from "../model/problem.ts";

/** Thousands of services have less; the YAML parser's stack ends somewhere beyond. */
const MAX_BYTES = 2_000_000;

/** The file has errors: all of them, with the text they stand in. */
export class ConfigError extends LinkupError {
  readonly path: string;
  readonly text: string;
  readonly problems: readonly ConfigDiagnostic[];

  constructor(path: string, text: string, problems: readonly ConfigDiagnostic[]) {
    const errors = problems.filter(({ severity }) => severity === "error");
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    const { line, column } = first!.range.start;
    super("config-invalid", `${path}:${line + 1}:${column + 1}: ${first!.message}${more}`, [
      { command: "openConfig", title: "Open linkup.yaml" },
    ]);
    this.path = path;
    this.text = text;
    this.problems = problems;
  }
}

/** The nearest linkup.yaml or linkup.yml in this folder or above; undefined without one. */
export function nearestConfig(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of CONFIG_NAMES) {
      const path = join(at, name);
      if (existsSync(path)) return path;
    }
    if (dirname(at) === at) return undefined;
  }
}

/** Reads and checks the file. Throws a ConfigError with every problem, or says that there is no file. */
export async function readConfig(path: string): Promise<Config> {
  // The YAML parser takes a while to load, and most commands need none.
  const { parseConfig } = await import("../../core/config/parse-config.ts");
  let content: string;
  try {
    content = configText((await readRegularFile(path, MAX_BYTES)).content);
  } catch (error) {
    if (error instanceof IrregularFileError)
      throw new LinkupError(
        "config-invalid",
        text("{0}, so it is not read as a linkup.yaml.", error.message),
      );
    throw new LinkupError(
      "config-missing",
      text("{0} cannot be read: {1}.", path, (error as Error).message),
      [{ command: "createConfig", title: "Create linkup.yaml", terminal: "linkup init" }],
      { cause: error },
    );
  }
  const { config, diagnostics: problems } = parseConfig(content);
  if (!config) throw new ConfigError(path, content, problems);
  return config;
}
