/** Parses header lines. */
import { isToken } from "../../core/http-token.ts";
import { Fields, isFieldValue, isSpace, trimSpaces } from "./fields.ts";
import { MalformedMessage } from "./protocol-errors.ts";

/** The control characters that may be inside a value "for the sake of robustness" (RFC 9110, 5.5): not NUL, CR and LF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
const CONTROL = /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
/** Names of lines that say where a message ends: read only as everybody reads them. */
const FRAMING = /^(?:content-length|transfer-encoding|connection)$/i;

/** Header lines as name, value, name, value… */
export function parseFields(text: string): string[] {
  const raw: string[] = [];
  for (const line of text.split("\r\n")) {
    if ((line.startsWith(" ") || line.startsWith("\t")) && raw.length > 0) {
      // Obsolete line folding: the value goes on.
      const value = raw.pop();
      raw.push(`${value} ${fieldValue(raw.at(-1)!, line, line)}`);
      continue;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!isToken(name)) throw malformedLine(line);
    raw.push(name, fieldValue(name, line.slice(colon + 1), line));
  }
  return raw;
}

/**
 * The value of a line, of these characters. Browsers take control characters in it, Node and HTTP/2 do not write any: each becomes a
 * space, as the RFC has it for worse ones.
 */
function fieldValue(name: string, text: string, line: string): string {
  const value = trimSpaces(text);
  if (isFieldValue(value)) return value;
  const cleaned = trimSpaces(value.replace(CONTROL, " "));
  if (FRAMING.test(name) || !isFieldValue(cleaned)) throw malformedLine(line);
  return cleaned;
}

function malformedLine(line: string): MalformedMessage {
  return new MalformedMessage(`it has the header line ${JSON.stringify(line.slice(0, 100))}`);
}

/** Heads with other values, after which the one to compare with is replaced: each that is kept costs the garbage collector. */
const MAX_DIFFERENT = 64;
/** Weight of a head with other field names. */
const OTHER_NAMES = 8;
/** Characters; longer ones are not kept to compare with. */
const MAX_KEPT = 8_192;

/**
 * Parses the header lines of one connection's responses. Nearly all of a response's lines are those of an earlier one, letter
 * by letter: what was made of them is used again.
 */
export class FieldParser {
  #known: Fields | undefined;
  /** Its lines, and the beginnings of them up to the colon. */
  #lines: string[] = [];
  #labels: string[] = [];
  #different = 0;

  /** `text`: a head whose header lines begin at `start`. */
  parse(text: string, start: number): Fields {
    const raw = this.#known && this.#sameNames(text, start);
    const fields = raw ? new Fields(raw, this.#known) : new Fields(parseFields(text.slice(start)));
    if (!raw) this.#different += OTHER_NAMES;
    if (!this.#known || this.#different >= MAX_DIFFERENT) this.#keep(fields, text, start);
    return fields;
  }

  /** The lines when they have the known names in the same order, otherwise undefined. */
  #sameNames(text: string, start: number): readonly string[] | undefined {
    const known = this.#known!.raw;
    let raw: string[] | undefined;
    let at = start;
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i]!;
      let end = at + line.length;
      if (!(text.startsWith(line, at) && isEnd(text, end))) {
        const label = this.#labels[i]!;
        if (!text.startsWith(label, at)) return undefined;
        end = text.indexOf("\r\n", at);
        if (end === -1) end = text.length;
        const value = fieldValue(label.slice(0, -1), text.slice(at + label.length, end), text.slice(at, end));
        raw ??= [...known];
        raw[2 * i + 1] = value;
      }
      at = end + 2;
      // The value goes on in the next line.
      if (isSpace(text.charCodeAt(at))) return undefined;
    }
    // All of the text, and no more: its last line has no line break.
    if (at !== text.length + 2) return undefined;
    if (raw) this.#different++;
    return raw ?? known;
  }

  #keep(fields: Fields, text: string, start: number): void {
    this.#different = 0;
    this.#known = undefined;
    if (text.length > MAX_KEPT) return;
    const lines = text.slice(start).split("\r\n");
    // A folded line would be two of them.
    if (2 * lines.length !== fields.raw.length) return;
    this.#known = fields;
    this.#lines = lines;
    this.#labels = lines.map((line) => line.slice(0, line.indexOf(":") + 1));
  }
}

/** True where a line ends. */
function isEnd(text: string, at: number): boolean {
  return at === text.length || (text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10);
}
