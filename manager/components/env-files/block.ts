/**
 * The block that Linkup appends to env files while a session runs, and takes out again. Pure.
 * Texts are bytes decoded as latin1, which round-trips any content.
 */
export const MARKER = "##### Linkup environment - DO NOT EDIT #####";

/** A byte order mark of UTF-8, which marks the beginning of a file: within one it would belong to a variable's name. */
const BYTE_ORDER_MARK = /^\xef\xbb\xbf/;

/** Appends the content between two markers. `block` is exactly what was appended, for `removeBlock`. */
export function appendBlock(text: string, source: string): { text: string; block: string } {
  const content = source.replace(BYTE_ORDER_MARK, "");
  const newline = /\r?\n/.exec(text)?.[0] ?? /\r?\n/.exec(content)?.[0] ?? "\n";
  const before = text === "" || text.endsWith("\n") ? "" : newline;
  const after = content === "" || content.endsWith("\n") ? "" : newline;
  const block = `${before}${MARKER}${newline}${content}${after}${MARKER}${newline}`;
  return { text: text + block, block };
}

/** True when the text contains a block of this or the original Linkup. */
export function hasBlock(text: string): boolean {
  return text.includes(MARKER);
}

/**
 * Removes the block and keeps everything else, later edits included. In a block that was edited, the markers and our
 * lines are removed and foreign lines stay. Undefined when no block is found.
 */
export function removeBlock(text: string, block: string): string | undefined {
  // The block was appended, so the last occurrence is ours.
  const at = text.lastIndexOf(block);
  if (at !== -1) return text.slice(0, at) + text.slice(at + block.length);
  return removeChanged(text, block);
}

function removeChanged(text: string, block: string): string | undefined {
  const lines = text.split("\n");
  const isMarker = (line: string) => line.trimEnd() === MARKER;
  const first = lines.findIndex(isMarker);
  const last = lines.findLastIndex(isMarker);
  if (first === -1 || first === last) return undefined;
  const ours = block.split("\n").map((line) => line.trimEnd());
  const foreign = lines.slice(first + 1, last).filter((line) => {
    const known = ours.indexOf(line.trimEnd());
    if (known !== -1) ours.splice(known, 1);
    return known === -1;
  });
  return [...lines.slice(0, first), ...foreign, ...lines.slice(last + 1)].join("\n");
}
