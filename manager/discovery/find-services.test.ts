import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findServices } from "./find-services.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linkup-found-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (path: string, content: string) => {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};
const serving = (port: number) => JSON.stringify({ scripts: { dev: `node . --port ${port}` } });

test("looks three folders deep, and not where others' code lies", async () => {
  put("package.json", serving(1));
  put("a/b/c/package.json", serving(2));
  put("a/b/c/d/package.json", serving(3));
  put("node_modules/x/package.json", serving(4));
  put("a/dist/package.json", serving(5));
  put(".cache/package.json", serving(6));
  put("big/package.json", serving(7) + " ".repeat(300_000));
  mkdirSync(join(folder, "odd/package.json"), { recursive: true });
  symlinkSync(folder, join(folder, "again"), "junction");
  expect(await findServices(folder)).toEqual([
    { name: "c", local: "http://localhost:2", directory: "./a/b/c", foundIn: "a/b/c/package.json" },
    { name: "web", local: "http://localhost:1", directory: undefined, foundIn: "package.json" },
  ]);
});

test("nothing where there is nothing", async () => {
  expect(await findServices(join(folder, "none"))).toEqual([]);
});
