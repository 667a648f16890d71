import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { BitStateSearch } from "./bit-state.ts";
import { buildProgram } from "./compiler.ts";
import { nativePattern } from "./native-engine.ts";
import { parsePattern } from "./parser.ts";
import { compile, MAX_STEPS, MAX_TEXT, replaceAll } from "./pattern.ts";

function read(source: string) {
  const parsed = parsePattern(source);
  if ("errors" in parsed) throw new Error(`${source}: ${JSON.stringify(parsed.errors)}`);
  return parsed;
}

/** A search by our own engine, also where the native one would do. */
function own(source: string, text: string): BitStateSearch {
  const { root, groups, hasReferences } = read(source);
  return new BitStateSearch(buildProgram(root, groups.length, hasReferences), text);
}

interface Found {
  index: number;
  groups: (string | undefined)[];
}

/**
 * All matches of the native engine, but for an empty one right after another (the original's rule), and one in the
 * middle of a surrogate pair (where V8 finds \B).
 */
function natives(source: string, text: string): Found[] {
  let end = -1;
  const found: Found[] = [];
  for (const match of text.matchAll(new RegExp(source, "gu"))) {
    if (match.index > 0 && text.codePointAt(match.index - 1)! > 0xffff) continue;
    if (match[0] !== "" || match.index !== end) found.push({ index: match.index, groups: [...match] });
    end = match.index + match[0].length;
  }
  return found;
}

function owns(source: string, text: string): Found[] {
  const search = own(source, text);
  const found: Found[] = [];
  let end = -1;
  for (let from = 0; from <= text.length; ) {
    const result = search.next(from);
    if (result === "gave-up") throw new Error("gave up");
    if (result === "no-match") break;
    const slots = [...search.slots.slice(0, 2 * read(source).groups.length)];
    const [index, matchEnd] = [slots[0]!, slots[1]!];
    const groups = slots
      .filter((_, i) => i % 2 === 0)
      .map((start, i) => (slots[2 * i + 1]! < 0 ? undefined : text.slice(start, slots[2 * i + 1])));
    if (matchEnd > index || index !== end) found.push({ index, groups });
    end = matchEnd;
    from = matchEnd > index ? matchEnd : matchEnd + (text.codePointAt(matchEnd)! > 0xffff ? 2 : 1);
  }
  return found;
}

/** A random pattern that JavaScript reads as we do; `exact` when its loops have no empty rounds. */
interface Random {
  source: string;
  nullable: boolean;
  exact: boolean;
}

const uncaptured = (source: string) => source.replaceAll(/\((?!\?)/g, "(?:");

/** `looks`: with look-arounds. */
function randomPattern(looks: boolean): fc.Arbitrary<Random> {
  const atoms = ["a", "b", "/", "1", "😀", ".", "[ab]", "[^a]", "[^/]", "[a-z1]", "\\d", "\\w", "\\W"];
  const one = (source: string, nullable: boolean): Random => ({ source, nullable, exact: true });
  const atom = fc.constantFrom(...atoms).map((source) => one(source, false));
  const assertion = fc.constantFrom("^", "$", "\\b", "\\B").map((source) => one(source, true));
  return fc.letrec<{ sequence: Random; item: Random; alternation: Random }>((tie) => ({
    sequence: fc.array(tie("item"), { minLength: 0, maxLength: 4 }).map((items) => ({
      source: items.map((item) => item.source).join(""),
      nullable: items.every((item) => item.nullable),
      exact: items.every((item) => item.exact),
    })),
    alternation: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((items) => ({
      source: items.map((item) => item.source).join("|"),
      nullable: items.some((item) => item.nullable),
      exact: items.every((item) => item.exact),
    })),
    item: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { arbitrary: atom, weight: 5 },
      { arbitrary: assertion, weight: 1 },
      {
        arbitrary: fc
          .tuple(atom, fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,3}?"))
          .map(([body, count]) => ({
            ...body,
            source: body.source + count,
            nullable: /^[*?]|0/.test(count),
          })),
        weight: 3,
      },
      {
        arbitrary: tie("alternation").map((body) => ({ ...body, source: `(${body.source})` })),
        weight: 2,
      },
      {
        arbitrary: fc
          .tuple(tie("alternation"), fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{2,}", "{0,2}"))
          .map(([body, count]) => ({
            source: `(?:${uncaptured(body.source)})${count}`,
            nullable: body.nullable || /^[*?]|0/.test(count),
            exact: body.exact && !body.nullable,
          })),
        weight: 2,
      },
      ...(looks
        ? [
            {
              arbitrary: fc
                .tuple(fc.constantFrom("?=", "?!", "?<=", "?<!"), tie("alternation"))
                .map(([kind, body]) => ({ ...body, source: `(${kind}${body.source})`, nullable: true })),
              weight: 2,
            },
          ]
        : []),
    ),
  })).alternation;
}

const randomText = fc
  .array(fc.constantFrom("a", "a", "b", "/", "1", "\n", "😀"), { maxLength: 12 })
  .map((units) => units.join(""));

describe("agrees with the native engine", { timeout: 60_000 }, () => {
  test.each([false, true])("on matches and groups (look-arounds: %j)", (looks) => {
    fc.assert(
      fc.property(randomPattern(looks), randomText, ({ source, exact }, text) => {
        if (exact) expect(owns(source, text)).toEqual(natives(source, text));
        // An empty round changes which match is found, never whether there is one.
        else expect(owns(source, text).length > 0).toBe(natives(source, text).length > 0);
      }),
      { numRuns: 2000 },
    );
  });

  it("on back-references", () => {
    const parts = fc.tuple(randomPattern(false), randomPattern(true), randomText);
    fc.assert(
      fc.property(parts, ([held, rest, text]) => {
        const source = `(${held.source})(?:${rest.source})\\1`;
        fc.pre(held.exact && rest.exact);
        expect(owns(source, text)).toEqual(natives(source, text));
      }),
      { numRuns: 1000 },
    );
  });

  it("by the public functions, whichever engine they choose", () => {
    fc.assert(
      fc.property(randomPattern(false), randomText, ({ source, exact }, text) => {
        const compiled = compile(source);
        if (!compiled.ok) throw new Error(source);
        const matches = exact ? natives(source, text) : owns(source, text);
        expect(compiled.pattern.test(text)).toBe(matches.length > 0 ? "match" : "no-match");
        let expected = "";
        let end = 0;
        for (const { index, groups } of matches) {
          expected += `${text.slice(end, index)}<${groups[0]},${groups[1] ?? ""}>`;
          end = index + groups[0]!.length;
        }
        expected += text.slice(end);
        expect(replaceAll(compiled.pattern, text, "<$0,$1>").text).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("bounded time", { timeout: 60_000 }, () => {
  const a16k = "a".repeat(MAX_TEXT - 1);
  const a4k = "a".repeat(MAX_TEXT / 4);
  const x16k = "x".repeat(MAX_TEXT);

  test.each([
    ["(a+)+$", `${a16k}!`],
    ["(a|a)*b", a16k],
    ["(a|aa)+$", `${a16k}!`],
    ["(.*)*x", a16k],
    ["(.*a){20}b", a4k],
    ["(x+x+)+y", x16k],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", a16k],
    ["(?:a?){50}a{50}b", a4k],
    ["((a*)*)*b", a16k],
    ["(?:.*?,){9}P", ",".repeat(MAX_TEXT / 2)],
    ["(|a)*b", a16k],
  ])("%j fails in linear steps", (source, text) => {
    const search = own(source, text);
    expect(search.next(0)).toBe("no-match");
    const { root } = read(source);
    expect(search.steps).toBeLessThanOrEqual(2 * root.size * (text.length + 1));
    expect(search.steps).toBeLessThanOrEqual(MAX_STEPS);
  });

  it("finds all matches in linear steps, together", () => {
    const search = own("(?:.*!|a)", a16k);
    let matches = 0;
    while (search.next(matches) === "match") matches++;
    expect(matches).toBe(a16k.length);
    expect(search.steps).toBeLessThanOrEqual(20 * a16k.length);
  });

  test.each([
    ["(a*)(a*)(a*)(a*)\\4\\3\\2\\1b", a16k],
    ["(.*)\\1\\1!", a16k],
    ["(?:(?=.*x)a)*!", `${a16k}x`],
    ["(a*)*\\1b", a16k],
  ])("%j is given up", (source, text) => {
    const search = own(source, text);
    expect(search.next(0)).toBe("gave-up");
    expect(search.steps).toBeLessThanOrEqual(MAX_STEPS + MAX_TEXT);
    const compiled = compile(source);
    expect(compiled.ok && compiled.pattern.test(text)).toBe("gave-up");
    expect(compiled.ok && replaceAll(compiled.pattern, text, "")).toEqual({
      text,
      changed: false,
      gaveUp: true,
    });
  });

  it("holds for look-arounds nested as deep as allowed", () => {
    const source = `${"(?=".repeat(250)}a${")".repeat(250)}`;
    expect(own(source, "ba").next(0)).toBe("match");
  });

  test.each([
    ["/api/v1/.*", MAX_TEXT],
    ["/foo/(.*)", MAX_TEXT],
    ["^/x/[^/]+/y$", MAX_TEXT],
    ["^/[^/]+/[^/]+/(\\d+)/edit$", MAX_TEXT],
    ["^/(?:v1|v2)/users?(/.*)?$", 1000],
    ["\\.(?:js|css|png)$", MAX_TEXT],
    ["/a/(.*)/b/(.*)", 200],
  ])("%j runs in the native engine up to %i characters", (source, length) => {
    expect(nativePattern(read(source).root, MAX_TEXT)?.maxText).toBeGreaterThanOrEqual(length);
  });

  test.each([
    "(a+)+$",
    "(a|a)*b",
    "(.*)*x",
    "(.*a){20}b",
    "(x+x+)+y",
    `${"(?:a|a)".repeat(30)}b`,
    "(?:a?){30}a{30}",
    "a(?=b)",
    "(a)\\1",
  ])("%j never does", (source) => {
    expect(nativePattern(read(source).root, MAX_TEXT)?.maxText ?? 0).toBeLessThan(10);
  });

  it("counts what the native engine may do before choosing it", () => {
    const limit = nativePattern(read("a.*b.*c").root, MAX_TEXT)!.maxText;
    // Starts, and two loops that give back: the cube of the length, for each of the instructions.
    expect((limit + 1) ** 3 * 5).toBeLessThanOrEqual(MAX_STEPS);
    expect(compile("a.*b.*c")).toMatchObject({ ok: true });
    const compiled = compile("a.*b.*c");
    expect(compiled.ok && compiled.pattern.test(`${"ab".repeat(8000)}`)).toBe("no-match");
  });
});
