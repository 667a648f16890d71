/** What can be wrong with linkup.yaml. docs/user/problems.md explains each code. */
import { formatText, type Text, text } from "../../text.ts";
import type { Positions, Range } from "../yaml/positions.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { CONFIG_MESSAGES } from "./config-messages.ts";

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
  "too-many-patterns",
  "unknown-group",
  "unreachable-route",
  "duplicate-override",
  "unknown-domain",
  "invalid-override",
  "shadowed-override",
  "same-location",
  "shared-port",
  "ignored-url-part",
  "token-variable",
  "more-problems",
] as const;

export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

export interface ConfigDiagnostic {
  code: DiagnosticCode;
  /** An error makes the file unusable; a warning does not; a hint is good to know. */
  severity: "error" | "warning" | "hint";
  /** In English; `text` is the same for translation. */
  message: string;
  text: Text;
  range: Range;
  /** Empty for a syntax error. */
  path: Path;
  /** Another place in the file that belongs to the diagnostic. */
  related?: { message: string; text: Text; range: Range };
  /** The obvious replacement for the range. */
  suggestion?: string;
}

interface Details {
  /** Default: that of the value at the path. */
  range?: Range;
  related?: { text: Text; range: Range };
  suggestion?: string | undefined;
}

/** Most diagnostics that one file gets. */
const MAX_DIAGNOSTICS = 200;

/** Collects the diagnostics of one file. */
export class DiagnosticCollector {
  readonly positions: Positions;
  readonly #found = new Map<string, ConfigDiagnostic>();
  #firstOmitted: Range | undefined;
  #omitted = 0;
  #hasErrors = false;

  constructor(positions: Positions) {
    this.positions = positions;
  }

  /** The number of reports so far, repeated and omitted ones included. */
  count = 0;

  /** True when something made the file unusable. */
  get hasErrors(): boolean {
    return this.#hasErrors;
  }

  /** True when no more diagnostics are kept, so that working out their details is useless. */
  get isFull(): boolean {
    return this.#found.size >= MAX_DIAGNOSTICS;
  }

  /** In the order of the file. What an alias shares between several places is listed once. */
  get list(): ConfigDiagnostic[] {
    const list = [...this.#found.values()];
    if (this.#firstOmitted) {
      const omitted = text(CONFIG_MESSAGES.morePlaces, this.#omitted);
      const severity =
        list.some((each) => each.severity === "error") || !this.#hasErrors ? "warning" : "error";
      list.push({
        code: "more-problems",
        severity,
        message: formatText(omitted),
        text: omitted,
        range: this.#firstOmitted,
        path: [],
      });
    }
    return list.sort((a, b) => a.range.start.offset - b.range.start.offset);
  }

  error(code: DiagnosticCode, path: Path, message: Text, details: Details = {}): void {
    this.#add(code, "error", path, message, details);
  }

  warning(code: DiagnosticCode, path: Path, message: Text, details: Details = {}): void {
    this.#add(code, "warning", path, message, details);
  }

  hint(code: DiagnosticCode, path: Path, message: Text, details: Details = {}): void {
    this.#add(code, "hint", path, message, details);
  }

  #add(
    code: DiagnosticCode,
    severity: ConfigDiagnostic["severity"],
    path: Path,
    message: Text,
    { range: given, related, suggestion }: Details,
  ): void {
    this.count++;
    this.#hasErrors ||= severity === "error";
    if (this.isFull) {
      this.#omitted++;
      this.#firstOmitted ??= given ?? this.positions.value(path);
      return;
    }
    const range = given ?? this.positions.value(path);
    const key = `${code} ${range.start.offset} ${range.end.offset} ${code === "missing-key" ? path.at(-1) : ""}`;
    if (this.#found.has(key)) return;
    this.#found.set(key, {
      code,
      severity,
      message: formatText(message),
      text: message,
      path,
      range,
      ...(related ? { related: { ...related, message: formatText(related.text) } } : {}),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}
