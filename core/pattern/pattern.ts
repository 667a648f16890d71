/** Regular expressions of linkup.yaml, searched unanchored in URL paths. */

/** A place in the pattern's (or replacement's) text, in UTF-16 units, and what is wrong there. */
export interface PatternProblem {
  offset: number;
  length: number;
  message: string;
}

export interface PatternNote extends PatternProblem {
  kind: "dialect" | "backtracking";
}

export type PatternResult = "match" | "no-match" | "gave-up";

export interface Pattern {
  readonly source: string;
  readonly notes: readonly PatternNote[];
  test(text: string): PatternResult;
}

export type Compiled = { ok: true; pattern: Pattern } | { ok: false; problems: PatternProblem[] };

export interface Replaced {
  text: string;
  changed: boolean;
  gaveUp: boolean;
}

/** Longest text, in UTF-16 units, that a pattern is searched in. */
export const MAX_TEXT = 16_384;
/** Most steps that one search or replacement may take. */
export const MAX_STEPS = 2_000_000;

export function compile(source: string): Compiled {
  try {
    const native = new RegExp(source);
    const test = (text: string): PatternResult =>
      text.length > MAX_TEXT ? "gave-up" : native.test(text) ? "match" : "no-match";
    return { ok: true, pattern: { source, notes: [], test } };
  } catch (error) {
    return { ok: false, problems: [{ offset: 0, length: source.length, message: (error as Error).message }] };
  }
}

export function replaceAll(pattern: Pattern, text: string, replacement: string): Replaced {
  if (text.length > MAX_TEXT) return { text, changed: false, gaveUp: true };
  const result = text.replace(new RegExp(pattern.source, "g"), replacement);
  return { text: result, changed: result !== text, gaveUp: false };
}

export function replacementProblems(_pattern: Pattern, _replacement: string): PatternProblem[] {
  return [];
}
