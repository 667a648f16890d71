/** What a match is replaced by: text in which `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for a `$`. */

import type { PatternDiagnostic } from "./syntax.ts";

/** A text, or a group's name or number and where it stands. */
type Part = string | { name: string; braced: boolean; offset: number; length: number };

/** A name without braces goes on as long as it can: `$1a` is the group named `1a`. */
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

/** The parts with the groups' numbers. A group that the pattern lacks is the empty text. */
export function resolveGroups(
  parts: readonly Part[],
  groups: readonly (string | null)[],
): (string | number)[] {
  return parts.map((part) => (typeof part === "string" ? part : (groupOf(part.name, groups) ?? "")));
}

/** Groups that the pattern lacks, and ways to write them that other tools have. */
export function checkReplacement(
  replacement: string,
  groups: readonly (string | null)[],
): PatternDiagnostic[] {
  const problems: PatternDiagnostic[] = [];
  for (const part of parseReplacement(replacement)) {
    if (typeof part === "string" || groupOf(part.name, groups) !== undefined) continue;
    const { name, braced, offset, length } = part;
    const known = braced ? 0 : prefixLength(name, groups);
    const hint = known
      ? `Write \${${name.slice(0, known)}}${name.slice(known)} for the group ${name.slice(0, known)} before ${name.slice(known)}.`
      : `It has ${groups.length - 1} group(s). Write $$ for a plain $.`;
    problems.push({
      offset,
      length,
      message: `The pattern has no group ${name}: nothing is put here. ${hint}`,
    });
  }
  for (const found of replacement.matchAll(/\\(\d)|\$(?:&|<(\w*)>)/g)) {
    const group = found[1] ?? found[2] ?? "0";
    const message = `${found[0]} is plain text here. Write \${${group}} for the group.`;
    problems.push({ offset: found.index, length: found[0].length, message });
  }
  return problems;
}

/** Length of the longest proper start of a name that is a group; 0 when there is none. */
function prefixLength(name: string, groups: readonly (string | null)[]): number {
  for (let length = name.length - 1; length > 0; length--) {
    if (groupOf(name.slice(0, length), groups) !== undefined) return length;
  }
  return 0;
}
