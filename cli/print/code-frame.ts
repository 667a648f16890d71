/** Problems of linkup.yaml with the lines they stand in. */
import { relative } from "node:path";
import type { ConfigDiagnostic } from "../../core/config/model/config-diagnostic.ts";
import type { ConfigError } from "../../manager/files/config-file.ts";
import { coloured } from "./colour.ts";
import { printable } from "./printable.ts";

const AROUND = 1;
/** Columns, where there is no terminal that says how many it has. */
const COLUMNS = 100;

/** All problems as `file:line:col`, message and code frame. */
export function configProblems({
  path,
  text,
  problems,
}: Pick<ConfigError, "path" | "text" | "problems">): string {
  const fromHere = relative(process.cwd(), path);
  const shown = fromHere.startsWith("..") ? path : fromHere;
  const lines = text.split(/\r?\n/).map(printable);
  // Hints are for editors.
  const told = problems.filter(({ severity }) => severity !== "hint");
  return told.map((problem) => frame(shown, lines, problem)).join("\n");
}

function frame(path: string, lines: string[], { severity, message, range }: ConfigDiagnostic): string {
  const { line, column } = range.start;
  const colour = severity === "error" ? "red" : "yellow";
  const first = Math.max(0, line - AROUND);
  const last = Math.min(lines.length - 1, line + AROUND);
  const width = String(last + 1).length;
  const room = Math.max(20, (process.stderr.columns ?? COLUMNS) - width - "   | ".length);
  // A problem far to the right is shown with what is before it cut off.
  const from = column < room - 10 ? 0 : column - Math.floor(room / 2);
  const end = range.end.line === line ? range.end.column : (lines[line] ?? "").length;
  const out = [
    `${path}:${line + 1}:${column + 1} ${coloured(colour, severity, process.stderr)} ${printable(message)}`,
  ];
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

/** So many characters of a line, from there on; `…` stands where some are missing. */
function cut(line: string, from: number, room: number): string {
  const text = line.slice(from, from + room);
  const start = from > 0 && text !== "" ? `…${text.slice(1)}` : text;
  return line.length > from + room ? `${start.slice(0, -1)}…` : start;
}
