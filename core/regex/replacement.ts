/** Replacements: text in which `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for a `$`. */
import { text } from "../text.ts";
import { PATTERN_MESSAGES as MESSAGES } from "./pattern-messages.ts";
import { type PatternDiagnostic, patternDiagnostic } from "./syntax.ts";

/** Literal text, or a reference to a group by name or number, and its place in the replacement. */
type Part = string | { name: string; braced: boolean; offset: number; length: number };

/** A name without braces is as long as possible: `$1a` is the group named `1a`. */
const REFERENCE = /\$(?:\$|(\w+)|\{([^}]*)\})/g;

export function parseReplacement(replacement: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of replacement.matchAll(REFERENCE)) {
    parts.push(replacement.slice(end, found.index));
    end = found.index + found[0].length;
    const name = found[1] ?? found[2];
    if (name === undefined) parts.push("$");
    else parts.push({ name, braced: found[1] === undefined, offset: found.index, length: found[0].length });
  }
  parts.push(replacement.slice(end));
  return parts.filter((part) => part !== "");
}

/** The number of the group of that name or number; undefined when the pattern has none. */
function groupOf(name: string, groups: readonly (string | null)[]): number | undefined {
  const index = /^\d+$/.test(name) ? Number(name) : groups.indexOf(name);
  return index >= 0 && index < groups.length ? index : undefined;
}

/** The parts with group numbers. A group that the pattern lacks is the empty text. */
export function resolveGroups(
  parts: readonly Part[],
  groups: readonly (string | null)[],
): (string | number)[] {
  return parts.map((part) => (typeof part === "string" ? part : (groupOf(part.name, groups) ?? "")));
}

/** Warns of groups that the pattern lacks, and of notations that other tools use. */
export function checkReplacement(
  replacement: string,
  groups: readonly (string | null)[],
): PatternDiagnostic[] {
  const found: PatternDiagnostic[] = [];
  for (const part of parseReplacement(replacement)) {
    if (typeof part === "string" || groupOf(part.name, groups) !== undefined) continue;
    const { name, braced, offset, length } = part;
    const known = braced ? "" : name.slice(0, prefixLength(name, groups));
    const advice = known
      ? text(MESSAGES.bracedGroup, `\${${known}}`, name.slice(known.length), known)
      : text(MESSAGES.groupCount, groups.length - 1);
    found.push(patternDiagnostic(offset, length, text(MESSAGES.missingGroup, name, advice)));
  }
  for (const { 0: notation, 1: digit, 2: name, index } of replacement.matchAll(/\\(\d)|\$(?:&|<(\w*)>)/g)) {
    const message = text(MESSAGES.plainReference, notation, `\${${digit ?? name ?? "0"}}`);
    found.push(patternDiagnostic(index, notation.length, message));
  }
  return found;
}

/** Length of the longest proper prefix of a name that is a group; 0 without one. */
function prefixLength(name: string, groups: readonly (string | null)[]): number {
  for (let length = name.length - 1; length > 0; length--) {
    if (groupOf(name.slice(0, length), groups) !== undefined) return length;
  }
  return 0;
}
