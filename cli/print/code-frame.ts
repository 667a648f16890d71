/** Problems of linkup.yaml with the lines they stand in. */
import { relative } from "node:path";
import type { ConfigProblem } from "../../core/config/problem.ts";
import type { ConfigError } from "../../manager/session/config-file.ts";
import { coloured } from "./colour.ts";

const AROUND = 1;

/** All problems as `file:line:col`, message and code frame. */
export function configProblems({
  path,
  text,
  problems,
}: Pick<ConfigError, "path" | "text" | "problems">): string {
  const fromHere = relative(process.cwd(), path);
  const shown = fromHere.startsWith("..") ? path : fromHere;
  const lines = text.split(/\r?\n/);
  // Hints are for editors.
  const told = problems.filter(({ severity }) => severity !== "hint");
  return told.map((problem) => frame(shown, lines, problem)).join("\n");
}

function frame(path: string, lines: string[], { severity, message, range }: ConfigProblem): string {
  const { line, column } = range.start;
  const colour = severity === "error" ? "red" : "yellow";
  const first = Math.max(0, line - AROUND);
  const last = Math.min(lines.length - 1, line + AROUND);
  const width = String(last + 1).length;
  const end = range.end.line === line ? range.end.column : (lines[line] ?? "").length;
  const out = [`${path}:${line + 1}:${column + 1} ${coloured(colour, severity, process.stderr)} ${message}`];
  for (let number = first; number <= last; number++) {
    out.push(
      `${coloured("dim", `  ${String(number + 1).padStart(width)} |`, process.stderr)} ${lines[number]}`,
    );
    if (number !== line) continue;
    const marks = "^".repeat(Math.max(1, end - column));
    const gutter = coloured("dim", `  ${" ".repeat(width)} |`, process.stderr);
    out.push(`${gutter} ${" ".repeat(column)}${coloured(colour, marks, process.stderr)}`);
  }
  return `${out.join("\n")}\n`;
}
