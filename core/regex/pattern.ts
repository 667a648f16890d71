/** The regular expressions of linkup.yaml: `routes[].path`, `rewrites[].source` and `cache_routes`. */

import { backtrackingHazards } from "./analysis/backtracking-hazards.ts";
import { BitStateSearch, widthAt } from "./bit-state.ts";
import { buildProgram, type Program } from "./compiler.ts";
import { type LiteralPrefix, literalPrefix, mayMatch } from "./literal-prefix.ts";
import { type NativePattern, nativePattern } from "./native-engine.ts";
import { type ParsedPattern, parsePattern } from "./parser.ts";
import { checkReplacement, parseReplacement, resolveGroups } from "./replacement.ts";
import type { PatternDiagnostic, PatternWarning } from "./syntax.ts";

export { MAX_STEPS } from "./bit-state.ts";
export { MAX_SOURCE } from "./parser.ts";
export {
  MAX_PROGRAM,
  type PatternDiagnostic,
  type PatternWarning,
} from "./syntax.ts";

/** Longest text, in UTF-16 units, that a pattern is searched in, and longest result of a replacement. */
export const MAX_TEXT = 16_384;
const MAX_CACHED = 512;

/** `gave-up`: the text is too long or the search needs too many steps. Treat it as no match, and say so. */
export type PatternResult = "match" | "no-match" | "gave-up";

export type CompileResult = { ok: true; pattern: Pattern } | { ok: false; problems: PatternDiagnostic[] };

export interface ReplaceResult {
  text: string;
  changed: boolean;
  /** Then the text is the one given. */
  gaveUp: boolean;
}

/** Where a match is, and the texts of its groups, the whole match first. */
interface Match {
  start: number;
  end: number;
  groups: readonly (string | undefined)[];
}

/** A pattern ready to be searched, unanchored. Made by `compile`. */
export class Pattern {
  readonly source: string;
  /** The names of the groups, null for one without a name; group 0 is the whole match. */
  readonly groups: readonly (string | null)[];
  readonly #parsed: ParsedPattern;
  readonly #literal: LiteralPrefix | undefined;
  readonly #native: NativePattern | undefined;
  readonly #nativeLimit: number;
  #program: Program | undefined;
  #notes: readonly PatternWarning[] | undefined;

  constructor(source: string, parsed: ParsedPattern) {
    this.source = source;
    this.groups = parsed.groups;
    this.#parsed = parsed;
    this.#literal = literalPrefix(parsed.root);
    this.#native = nativePattern(parsed.root, MAX_TEXT);
    this.#nativeLimit = this.#native?.maxText ?? -1;
  }

  /** What to warn of in an editor. */
  get notes(): readonly PatternWarning[] {
    this.#notes ??= [...this.#parsed.notes, ...backtrackingHazards(this.#parsed.root, this.source)];
    return this.#notes;
  }

  /** Whether the pattern is found anywhere in the text. */
  test(text: string): PatternResult {
    if (text.length > MAX_TEXT) return "gave-up";
    if (!mayMatch(this.#literal, text)) return "no-match";
    if (text.length <= this.#nativeLimit) return this.#native!.regExp.test(text) ? "match" : "no-match";
    return this.#search(text).next(0);
  }

  /** The function that finds the first match at a position or later, to be called with ascending positions. */
  finder(text: string): (from: number) => Match | "no-match" | "gave-up" {
    if (text.length > MAX_TEXT) return () => "gave-up";
    if (!mayMatch(this.#literal, text)) return () => "no-match";
    if (text.length <= this.#nativeLimit) {
      const regExp = this.#native!.global;
      return (from) => {
        regExp.lastIndex = from;
        const groups = regExp.exec(text);
        return groups ? { start: groups.index, end: groups.index + groups[0].length, groups } : "no-match";
      };
    }
    const search = this.#search(text);
    return (from) => {
      const result = search.next(from);
      if (result !== "match") return result;
      const { slots } = search;
      const groups = this.groups.map((_, i) => {
        return slots[2 * i + 1]! < 0 ? undefined : text.slice(slots[2 * i], slots[2 * i + 1]);
      });
      return { start: slots[0]!, end: slots[1]!, groups };
    };
  }

  #search(text: string): BitStateSearch {
    const { root, groups, hasReferences } = this.#parsed;
    this.#program ??= buildProgram(root, groups.length, hasReferences);
    return new BitStateSearch(this.#program, text);
  }
}

const cache = new Map<string, CompileResult>();

/**
 * Reads a pattern; the last few hundred are kept, so calling this for every request is cheap.
 *
 * Both dialects are read: JavaScript's, and that of the original Linkup (inline flags, `(?P<n>…)`, `\A`, `\z`,
 * `[[:alpha:]]`, `\pL`, set operators…); `Pattern.notes` says where they differ, and there the original's reading
 * counts. The first match from the left wins, alternatives in the order written. `.` matches all but a line feed, `$`
 * the end of the text; `\d`, `\w` and `\b` are those of ASCII; characters are code points.
 *
 * Time is bounded, whoever wrote the pattern or the text. A pattern runs in the native engine only if its text is so
 * short that the product of starts, ways to match and size stays below MAX_STEPS (see native.ts). Everything else runs in
 * our own engine (match.ts), which never fails twice at one instruction and position: its steps grow with the size of
 * the pattern times the length of the text. The exceptions, look-arounds and above all back-references, end as "gave-up"
 * after MAX_STEPS, as does a text longer than MAX_TEXT. Sizes are bounded too: MAX_SOURCE, MAX_PROGRAM and the nesting.
 */
export function compile(source: string): CompileResult {
  const known = cache.get(source);
  if (known) return known;
  const parsed = parsePattern(source);
  const compiled: CompileResult =
    "problems" in parsed
      ? { ok: false, problems: parsed.problems }
      : { ok: true, pattern: new Pattern(source, parsed) };
  // The oldest goes.
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
  cache.set(source, compiled);
  return compiled;
}

/**
 * Replaces all matches. In the replacement `$1`, `${1}`, `$name` and `${name}` stand for groups (a name without braces
 * is as long as possible; a group that is missing or took no part is empty), `$0` for the match, `$$` for a `$`. An
 * empty match right after another match does not count: `.*` is replaced once.
 */
export function replaceAll(pattern: Pattern, text: string, replacement: string): ReplaceResult {
  const unchanged = { text, changed: false, gaveUp: false };
  const find = pattern.finder(text);
  let parts: (string | number)[] | undefined;
  let result = "";
  let copied = 0; // end of the last match
  for (let from = 0; from <= text.length; ) {
    const match = find(from);
    if (match === "gave-up") return { ...unchanged, gaveUp: true };
    if (match === "no-match") break;
    const { start, end, groups } = match;
    from = end > start ? end : end + widthAt(text, end);
    if (end === start && parts && end === copied) continue;
    parts ??= resolveGroups(parseReplacement(replacement), pattern.groups);
    result += text.slice(copied, start);
    for (const part of parts) result += typeof part === "string" ? part : (groups[part] ?? "");
    if (result.length > MAX_TEXT) return { ...unchanged, gaveUp: true };
    copied = end;
  }
  if (!parts) return unchanged;
  result += text.slice(copied);
  if (result.length > MAX_TEXT) return { ...unchanged, gaveUp: true };
  return { text: result, changed: result !== text, gaveUp: false };
}

/** What is wrong with a replacement for the pattern, with places in the replacement's text. */
export function replacementProblems(pattern: Pattern, replacement: string): PatternDiagnostic[] {
  return checkReplacement(replacement, pattern.groups);
}
