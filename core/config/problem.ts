/** What can be wrong with linkup.yaml. */
import type { Path, Positions, Range } from "./positions.ts";

export type ProblemCode =
  | "yaml-syntax"
  | "missing-key"
  | "unknown-key"
  | "wrong-value"
  | "unknown-service"
  | "duplicate-service"
  | "duplicate-domain"
  | "invalid-domain"
  | "invalid-pattern"
  | "pattern-dialect"
  | "pattern-backtracking"
  | "unknown-group"
  | "same-location";

export interface ConfigProblem {
  code: ProblemCode;
  /** An error makes the file unusable; a warning does not. */
  severity: "error" | "warning";
  message: string;
  range: Range;
  path: Path;
  /** What stands elsewhere in the file and belongs to the problem. */
  related?: { message: string; range: Range };
  /** What to put in the range's place, when that is obvious. */
  suggestion?: string;
}

/** Collects the problems of one file. */
export class Problems {
  readonly list: ConfigProblem[] = [];
  readonly positions: Positions;

  constructor(positions: Positions) {
    this.positions = positions;
  }

  /** The range is that of the value at the path, unless `more` has another. */
  error(code: ProblemCode, path: Path, message: string, more: Partial<ConfigProblem> = {}): void {
    this.list.push({
      code,
      severity: "error",
      message,
      path,
      range: more.range ?? this.positions.value(path),
      ...more,
    });
  }

  warning(code: ProblemCode, path: Path, message: string, more: Partial<ConfigProblem> = {}): void {
    this.error(code, path, message, { ...more, severity: "warning" });
  }
}
