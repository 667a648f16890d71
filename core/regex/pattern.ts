/** The regular expressions of linkup.yaml: `routes[].path`, `rewrites[].source` and `cache_routes`. */
import { BitStateSearch, widthAt } from "./bit-state.ts";
import { buildProgram, type Program } from "./compiler.ts";
import { type LiteralPrefix, literalPrefix, mayMatch } from "./literal-prefix.ts";
import { type NativePattern, nativePattern } from "./native-engine.ts";
import { type ParsedPattern, parsePattern } from "./parser.ts";
import { checkReplacement, parseReplacement, resolveGroups } from "./replacement.ts";
import { StepBudget } from "./step-budget.ts";
import type { PatternDiagnostic } from "./syntax.ts";

export { MAX_SOURCE } from "./parser.ts";
export { MAX_STEPS, StepBudget } from "./step-budget.ts";
export { MAX_PROGRAM, type PatternDiagnostic, type PatternWarning } from "./syntax.ts";

/** Longest text, in UTF-16 units, that a pattern is searched in, and longest result of a replacement. */
export const MAX_TEXT = 16_384;
const MAX_CACHED = 512;
/** Characters in which a literal is searched for about as long as one step takes. */
const CHARACTERS_PER_STEP = 64;

/** `gave-up`: the text is too long or the search needs too many steps. Treat it as no match, and report it. */
export type PatternResult = "match" | "no-match" | "gave-up";

export type CompileResult = { ok: true; pattern: Pattern } | { ok: false; errors: PatternDiagnostic[] };

export interface ReplaceResult {
  text: string;
  changed: boolean;
  /** The replacement was abandoned; the text is then unchanged. */
  gaveUp: boolean;
}

/** The place of a match, and the texts of its groups, the whole match first. */
interface Match {
  start: number;
  end: number;
  groups: readonly (string | undefined)[];
}

/** A compiled pattern. Searches are unanchored. Made by `compile`. */
export class Pattern {
  readonly source: string;
  readonly syntax: ParsedPattern;
  readonly #literal: LiteralPrefix | undefined;
  readonly #native: NativePattern | undefined;
  readonly #nativeLimit: number;
  #program: Program | undefined;

  constructor(source: string, syntax: ParsedPattern) {
    this.source = source;
    this.syntax = syntax;
    this.#literal = literalPrefix(syntax.root);
    this.#native = nativePattern(syntax.root, MAX_TEXT);
    this.#nativeLimit = this.#native?.maxText ?? -1;
  }

  /** The names of the groups, null for one without a name; group 0 is the whole match. */
  get groups(): readonly (string | null)[] {
    return this.syntax.groups;
  }

  /** Whether the pattern is found anywhere in the text. */
  test(text: string, budget: StepBudget = new StepBudget()): PatternResult {
    if (text.length > MAX_TEXT || budget.steps <= 0) return "gave-up";
    if (!this.#mayMatch(text, budget)) return "no-match";
    if (this.#runsNatively(text, budget)) return this.#native!.regExp.test(text) ? "match" : "no-match";
    return this.#search(text, budget).next(0);
  }

  /** A function that finds the first match at a position or later; call it with ascending positions. */
  finder(
    text: string,
    budget: StepBudget = new StepBudget(),
  ): (from: number) => Match | "no-match" | "gave-up" {
    if (text.length > MAX_TEXT || budget.steps <= 0) return () => "gave-up";
    if (!this.#mayMatch(text, budget)) return () => "no-match";
    if (this.#runsNatively(text, budget)) {
      const regExp = this.#native!.global;
      return (from) => {
        regExp.lastIndex = from;
        const groups = regExp.exec(text);
        return groups ? { start: groups.index, end: groups.index + groups[0].length, groups } : "no-match";
      };
    }
    const search = this.#search(text, budget);
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

  #mayMatch(text: string, budget: StepBudget): boolean {
    budget.steps -= 1 + (this.#literal?.anchored ? 0 : (text.length / CHARACTERS_PER_STEP) >>> 0);
    return mayMatch(this.#literal, text);
  }

  #runsNatively(text: string, budget: StepBudget): boolean {
    return text.length <= this.#nativeLimit && budget.chargeNative(this.#native!.cost(text.length));
  }

  #search(text: string, budget: StepBudget): BitStateSearch {
    const { root, groups, hasReferences } = this.syntax;
    this.#program ??= buildProgram(root, groups.length, hasReferences);
    return new BitStateSearch(this.#program, text, budget);
  }
}

const cache = new Map<string, CompileResult>();

/**
 * Compiles a pattern; the last few hundred are cached, so calling this for every request is cheap.
 *
 * Both dialects are understood: JavaScript's, and that of the original Linkup (inline flags, `(?P<n>…)`, `\A`, `\z`,
 * `[[:alpha:]]`, `\pL`, set operators…). Where they differ there is a warning, and the original's meaning counts.
 * The first match from the left wins, alternatives in the order written. `.` matches all but a line feed, `$`
 * the end of the text; `\d`, `\w` and `\b` are those of ASCII; characters are code points.
 *
 * Time is bounded for hostile patterns and texts, and for all patterns of a request together (StepBudget). A
 * pattern runs in the native engine only while the product of starts, ways to match and size stays within the budget
 * (native-engine.ts). Everything else runs in our own engine (bit-state.ts), which never fails twice at one instruction
 * and position: its steps grow with the size of the pattern times the length of the text. The exceptions, look-arounds
 * and above all back-references, end as "gave-up" when the budget is used up, as does a text longer than MAX_TEXT.
 * Sizes are bounded too: MAX_SOURCE, MAX_PROGRAM and the nesting.
 */
export function compile(source: string): CompileResult {
  const cached = cache.get(source);
  if (cached) return cached;
  const parsed = parsePattern(source);
  const result: CompileResult =
    "errors" in parsed
      ? { ok: false, errors: parsed.errors }
      : { ok: true, pattern: new Pattern(source, parsed) };
  // Evict the oldest.
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
  cache.set(source, result);
  return result;
}

/**
 * Replaces all matches. In the replacement `$1`, `${1}`, `$name` and `${name}` stand for groups (a name without braces
 * is as long as possible; a group that is missing or did not participate is empty), `$0` for the match, `$$` for a `$`.
 * An empty match right after another match does not count: `.*` is replaced once.
 */
export function replaceAll(
  pattern: Pattern,
  text: string,
  replacement: string,
  budget: StepBudget = new StepBudget(),
): ReplaceResult {
  const unchanged = { text, changed: false, gaveUp: false };
  const find = pattern.finder(text, budget);
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
    budget.steps -= parts.length;
    result += text.slice(copied, start);
    for (const part of parts) result += typeof part === "string" ? part : (groups[part] ?? "");
    if (result.length > MAX_TEXT || budget.steps < 0) return { ...unchanged, gaveUp: true };
    copied = end;
  }
  if (!parts) return unchanged;
  result += text.slice(copied);
  if (result.length > MAX_TEXT) return { ...unchanged, gaveUp: true };
  return { text: result, changed: result !== text, gaveUp: false };
}

/** What is wrong with a replacement for the pattern, with places in the replacement's source. */
export function replacementDiagnostics(pattern: Pattern, replacement: string): PatternDiagnostic[] {
  return checkReplacement(replacement, pattern.groups);
}
