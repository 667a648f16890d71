/** Diagnostics of linkup.yaml with their lines. */
import { relative } from "node:path";
import type { ConfigDiagnostic } from "../../core/config/model/config-diagnostic.ts";
import type { ConfigError } from "../../manager/files/config-file.ts";
import { coloured } from "./output.ts";

/** Lines shown before and after the one with the diagnostic. */
const CONTEXT_LINES = 1;
/** Columns when stderr is not a terminal. */
const DEFAULT_COLUMNS = 100;

/** All problems as `file:line:col`, message and code frame. */
export function configProblems({
  path,
  text,
  problems,
}: Pick<ConfigError, "path" | "text" | "problems">): string {
  const relativePath = relative(process.cwd(), path);
  const shown = relativePath.startsWith("..") ? path : relativePath;
  const lines = text.split(/\r?\n/);
  // Hints are for editors.
  const listed = problems.filter(({ severity }) => severity !== "hint");
  return listed.map((problem) => frame(shown, lines, problem)).join("\n");
}

function frame(path: string, lines: string[], { severity, message, range }: ConfigDiagnostic): string {
  const { line, column } = range.start;
  const colour = severity === "error" ? "red" : "yellow";
  const first = Math.max(0, line - CONTEXT_LINES);
  const last = Math.min(lines.length - 1, line + CONTEXT_LINES);
  const width = String(last + 1).length;
  const room = Math.max(20, (process.stderr.columns ?? DEFAULT_COLUMNS) - width - "   | ".length);
  // The beginning of a long line is cut when the diagnostic is far to the right.
  const from = column < room - 10 ? 0 : column - Math.floor(room / 2);
  const end = range.end.line === line ? range.end.column : (lines[line] ?? "").length;
  const out = [`${path}:${line + 1}:${column + 1} ${coloured(colour, severity, process.stderr)} ${message}`];
  for (let number = first; number <= last; number++) {
    out.push(
      `${coloured("dim", `  ${String(number + 1).padStart(width)} |`, process.stderr)} ${cut(lines[number]!, from, room)}`,
    );
    if (number !== line) continue;
    const marks = "^".repeat(Math.max(1, Math.min(end, from + room) - column));
    const gutter = coloured("dim", `  ${" ".repeat(width)} |`, process.stderr);
    out.push(`${gutter} ${" ".repeat(column - from)}${coloured(colour, marks, process.stderr)}`);
  }
  return `${out.join("\n")}\n`;
}

/** At most `room` characters of a line, starting at `from`; `…` marks what is left out. */
function cut(line: string, from: number, room: number): string {
  const text = line.slice(from, from + room);
  const start = from > 0 && text !== "" ? `…${text.slice(1)}` : text;
  return line.length > from + room ? `${start.slice(0, -1)}…` : start;
}
