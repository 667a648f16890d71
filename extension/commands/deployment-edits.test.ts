import { expect, test } from "vitest";
import { parseConfig } from "../../core/config/parse-config.ts";
import { deploymentChanges } from "./deployment-edits.ts";

const FILE = `linkup:
  worker_url: https://linkup.old.example # the team's
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
domains:
  - domain: old.example
    default_service: web
`;

function changed(
  source: string,
  zones: string[],
  workerUrl = "https://linkup.example.com",
): [string, string[]] {
  const { changes, domains } = deploymentChanges(source, parseConfig(source), workerUrl, zones);
  const lines = source.split("\n");
  const offset = ({ line, column }: { line: number; column: number }) =>
    lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0) + column;
  let text = source;
  for (const { start, end, text: inserted } of changes.toReversed())
    text = text.slice(0, offset(start)) + inserted + text.slice(offset(end));
  return [text, domains];
}

test("the Worker's URL, and a domain of the zone with the first domain's service; the rest stays", () => {
  const [text, domains] = changed(FILE, ["example.com"]);
  expect(domains).toEqual(["example.com"]);
  expect(text).toBe(
    FILE.replace("https://linkup.old.example", "https://linkup.example.com").replace(
      "  - domain: old",
      "  - domain: example.com\n    default_service: web\n  - domain: old",
    ),
  );
  expect(parseConfig(text).config?.domains.map(({ domain }) => domain)).toEqual([
    "example.com",
    "old.example",
  ]);
});

test("zones that have a domain, or one below it, get none; a second time nothing changes", () => {
  expect(
    changed(FILE.replace("domain: old.example", "domain: shop.example.com"), ["example.com"])[1],
  ).toEqual([]);
  const [text] = changed(FILE, ["example.com", "other.dev"]);
  expect(changed(text, ["example.com", "other.dev"])).toEqual([text, []]);
});

test.each([
  [
    "a list in one line",
    FILE.replace(/domains:[\s\S]*/, "domains: [{ domain: old.example, default_service: web }]\n"),
  ],
  ["a file with errors", FILE.replace("default_service: web", "default_service: nope")],
  ["no domains", FILE.replace(/domains:[\s\S]*/, "domains: []\n")],
])("%s keeps its domains", (_, source) => {
  const [text, domains] = changed(source, ["example.com"]);
  expect(domains).toEqual([]);
  expect(text).toBe(source.replace("https://linkup.old.example", "https://linkup.example.com"));
});
