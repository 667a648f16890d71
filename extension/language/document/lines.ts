/** Lines of a text, found from an offset in them. */

/** The offset of the line's first character. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** Just behind the line's newline, or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  return text.indexOf("\n", offset) + 1 || text.length;
}

export function eol(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** The column, with tabs counted as one. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}
