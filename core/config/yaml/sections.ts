/**
 * Splits the text of linkup.yaml into pieces that can be parsed separately: the sections that start in column 0, and the
 * items of a section's list. So a keystroke costs parsing one service, not a thousand, and a syntax error in one
 * service does not affect the others.
 */

/** From `start` up to, but not including, `end`. */
export interface Piece {
  start: number;
  end: number;
}

export interface Section {
  /** The key and, without items, everything that belongs to it. */
  head: Piece;
  /** Each starts with the white space before its dash, or is a line that belongs to no item. */
  items: Piece[];
}

/** A key in column 0, which may be an alias, and the text after its colon. */
const KEY_LINE =
  /^(?:[A-Za-z_](?:[^:#\n]|:(?!\s|$))*|(?:"[^"\n]*"|'[^'\n]*')[ \t]*|\*[^\s,[\]{}]+[ \t]+):(?=\s|$)([^\n]*)/;
const NOTHING = /^\s*(?:#.*)?$/;

/** Undefined when the text can only be parsed as a whole: another style, several documents, directives. */
export function splitSections(text: string): Section[] | undefined {
  const sections: Section[] = [];
  /** The indentation of the section's items; undefined while unknown, -1 when the section has no items. */
  let dashes: number | undefined;
  let current: Piece | undefined;
  for (let at = text.startsWith("\uFEFF") ? 1 : 0, next: number; at < text.length; at = next) {
    next = text.indexOf("\n", at) + 1 || text.length;
    let first = at;
    while (text[first] === " ") first++;
    const indent = first - at;
    if (isBlank(text, first)) {
      if (current) current.end = next;
      continue;
    }
    const character = text[first]!;
    const dash = character === "-" && /\s|^$/.test(text[first + 1] ?? "");
    if (indent === 0 && !dash && !/[\t\]}]/.test(character)) {
      const line = text.slice(at, next);
      if (/^(?:---|\.\.\.|%|[?:](?:\s|$))/.test(line)) {
        if (current || !/^---\s*(?:#.*)?$/.test(line)) return undefined;
        continue;
      }
      const key = KEY_LINE.exec(line);
      if (!key && !current) return undefined;
      if (key || dashes === -1) {
        current = { start: at, end: next };
        sections.push({ head: current, items: [] });
        dashes = key && NOTHING.test(key[1]!) ? undefined : -1;
      } else {
        // A line that is being typed between items does not end their list.
        if (dashes === undefined) current!.end = next;
        else {
          current = { start: at, end: next };
          sections.at(-1)!.items.push(current);
        }
      }
      continue;
    }
    if (!current) return undefined;
    dashes ??= dash ? indent : -1;
    if (dash && indent === dashes) {
      current = { start: at, end: next };
      sections.at(-1)!.items.push(current);
    }
    current.end = next;
  }
  return sections.length > 0 ? sections : undefined;
}

/** True when the line is empty, or a comment, from this offset on. */
function isBlank(text: string, offset: number): boolean {
  while (text[offset] === "\t" || text[offset] === " ") offset++;
  const character = text[offset];
  return character === undefined || character === "\n" || character === "\r" || character === "#";
}
