/**
 * The block that Linkup appends to env files while a session runs, and takes out again. Pure.
 * Texts are bytes as latin1: whatever is in a file, it comes back as it was.
 */
export const MARKER = "##### Linkup environment - DO NOT EDIT #####";

/** Appends the content between two markers. Returns what was appended, which is all that has to go again. */
export function appendBlock(text: string, content: string): { text: string; block: string } {
  const newline = /\r?\n/.exec(text)?.[0] ?? /\r?\n/.exec(content)?.[0] ?? "\n";
  const before = text === "" || text.endsWith("\n") ? "" : newline;
  const after = content === "" || content.endsWith("\n") ? "" : newline;
  const block = `${before}${MARKER}${newline}${content}${after}${MARKER}${newline}`;
  return { text: text + block, block };
}

/** True when there is a block of any Linkup in the text. */
export function hasBlock(text: string): boolean {
  return text.includes(MARKER);
}

/**
 * Takes the block out; everything else stays as it is, what was changed meanwhile included. Where the block itself was
 * changed, its markers and our lines go, and the lines that others wrote into it stay.
 * Undefined when the block cannot be found any more.
 */
export function removeBlock(text: string, block: string): string | undefined {
  // The last one: it was appended.
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
