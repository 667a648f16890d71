/** Quick fixes for regular expressions, chosen by the text at the diagnostic's range. */
import { t } from "../../words.ts";

export interface TextFix {
  title: string;
  /** What to put in the place of the whole pattern. */
  text: string;
}

/** `pattern` with the part from `start` to `end` replaced. */
function fix(pattern: string, start: number, end: number, part: string): TextFix {
  const title =
    part === ""
      ? t("Remove {0}", pattern.slice(start, end))
      : t("Change {0} to {1}", pattern.slice(start, end), part);
  return { title, text: pattern.slice(0, start) + part + pattern.slice(end) };
}

/** For a pattern that cannot be read; the most likely one first. */
export function invalidPatternFixes(pattern: string, start: number, end: number): TextFix[] {
  const part = pattern.slice(start, end);
  const escaped = fix(pattern, start, start + 1, `\\${part[0]}`);
  if (/^[*+?]/.test(part))
    return part[0] === "*" ? [fix(pattern, start, start + 1, ".*"), escaped] : [escaped];
  if (part[0] === "(" && part.length <= 1)
    return [{ title: t("Add {0} at the end", ")"), text: `${pattern})` }, escaped];
  if (part[0] === "[" && part.length <= 1)
    return [{ title: t("Add {0} at the end", "]"), text: `${pattern}]` }, escaped];
  if (part === ")") return [fix(pattern, start, end, ""), escaped];
  if (part === "\\") return [fix(pattern, start, end, "\\\\"), fix(pattern, start, end, "")];
  const range = /^(.)-(.)$/su.exec(part);
  if (range) return [fix(pattern, start, end, `${range[2]}-${range[1]}`)];
  const count = /^\{(\d+),(\d+)\}$/.exec(part);
  if (count) return [fix(pattern, start, end, `{${count[2]},${count[1]}}`)];
  const lower = /^\{,(\d+)\}$/.exec(part);
  if (lower) return [fix(pattern, start, end, `{0,${lower[1]}}`)];
  const unknown = /^\\([A-Za-z0-9<>])$/.exec(part);
  if (unknown) return [fix(pattern, start, end, unknown[1]!), fix(pattern, start, end, `\\\\${unknown[1]}`)];
  return [];
}

/** Rewrites a construct that dialects read differently into one that all read the same. */
export function dialectFixes(pattern: string, start: number, end: number): TextFix[] {
  const part = pattern.slice(start, end);
  if (part === "\\A") return [fix(pattern, start, end, "^")];
  if (part === "\\z") return [fix(pattern, start, end, "$")];
  if (part === "\\0") return [fix(pattern, start, end, "\\x00")];
  if (part === "\\a") return [fix(pattern, start, end, "\\x07")];
  if (part === "{") return [fix(pattern, start, end, "\\{")];
  if (part.startsWith("(?P<")) return [fix(pattern, start, start + 4, "(?<")];
  if (part.startsWith("[]")) return [fix(pattern, start, start + 2, "[\\]")];
  const posix = /^\[:(\^?)(\w+):\]$/.exec(part);
  const members = posix && POSIX[posix[2]!];
  if (members && !posix[1]) return [fix(pattern, start, end, members)];
  return [];
}

const POSIX: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  alnum: "0-9A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/** `(a+)+`: without the outer repetition the same paths match. */
export function backtrackingFixes(pattern: string, start: number, end: number): TextFix[] {
  const found = /^(\(.*\))(?:[*+]|\{\d+,\})\??$/s.exec(pattern.slice(start, end));
  if (!found || start + found[0].length !== end) return [];
  return [{ ...fix(pattern, start, end, found[1]!), title: t("Remove the outer repetition") }];
}

/** For a group that the source lacks, in the target of a rewrite. */
export function groupFixes(
  target: string,
  start: number,
  end: number,
  groups: readonly (string | null)[],
): TextFix[] {
  const part = target.slice(start, end);
  const other =
    /^\\(\d)$/.exec(part) ?? /^\$<(\w*)>$/.exec(part) ?? (part === "$&" ? [part, "0"] : undefined);
  if (other) return [fix(target, start, end, `\${${other[1]}}`)];
  const fixes: TextFix[] = [];
  const longer = /^\$(\w+)$/.exec(part)?.[1] ?? "";
  for (let length = longer.length - 1; length > 0; length--) {
    const name = longer.slice(0, length);
    if (!(/^\d+$/.test(name) ? Number(name) < groups.length : groups.includes(name))) continue;
    fixes.push(fix(target, start, end, `\${${name}}${longer.slice(length)}`));
    break;
  }
  const last = groups.length - 1;
  if (last > 0) fixes.push(fix(target, start, end, `$${last}`));
  fixes.push(fix(target, start, end, ""));
  return fixes;
}
