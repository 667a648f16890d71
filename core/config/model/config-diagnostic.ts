/** What can be wrong with linkup.yaml. docs/user/problems.md explains each code. */
import type { Path, Positions, Range } from "../yaml/positions.ts";

export const DIAGNOSTIC_CODES = [
  "yaml-syntax",
  "tab-indent",
  "duplicate-key",
  "unknown-anchor",
  "missing-key",
  "unknown-key",
  "wrong-value",
  "unknown-service",
  "duplicate-service",
  "duplicate-domain",
  "invalid-domain",
  "session-domain",
  "invalid-pattern",
  "pattern-dialect",
  "pattern-backtracking",
  "unknown-group",
  "unreachable-route",
  "same-location",
  "shared-port",
] as const;

export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

export interface ConfigDiagnostic {
  code: DiagnosticCode;
  /** An error makes the file unusable; a warning does not; a hint says what is good to know. */
  severity: "error" | "warning" | "hint";
  message: string;
  range: Range;
  /** Empty for what is wrong with the text as YAML. */
  path: Path;
  /** What stands elsewhere in the file and belongs to the problem. */
  related?: { message: string; range: Range };
  /** What to put in the range's place, when that is obvious. */
  suggestion?: string;
}

/** Collects the problems of one file. */
export class DiagnosticCollector {
  readonly positions: Positions;
  readonly #found = new Map<string, ConfigDiagnostic>();

  constructor(positions: Positions) {
    this.positions = positions;
  }

  /** How often something was found wrong so far. */
  count = 0;

  /** In the order of the file. What several places share by an alias is there once. */
  get list(): ConfigDiagnostic[] {
    return [...this.#found.values()].sort((a, b) => a.range.start.offset - b.range.start.offset);
  }

  /** The range is that of the value at the path, unless `more` has another. */
  error(code: DiagnosticCode, path: Path, message: string, more: Partial<ConfigDiagnostic> = {}): void {
    this.count++;
    const range = more.range ?? this.positions.value(path);
    const key = `${code} ${range.start.offset} ${range.end.offset} ${code === "missing-key" ? path.at(-1) : ""}`;
    if (this.#found.has(key)) return;
    this.#found.set(key, { code, severity: "error", message, path, ...more, range });
  }

  warning(code: DiagnosticCode, path: Path, message: string, more: Partial<ConfigDiagnostic> = {}): void {
    this.error(code, path, message, { ...more, severity: "warning" });
  }

  hint(code: DiagnosticCode, path: Path, message: string, more: Partial<ConfigDiagnostic> = {}): void {
    this.error(code, path, message, { ...more, severity: "hint" });
  }
}
