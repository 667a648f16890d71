import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../core/config/parse-config.ts";
import { configTemplate } from "../../../extension/commands/template.ts";
import { DIAGNOSTICS } from "../../support/language/cases.ts";
import { SHOP, shop } from "../../support/language/testing.ts";
import { LanguageServer } from "./language-server.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const schema = pathToFileURL(join(root, "media", "linkup.schema.json")).href;

let server: LanguageServer;
beforeAll(async () => {
  server = await LanguageServer.start(schema);
});
afterAll(async () => {
  await server?.stop();
});

/** Lines (from 1) and messages. */
async function theirs(text: string): Promise<string[]> {
  return (await server.documentDiagnostics(text)).map(
    ({ range, message }) => `${range.start.line + 1}: ${message}`,
  );
}

function ours(text: string): { severity: string; line: number; lastLine: number; code: string }[] {
  return parseConfig(text).diagnostics.map(({ severity, range, code }) => {
    return { severity, line: range.start.line + 1, lastLine: range.end.line + 1, code };
  });
}

test.each([
  ["the example of the tests", SHOP],
  ["the example system", readFileSync(join(root, "examples", "shop", "linkup.yaml"), "utf8")],
  [
    "null instead of lists",
    shop(
      "    rewrites:\n      - source: /foo/(.*)\n        target: /bar/$1\n",
      "    rewrites:\n    health: null\n    directory: ~\n    preserve_host: false\n",
    ),
  ],
  [
    "braces and brackets",
    'linkup: { worker_url: "https://l.example.com", cache_routes: ["^/static/"] }\nservices: [{ name: a, remote: https://a.example.com, local: http://localhost:1 }]\ndomains: [{ domain: example.com, default_service: a, routes: null }]\n',
  ],
  [
    "anchors and merge keys",
    `linkup:
  worker_url: https://linkup.example.com
services:
  - &web
    name: web
    remote: https://web.example.com
    local: http://localhost:3000
    health: &health { path: /healthz, statuses: [200, 204] }
  - <<: *web
    name: api
    local: http://localhost:4000
    health: *health
domains:
  - domain: example.com
    default_service: api
`,
  ],
])("nobody finds anything in %s", async (_, text) => {
  expect(await theirs(text)).toEqual([]);
  expect(ours(text).filter(({ severity }) => severity === "error")).toEqual([]);
});

test("the template of a new file is valid, and names no schema that cannot be loaded", async () => {
  const template = configTemplate();
  expect(template).not.toContain("$schema");
  expect(await theirs(template)).toEqual([]);
  const modeline = (url: string) => `# yaml-language-server: $schema=${url}\n`;
  expect(await theirs(modeline(schema) + template)).toEqual([]);
  // A modeline is obeyed: with a schema that cannot be loaded something is found.
  const missing = `${pathToFileURL(join(root, "package.json")).href}.missing`;
  expect(await theirs(modeline(missing) + template)).not.toEqual([]);
  expect(ours(template)).toEqual([]);
});

test.each(DIAGNOSTICS)("no contradiction: %s", async (_, from, to) => {
  const text = shop(from, to);
  const mine = ours(text);
  const errors = mine.filter(({ severity }) => severity === "error");
  const reports = await server.documentDiagnostics(text);
  // What they find, we find: an error of ours in the same lines. A text that is no YAML may confuse them further.
  const malformed = errors.some(({ code }) => ["yaml-syntax", "tab-indent", "unknown-anchor"].includes(code));
  for (const { range, message } of reports) {
    const line = range.start.line + 1;
    const near = errors.some((error) => error.line <= line && line <= error.lastLine);
    expect(malformed || near, `${line}: ${message}, and ours are ${JSON.stringify(mine)}`).toBe(true);
  }
  // What we only warn of, they let pass.
  if (errors.length === 0) expect(reports).toEqual([]);
});

test.each<[string, string, string, RegExp]>([
  ["a wrong type", "http://localhost:3000", "3000", /^7: Incorrect type/],
  [
    "a URL without a scheme",
    "https://web.example.com",
    "web.example.com",
    /^6: String does not match the pattern/,
  ],
  ["a missing key", "    remote: https://api.example.com\n", "", /^11: Missing property "remote"/],
  ["an empty list", SHOP.slice(SHOP.indexOf("domains:")), "domains: []\n", /^14: Array has too few items/],
  [
    "an invalid status",
    "    rewrites:",
    "    health: { statuses: [99] }\n    rewrites:",
    /^8: Value is below the minimum/,
  ],
])("both find %s", async (_, from, to, expected) => {
  const text = shop(from, to);
  const [line] = await theirs(text);
  expect(line).toMatch(expected);
  expect(
    ours(text)
      .filter(({ severity }) => severity === "error")
      .map(({ line }) => line),
  ).toContain(Number.parseInt(line!, 10));
});

test("both describe a key in the same words", async () => {
  await server.documentDiagnostics(SHOP);
  const line = SHOP.split("\n").findIndex((text) => text.includes("default_service"));
  expect(await server.hover(line, 6)).toContain("The service for every path that no route matches.");
});
