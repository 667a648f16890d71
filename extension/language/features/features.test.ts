import { describe, expect, test } from "vitest";
import { cursor, RUNNING, SHOP, shop } from "../../../test/support/language/testing.ts";
import { modelOf } from "../document/document-model.ts";
import { type EditorFacts, NO_FACTS } from "../document/editor-facts.ts";
import { applyEdits } from "../document/edits.ts";
import { hover } from "./hover.ts";
import { lenses } from "./lenses.ts";
import { definition, references, rename, renameable } from "./navigation.ts";
import { testRoute } from "./route-test.ts";
import { folds, type OutlineSymbol, symbols } from "./structure.ts";

describe("hover", () => {
  const shown = (marked: string, facts: EditorFacts = NO_FACTS) => {
    const { text, offset } = cursor(marked);
    return hover(modelOf(text), facts, offset)?.markdown;
  };

  test("a key: what it means", () => {
    expect(shown(shop("default_service: web", "default_█service: web"))).toBe(
      "The service for every path that no route matches.\n\nRequired.\n\nExample: `web`",
    );
    expect(shown(shop("rewrites:", "rewr█ites:"))).toContain("Optional. Default: `[]`");
  });

  test("a service: where it is now, and what it serves", () => {
    expect(shown(shop("name: web", "name: w█eb"), RUNNING)).toBe(
      "**web**\n\nNow local: `http://localhost:3000` (healthy, 12 ms)\n\n- remote: `https://web.example.com`\n- local: `http://localhost:3000`\n\nServes: `example.com` (default)",
    );
    expect(shown(shop("service: api\n", "service: a█pi\n"), RUNNING)).toContain(
      "(unhealthy)\n\nIt answers 503.",
    );
    expect(shown(shop("name: web", "name: w█eb"))).not.toContain("Now");
  });

  test("a blank line in an address does not leave the code span, and loads no image", () => {
    const hostile = shop(
      "remote: https://web.example.com",
      'remote: "https://web.example.com\\n\\n![x](https://evil.example/pixel.png)"',
    );
    expect(hostile).toContain("evil.example");
    const markdown = shown(hostile.replace("name: web", "name: w█eb"));
    expect(markdown).toContain("`https://web.example.com↵![x](https://evil.example/pixel.png)`");
    expect(markdown).not.toMatch(/\n\n!\[/);
  });

  test("a route: paths that match, and who gets them", () => {
    expect(shown(shop("^/api/.*", "^/ap█i/.*"))).toContain("- `/api/users` → **api**\n- `/api/` → **api**");
    const shadowed = shop(
      "      - path: ^/api",
      "      - path: /users\n        service: web\n      - path: ^/ap█i",
    );
    expect(shown(shadowed)).toContain(
      "- `/api/users` → **web** (the route `/users` is first)\n- `/api/` → **api**",
    );
  });

  test("a rewrite: what becomes of paths", () => {
    expect(shown(shop("/foo/(.*)", "/fo█o/(.*)"))).toContain("- `/foo/users` → `/bar/users`");
  });

  test("a local address: whether something is there", () => {
    const facts = { ...NO_FACTS, listening: new Set([3000]) };
    expect(shown(shop("localhost:3000", "local█host:3000"), facts)).toContain(
      "A program is listening on port 3000.",
    );
    expect(shown(shop("localhost:4000", "local█host:4000"), facts)).toContain(
      "Nothing is listening on port 4000.",
    );
  });

  test("nothing in comments and on unknown keys", () => {
    expect(shown(shop("# What", "# W█hat"))).toBeUndefined();
    expect(shown("colour: r█ed")).toBeUndefined();
  });
});

describe("names of services", () => {
  const place = (text: string, { start, end }: { start: number; end: number }) => {
    const line = text.slice(0, start).split("\n").length;
    return `${line}: ${text.slice(start, end)}`;
  };
  const at = (marked: string) => {
    const { text, offset } = cursor(marked);
    return { text, offset, model: modelOf(text) };
  };

  test("lead to the definition", () => {
    const { text, offset, model } = at(shop('"api"', '"a█pi"'));
    expect(definition(model, offset)?.to.map((to) => place(text, to))).toEqual(["11: api"]);
    const inComment = at(shop("# the", "# t█he"));
    expect(definition(inComment.model, inComment.offset)).toBeUndefined();
  });

  test("lead to all uses", () => {
    const { text, offset, model } = at(shop("name: api", "name: █api"));
    expect(references(model, offset, true).map((to) => place(text, to))).toEqual([
      "11: api",
      "19: api",
      '21: "api"',
    ]);
    expect(references(model, offset, false).map((to) => place(text, to))).toEqual(["19: api", '21: "api"']);
  });

  test("are changed everywhere, quotes and comments kept", () => {
    const { text, offset, model } = at(shop("service: api\n", "service: ap█i\n"));
    expect(renameable(model, offset)).toMatchObject({ name: "api" });
    const edits = rename(model, offset, "backend");
    expect(Array.isArray(edits) && applyEdits(text, edits)).toBe(
      SHOP.replace("name: api", "name: backend")
        .replace("service: api\n", "service: backend\n")
        .replace('"api"', '"backend"'),
    );
    const odd = rename(model, offset, "true");
    expect(Array.isArray(odd) && applyEdits(text, odd)).toContain('- name: "true" # the backend');
  });

  test("also through anchors and merge keys", () => {
    const { text, offset, model } = at(`base: &base
  name: &web we█b # one
services:
  - <<: *base
    remote: https://web.example.com
    local: http://localhost:3000
domains: [{ domain: example.com, default_service: *web }, { domain: example.org, default_service: web }]
`);
    const edits = rename(model, offset, "a, b");
    expect(Array.isArray(edits) && applyEdits(text, edits)).toBe(
      text.replace("&web web", "&web a, b").replace("default_service: web", 'default_service: "a, b"'),
    );
    const alias = text.indexOf("*web") + 2;
    expect(definition(model, alias)?.to.map((to) => place(text, to))).toEqual(["2: web"]);
    expect(references(model, alias, false).map((to) => place(text, to))).toEqual(["7: web"]);
  });

  test("are not changed to what cannot be", () => {
    const { offset, model } = at(shop("name: web", "name: w█eb"));
    expect(rename(model, offset, "api")).toEqual({ refused: 'A service named "api" already exists.' });
    expect(rename(model, offset, " ")).toEqual({ refused: "A service needs a name." });
    expect(rename(model, 3, "x")).toEqual({ refused: "No service name here." });
    expect(rename(model, offset, "web")).toEqual([]);
  });
});

describe("overrides and named targets", () => {
  const FILE = shop(
    "domains:\n",
    `overrides:
  - { name: down, service: api, respond: { status: 503 } }
  - name: there
    service: web
    target: staging
domains:
`,
  ).replace(
    "    rewrites:\n",
    "    targets: { staging: https://web.staging.example.com }\n    target: staging\n    rewrites:\n",
  );
  const at = (piece: string) => ({ model: modelOf(FILE), offset: FILE.indexOf(piece) + piece.length });
  const lines = (found: { start: number }[] | undefined) =>
    found?.map(({ start }) => FILE.slice(0, start).split("\n").length);

  test("services in overrides lead to their definition, are uses, and are renamed", () => {
    const { model, offset } = at("name: down, service: a");
    expect(lines(definition(model, offset)?.to)).toEqual([13]);
    expect(lines(references(model, at("name: ap").offset, false))).toEqual([17, 26, 28]);
    const edits = rename(model, offset, "backend");
    expect(Array.isArray(edits) && applyEdits(FILE, edits)).toContain(
      "{ name: down, service: backend, respond",
    );
  });

  test("so do the names of targets", () => {
    const { model, offset } = at("service: web\n    target: st");
    expect(lines(definition(model, offset)?.to)).toEqual([8]);
    expect(lines(references(model, offset, true))).toEqual([8, 9, 20]);
    const edits = rename(model, offset, "pr-7");
    const renamed = Array.isArray(edits) ? applyEdits(FILE, edits) : "";
    expect(renamed).toContain("targets: { pr-7: https://web.staging.example.com }\n    target: pr-7\n");
    expect(renamed).toContain("service: web\n    target: pr-7\n");
    expect(rename(model, offset, "local")).toMatchObject({ refused: expect.stringContaining("cannot name") });
    expect(rename(model, offset, "staging")).toEqual([]);
  });

  test("overrides are in the outline", () => {
    const section = symbols(modelOf(FILE)).find(({ name }) => name === "overrides");
    expect(section?.children.map(({ name, detail }) => [name, detail])).toEqual([
      ["down", "api"],
      ["there", "web → staging"],
    ]);
  });

  test("an override says whether it is on, and switches", () => {
    const { model, offset } = at("name: do");
    const override = { name: "down", on: true, service: "api", does: "respond 503", when: "" };
    const facts = { ...RUNNING, session: { ...RUNNING.session!, overrides: [override] } };
    expect(hover(model, facts, offset)?.markdown).toMatch(/^\*\*down\*\* · on\n\n`api · → respond 503`/);
    expect(hover(model, NO_FACTS, offset)?.markdown).not.toContain("· on");
    expect(
      lenses(model, facts).flatMap(({ title, override, start }) =>
        lines([{ start }])![0] === 17 ? [[title, override]] : [],
      ),
    ).toEqual([
      ["$(circle-filled)\u00a0on", undefined],
      ["switch off", "down"],
    ]);
  });
});

test("symbols", () => {
  const text = (symbol: OutlineSymbol, indent = ""): string =>
    [
      `${indent}${symbol.kind} ${symbol.name} ${symbol.detail}`.trimEnd(),
      ...symbol.children.map((child) => text(child, `${indent}  `)),
    ].join("\n");
  expect(
    symbols(modelOf(SHOP))
      .map((symbol) => text(symbol))
      .join("\n"),
  ).toBe(`section linkup
  value worker_url https://linkup.example.com
section services
  service web http://localhost:3000 · https://web.example.com
    rewrite /foo/(.*) → /bar/$1
  service api http://localhost:4000 · https://api.example.com
section domains
  domain example.com → web
    route ^/api/.* → api
  domain example.org → api`);
});

test("folding", () => {
  const ranges = folds(modelOf(`# one\n# two\n${SHOP}`)).map(
    ({ startLine, endLine, kind }) => `${startLine + 1}-${endLine + 1} ${kind}`,
  );
  expect(ranges).toEqual([
    "1-2 comment",
    "3-4 region",
    "5-15 region",
    "7-12 region",
    "10-12 region",
    "11-12 region",
    "13-15 region",
    "16-23 region",
    "17-21 region",
    "19-21 region",
    "20-21 region",
    "22-23 region",
  ]);
});

test("lenses", () => {
  expect(lenses(modelOf(SHOP), NO_FACTS)).toEqual([]);
  expect(
    lenses(modelOf(SHOP), RUNNING).map(({ title, route }) => [title, route?.service, route?.target]),
  ).toEqual([
    ["$(home)\u00a0local · healthy, 12 ms", undefined, undefined],
    ["route remote", "web", "remote"],
    ["route to…", "web", "other"],
    ["$(warning)\u00a0remote · unhealthy", undefined, undefined],
    ["route local", "api", "local"],
    ["route to…", "api", "other"],
  ]);
});

describe("the test of a route", () => {
  /** The file's lines that took part, with what is shown behind them. */
  const tested = (input: string, text = SHOP, facts: EditorFacts = NO_FACTS, offset = 0) => {
    const { summary, marks } = testRoute(modelOf(text), facts, input, offset);
    const shown = marks.map(({ start, text: words, kind }) => {
      const line = text.slice(text.lastIndexOf("\n", start) + 1, text.indexOf("\n", start)).trim();
      return `${line} ${kind === "won" ? "✓" : "✗"} ${words}`;
    });
    return [summary, ...shown];
  };

  test("of a path", () => {
    expect(tested("/api/users?x=1")).toEqual([
      "/api/users?x=1 → api (remote): https://api.example.com/api/users?x=1",
      "- domain: example.com ✓ this domain",
      "- path: ^/api/.* ✓ matches /api/users",
      "- name: api # the backend ✓ this service",
      "remote: https://api.example.com ✓ → https://api.example.com/api/users?x=1",
    ]);
  });

  test("of a path that is rewritten, in a running session", () => {
    expect(tested("/foo/x", SHOP, RUNNING)).toEqual([
      "/foo/x → web (local): http://localhost:3000/bar/x",
      "- domain: example.com ✓ this domain",
      "- path: ^/api/.* ✗ no match",
      "default_service: web ✓ no route matches /foo/x",
      "- name: web ✓ this service",
      "- source: /foo/(.*) ✓ rewrites to /bar/x",
      "local: http://localhost:3000 ✓ → http://localhost:3000/bar/x",
    ]);
  });

  test("of URLs, and of a path in the domain where the cursor is", () => {
    expect(tested("https://example.org/api/")[0]).toBe(
      "https://example.org/api/ → api (remote): https://api.example.com/api/",
    );
    expect(tested("https://slim-gecko.example.com/", SHOP, RUNNING)[0]).toContain("→ web (local)");
    expect(tested("/x", SHOP, NO_FACTS, SHOP.indexOf("example.org"))[0]).toContain("→ api");
    expect(tested("other.net/x")).toEqual([
      "No domain in this file matches other.net: the response would be 404.",
    ]);
    expect(tested("http://[")).toEqual(["http://[ is neither a path nor a URL."]);
  });
});
