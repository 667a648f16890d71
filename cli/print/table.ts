/** Aligned columns, cut to the width of the terminal. */
import { coloured, unstyled } from "./output.ts";

/** Lines below a heading; the last column is cut at the terminal's width. Cells may be styled; each is one line. */
export function table(heading: string[], rows: string[][], indent = ""): string {
  const oneLine = rows.map((row) => row.map((cell) => cell.replace(/[\t\n]/g, "\ufffd")));
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...oneLine.map((row) => widthOf(row[column] ?? ""))),
  );
  const line = (cells: string[]) =>
    indent +
    cells
      .map((cell, column) => cell + " ".repeat(Math.max(0, widths[column]! - widthOf(cell))))
      .join("  ")
      .trimEnd();
  return [coloured("dim", line(heading)), ...oneLine.map(line)].map((text) => `${fitted(text)}\n`).join("");
}

function widthOf(text: string): number {
  return unstyled(text).length;
}

/** Cut to the width of the terminal, when stdout is one. */
export function fitted(text: string): string {
  const columns = process.stdout.isTTY ? process.stdout.columns : 0;
  if (!columns || widthOf(text) <= columns) return text;
  return `${unstyled(text).slice(0, columns - 1)}…`;
}
