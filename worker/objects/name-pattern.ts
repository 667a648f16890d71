/** Patterns for session names: `*` stands for any characters, `?` for one. */

/** Whether the whole name matches. Linear in the name for each `*`: strangers choose patterns, so nothing backtracks further. */
export function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let position = 0;
  // Where to go on when the text after the last `*` does not match here: one character further.
  let afterStar = -1;
  let retryAt = 0;
  while (position < name.length) {
    if (at < pattern.length && pattern[at] === "*") {
      afterStar = ++at;
      retryAt = position;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[position])) {
      at++;
      position++;
    } else if (afterStar !== -1) {
      at = afterStar;
      position = ++retryAt;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
