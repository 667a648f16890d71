import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { patternWarnings } from "./analysis/backtracking-hazards.ts";
import {
  compile,
  MAX_SOURCE,
  MAX_TEXT,
  type Pattern,
  type PatternDiagnostic,
  replaceAll,
  replacementDiagnostics,
} from "./pattern.ts";

function pattern(source: string): Pattern {
  const compiled = compile(source);
  if (!compiled.ok) throw new Error(`${source}: ${JSON.stringify(compiled.errors)}`);
  return compiled.pattern;
}

function problems(source: string): PatternDiagnostic[] {
  const compiled = compile(source);
  return compiled.ok ? [] : compiled.errors;
}

describe("syntax", () => {
  test.each([
    ["/api/v1/.*", "/x/api/v1/users", true],
    ["^/api/", "/x/api/", false],
    ["\\/foo\\-bar", "/foo-bar", true],
    ["a.c", "a\nc", false],
    ["a.c", "a\rc", true],
    ["(?s)a.c", "a\nc", true],
    ["a$", "a\n", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["(?i)/API", "/api", true],
    ["(?i:/API)/V", "/api/V", true],
    ["(?i:/API)/V", "/api/v", false],
    ["(?i)[^a]", "A", false],
    ["((?i)a)b|C", "AB", false],
    ["((?i)a)b|C", "Ab", true],
    ["(?i)a|(?-i)b", "B", false],
    ["(?x) a b # comment\n c [ d ]", "abcd", true],
    ["(?x)a\\ b", "a b", true],
    ["\\Aa\\z", "a", true],
    ["\\Aa\\z", "ba", false],
    ["[[:digit:]_]+$", "1_", true],
    ["^[[:^alpha:]]$", "a", false],
    ["^[[:punct:]]$", "]", true],
    ["^\\pL\\p{Lu}\\p{Letter}\\p{greek}\\P{L}$", "aBcλ1", true],
    ["\\x41\\x{42}\\u0043\\u{44}\\U00000045", "ABCDE", true],
    ["^\\cJ\\n\\t\\r\\f\\v\\a\\0$", "\n\n\t\r\f\v\x07\0", true],
    ["[\\b]", "\b", true],
    ["^[]a]+$", "]a", true],
    ["^[-a]+[a-]+$", "-a-", true],
    ["^[\\w-.]+$", "a-.", true],
    ["^[a-z&&[^aeiou]]+$", "bcd", true],
    ["^[a-z&&[^aeiou]]+$", "bad", false],
    ["^[a-z--[aeiou]&&a-c]+$", "bc", true],
    ["^[a-z--[aeiou]&&a-c]+$", "d", false],
    ["^[^[:alpha:]0]$", "1", true],
    ["^[^[:alpha:]0]$", "b", false],
    ["^[/|{}()*+?.$^]+$", "/|{}()*+?.$^", true],
    ["^a{2}b{1,}c{0,1}$", "aabbc", true],
    ["^a{2}$", "aaa", false],
    ["^a{ 1, 3 }$", "aaa", true],
    ["(?<a.b>x)", "x", true],
    ["a{", "a{", true],
    ["{id}", "/{id}", true],
    ["]}", "]}", true],
    ["^(?:a|)b$", "b", true],
    ["(?U)^a*$", "aaa", true],
    ["a**", "", true],
    ["(?P<n>a)(?<m>b)", "ab", true],
    ["a(?=b)", "ac", false],
    ["a(?!b)", "ac", true],
    ["(?<=/)b", "/b", true],
    ["(?<!/)b", "/b", false],
    ["^(a|b)\\1$", "bb", true],
    ["^(?<x>a|b)\\k<x>$", "ba", false],
    ["(?i)^(a)\\1$", "aA", true],
    ["\\bfoo\\b", "/foo/", true],
    ["o\\Bo", "foo", true],
    ["^.$", "😀", true],
    ["^[😀-😂]$", "😁", true],
    ["", "", true],
  ])("%j on %j: %j", (source, text, found) => {
    expect(pattern(source).test(text)).toBe(found ? "match" : "no-match");
  });

  test.each([
    ["a(b", 1, 1, "never closed"],
    ["a)b", 1, 1, "no ("],
    ["a[b", 1, 1, "never closed"],
    ["[]", 0, 1, "never closed"],
    ["*a", 0, 1, "Nothing to repeat"],
    ["a|+", 2, 1, "Nothing to repeat"],
    ["({2})", 1, 3, "Nothing to repeat"],
    ["a{3,2}", 1, 5, "Swap"],
    ["a{,2}", 1, 4, "{0,…}"],
    ["a****", 4, 1, "Too many quantifiers"],
    ["x[z-a]", 2, 3, "backwards"],
    ["[a~~b]", 2, 2, "~~"],
    ["[[:foo:]]", 1, 7, "Unknown class"],
    ["a\\y", 1, 2, "Unknown escape \\y"],
    ["\\<", 0, 2, "\\b"],
    ["a\\", 1, 1, "end"],
    ["\\xg", 0, 2, "hexadecimal"],
    ["\\u{110000}", 0, 10, "hexadecimal"],
    ["\\p{Foo}", 0, 7, "Unknown Unicode property"],
    ["\\p", 0, 2, "needs a Unicode property"],
    ["\\b{start}", 0, 2, "word boundaries"],
    ["(?>a)", 0, 2, "kind of group"],
    ["(?#a)", 0, 2, "kind of group"],
    ["(?k)a", 0, 4, "Unknown flag k"],
    ["(?)", 0, 3, "No flags"],
    ["(?<1>a)", 0, 5, "name"],
    ["(?<n>a)(?<n>b)", 7, 5, "two groups"],
    ["(a)\\2", 3, 2, "no group 2"],
    ["\\k<n>", 0, 5, "no group n"],
    ["x(?:a{1,200}){200}", 1, 17, "Too large"],
    ["a{99999999999}", 0, 14, "Too large"],
    ["(".repeat(251), 250, 1, "250 deep"],
    ["[".repeat(251), 250, 1, "250 deep"],
    ["a".repeat(MAX_SOURCE + 1), 0, MAX_SOURCE + 1, "characters long"],
  ])("%j is refused at %i", (source, offset, length, message) => {
    expect(problems(source)[0]).toEqual({
      offset,
      length,
      message: expect.stringContaining(message),
      text: expect.anything(),
    });
  });

  it("finds several problems at once", () => {
    expect(problems("*a[z-a]\\q)").map(({ offset }) => offset)).toEqual([0, 3, 7, 9]);
  });

  it("gives the same pattern for the same source, among hundreds", () => {
    const first = pattern("/cached");
    for (let i = 0; i < 300; i++) compile(`/other/${i}`);
    expect(compile("/cached")).toHaveProperty("pattern", first);
  });
});

describe("replacement", () => {
  test.each([
    ["/foo/(.*)", "/foo/b/c", "/bar/$1", "/bar/b/c"],
    ["/api/v2/(.*)", "/api/v2/user", "/$1", "/user"],
    ["(a)(b)?", "ab-a", "[$2$1]", "[ba]-[a]"],
    ["(?<x>a)", "a", "${x}$x$0${1}", "aaaa"],
    ["(?P<x>a)", "a", "<${x}y>", "<ay>"],
    ["(a)", "a", "<$1a>", "<>"],
    ["(a)", "a", "<$2${nope}>", "<>"],
    ["a", "a", "$$1$", "$1$"],
    ["a", "a", "${0", "${0"],
    ["a", "a", "$&\\1$-", "$&\\1$-"],
    [".*", "/abc", "/x", "/x"],
    ["b*", "abc", "-", "-a-c-"],
    ["", "😀a", "-", "-😀-a-"],
    ["(?:)", "", "x", "x"],
    ["x*", "", "y", "y"],
    ["(a|ab)(c|bcd)(d*)", "abcd", "$1,$2,$3", "a,bcd,"],
    ["a+?", "aaa", "b", "bbb"],
    ["(?U)a+b", "aab", "x", "x"],
    // The group keeps what it held in an earlier round, an empty round ends the loop.
    ["(?:(a)|b)*", "ab", "<$1>", "<a>"],
    ["(|a)*", "aa", "<$1>", "<>a<>a<>"],
    ["(|a)+", "a", "<$1>", "<>a<>"],
    ["(a|b)*?c", "abc", "$1", "b"],
    ["(?=(a+))a", "aab", "[$1]", "[aa][a]b"],
    ["(?<=(\\d+)(\\d+))x", "123x", "$1-$2", "1231-23"],
    ["(?!(a)b)a", "ac", "<$1>", "<>c"],
    ["\\b", "ab cd", "|", "|ab| |cd|"],
    ["nowhere", "text", "x", "text"],
  ])("%j in %j by %j", (source, text, replacement, result) => {
    expect(replaceAll(pattern(source), text, replacement)).toEqual({
      text: result,
      changed: result !== text,
      gaveUp: false,
    });
  });

  test.each([
    ["(a)", "$1a/${1}", [[0, 3, "${1}a"]]],
    ["(?<n>a)", "/$nx/$n", [[1, 3, "${n}x"]]],
    ["a", "$1", [[0, 2, "0 group(s)"]]],
    ["(a)", "$01$$2${x}", [[6, 4, "no group x"]]],
    [
      "(a)",
      "\\1$&",
      [
        [0, 2, "${1}"],
        [2, 2, "${0}"],
      ],
    ],
    ["(?<n>a)", "$<n>", [[0, 4, "${n}"]]],
  ] as const)("for %j: %j", (source, replacement, expected) => {
    expect(replacementDiagnostics(pattern(source), replacement)).toEqual(
      expected.map(([offset, length, part]) => ({
        offset,
        length,
        message: expect.stringContaining(part),
        text: expect.anything(),
      })),
    );
  });

  it("gives up on what grows too long, and leaves the text as it was", () => {
    const text = "a".repeat(100);
    const result = replaceAll(pattern("a"), text, "b".repeat(1000));
    expect(result).toEqual({ text, changed: false, gaveUp: true });
  });
});

it("gives up on too long a text", () => {
  expect(pattern("a").test("a".repeat(MAX_TEXT))).toBe("match");
  const long = "a".repeat(MAX_TEXT + 1);
  expect(pattern("a").test(long)).toBe("gave-up");
  expect(replaceAll(pattern("a"), long, "b")).toEqual({ text: long, changed: false, gaveUp: true });
});

describe("never throws", { timeout: 60_000 }, () => {
  const pieces = [
    ..."ab/.*+?|()[]{}^$\\-,:&~#=!<>P\n😀\ud800",
    "(?",
    "(?i)",
    "(?<n>",
    "[[:",
    "&&",
    "--",
    "\\p{L}",
    "\\1",
    "{2,3}",
    "\\b",
    "(?<=",
    "\\u{",
    "\\x",
  ];
  const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(""));
  const any = fc.oneof(soup, fc.string({ unit: "binary" }));

  test.each([
    "a&&",
    "[a-b&&",
    "(?:",
    "(",
    "[",
    "a*",
    "(a+",
    "[^",
    "(?=",
    "(?i)",
    "\\pL",
    "*",
    "a|",
    "x?",
    "[[:alpha:]",
    "(a+)+",
    "^*",
  ])("on as many %j as fit", (piece) => {
    const many = piece.repeat(MAX_SOURCE / piece.length);
    for (const source of [many, `[${many}]`, `(?:${many})*`.slice(0, MAX_SOURCE)]) {
      const compiled = compile(source);
      if (compiled.ok) {
        expect(patternWarnings(compiled.pattern)).toBeInstanceOf(Array);
        expect(["match", "no-match", "gave-up"]).toContain(compiled.pattern.test(`${"a".repeat(99)}é`));
      } else expect(compiled.errors.length).toBeLessThanOrEqual(30);
    }
  });

  it("whatever the pattern, the text and the replacement", () => {
    fc.assert(
      fc.property(any, any, any, (source, text, replacement) => {
        const compiled = compile(source);
        if (!compiled.ok) {
          expect(compiled.errors.length).toBeGreaterThan(0);
          for (const { offset, length } of compiled.errors) {
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset + length).toBeLessThanOrEqual(source.length);
          }
          return;
        }
        const found = compiled.pattern.test(text);
        expect(["match", "no-match", "gave-up"]).toContain(found);
        const replaced = replaceAll(compiled.pattern, text, replacement);
        if (found === "no-match") expect(replaced.text).toBe(text);
        for (const { offset, length } of replacementDiagnostics(compiled.pattern, replacement)) {
          expect(offset + length).toBeLessThanOrEqual(replacement.length);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
