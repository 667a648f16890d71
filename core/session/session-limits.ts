/** Limits on what a session may ask a proxy to do for each request. */

/** Longest name of a service, in UTF-16 units: it stands in headers, where it takes up to nine bytes for each. */
export const MAX_NAME = 255;
/** Most domains of one session: each is a row of the Worker's list, which all sessions share. */
export const MAX_DOMAINS = 1_000;
/** Most regular expressions of one session: routes, rewrites and cache routes together. */
export const MAX_PATTERNS = 2_000;
/** Most overrides of one session, counted by service: each is looked at for each request. */
export const MAX_OVERRIDES = 200;
/** Most characters of all of them together: compiling takes time in proportion. */
export const MAX_PATTERN_TEXT = 200_000;
/** Longest replacement of a rewrite, in UTF-16 units. */
export const MAX_REPLACEMENT = 2_000;
/** Most patterns of `access.open`, and characters of each: they are tried for requests of strangers. */
export const MAX_OPEN_PATHS = 50;
export const MAX_OPEN_PATH = 1_000;

export function patternTotals(sources: readonly string[]): { count: number; length: number } {
  return { count: sources.length, length: sources.reduce((sum, source) => sum + source.length, 0) };
}
