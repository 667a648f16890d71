/** Columns that line up, cut to what a terminal shows. */
import { stripVTControlCharacters } from "node:util";
import { coloured } from "./colour.ts";

/** Lines with a heading; the last column is cut where the terminal ends. Cells may be coloured. */
export function table(heading: string[], rows: string[][], indent = ""): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const line = (cells: string[]) =>
    indent +
    cells
      .map((cell, column) => cell + " ".repeat(Math.max(0, widths[column]! - widthOf(cell))))
      .join("  ")
      .trimEnd();
  return [coloured("dim", line(heading)), ...rows.map(line)].map((text) => `${fitted(text)}\n`).join("");
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Cut to the width of the terminal, when it is one. */
export function fitted(text: string): string {
  const columns = process.stdout.isTTY ? process.stdout.columns : 0;
  if (!columns || widthOf(text) <= columns) return text;
  return `${stripVTControlCharacters(text).slice(0, columns - 1)}…`;
}
