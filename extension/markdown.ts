/**
 * Markdown around text that comes from outside: linkup.yaml, the Worker, a service. VS Code loads the images of hovers and
 * pages, so such text must not be able to leave its place.
 */

import { type Command, commandId } from "./ids.ts";

/** A code span that its text cannot leave: of one line, within more backticks than stand in it. */
export function code(text: string): string {
  const line = text.trim().replaceAll(/\s*[\r\n]\s*/g, "↵");
  if (line === "") return "";
  const ticks = ticksAround(line, 1);
  return ticks.length === 1 ? ticks + line + ticks : `${ticks} ${line} ${ticks}`;
}

/** A code block that its text cannot leave. */
export function codeBlock(language: string, text: string): string {
  const ticks = ticksAround(text, 3);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** The text as it is, on one line. */
export function escaped(text: string): string {
  return text.replaceAll(/\s*[\r\n]\s*/g, " ").replaceAll(/[\\`*_[\]<>&~|]/g, "\\$&");
}

/** The text as it is, each of its lines on one of its own. */
export function escapedLines(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map(escaped)
    .join("  \n");
}

/** A link that shows its own address. */
export function link(url: string): string {
  return `<${url.replaceAll(/[\s<>]/g, encodeURIComponent)}>`;
}

function ticksAround(text: string, atLeast: number): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  return "`".repeat(longest === 0 ? atLeast : Math.max(atLeast, longest + 1));
}

/** A link that runs a command, where its page allows that. `title`: plain text. */
export function commandLink(command: Command, title: string): string {
  return `[${escaped(title)}](command:${commandId(command)})`;
}

/** A table whose cells stay in their places; they are Markdown themselves. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/(?<!\\)[|\r\n]/g, " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
