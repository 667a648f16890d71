/** All that commands write passes through here, so that text of others gives the terminal no orders. */
import { styleText } from "node:util";

/** Stands for ESC in our own styles until they are written. It is random: text of others cannot contain it. */
let styleMark: string | undefined;
/** Control characters, C1 included, and those that change the direction of text. Tabs and line feeds are harmless. */
const CONTROLS = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

type Format = Parameters<typeof styleText>[0];

/** Styled on terminals only, and never with NO_COLOR. */
export function coloured(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  // Node lets FORCE_COLOR win, with a warning.
  if (process.env.NO_COLOR) return text;
  const [open = "", close = ""] = styleText(format, "\0", { stream }).split("\0");
  if (open === "") return text;
  // Loaded lazily: it takes 4 ms, and what is no terminal gets no styles.
  styleMark ??= `\ufdd0${process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex")}`;
  return `${open.replaceAll("\x1b", styleMark)}${text}${close.replaceAll("\x1b", styleMark)}`;
}

/** Without its styles. */
export function unstyled(text: string): string {
  return styleMark === undefined ? text : text.replace(new RegExp(`${styleMark}\\[[\\d;]*m`, "g"), "");
}

/** What a terminal may be given: control characters become U+FFFD, so that columns stay; only our own styles are kept. */
export function terminalText(text: string): string {
  const harmless = text.replaceAll("\r\n", "\n").replace(CONTROLS, "\ufffd");
  return styleMark === undefined ? harmless : harmless.replaceAll(styleMark, "\x1b");
}

/** Writes to stdout: the result. */
export function print(text: string): void {
  process.stdout.write(terminalText(text));
}

/** Writes to stderr: notes, questions and failures. */
export function printNote(text: string): void {
  process.stderr.write(terminalText(text));
}

/** Writes one line of JSON to stdout. */
export function printJson(value: unknown, indent = 0): void {
  process.stdout.write(`${terminalJson(value, indent)}\n`);
}

/** JSON leaves DEL, C1 and direction controls as they are: here they are escaped, too. */
export function terminalJson(value: unknown, indent = 0): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, indent).replace(CONTROLS, escaped);
}

/** Writes the one result of a command: as JSON, or as text. */
export function printResult(json: boolean | undefined, value: unknown, text: () => string): void {
  if (json) printJson(value);
  else print(text());
}
