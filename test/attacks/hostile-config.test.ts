/** A linkup.yaml that makes its reader work for ever. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "../../core/config/parse-config.ts";
import { Victim } from "./victim.ts";

let victim: Victim;
beforeEach(async () => {
  victim = await Victim.create();
});
afterEach(() => victim[Symbol.asyncDispose]());

const keys = (count: number, indent: string) =>
  Array.from({ length: count }, (_, i) => `${indent}key${i}: 1\n`).join("");

function file(service: string, routes = ""): string {
  return `linkup:
  worker_url: https://linkup.example.com
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
${service}domains:
  - domain: example.com
    default_service: web
${routes}`;
}

/** Milliseconds of the fastest of three runs: other programs of the machine only slow one down. */
function fastest(text: string): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const before = performance.now();
      parseConfig(text);
      return performance.now() - before;
    }),
  );
}

describe("a cloned repository whose linkup.yaml has", () => {
  test("8,000 unknown keys: read in time in proportion, with few problems", () => {
    const few = fastest(file(keys(2_000, "    ")));
    const many = fastest(file(keys(8_000, "    ")));
    // Four times the keys; a quadratic reader needs sixteen times as long.
    expect(many / few).toBeLessThan(9);
    const { diagnostics } = parseConfig(file(keys(8_000, "    ")));
    expect(diagnostics).toHaveLength(201);
    expect(diagnostics.at(-1)!.message).toContain("7800 more");
    expect(diagnostics.filter(({ message }) => message.includes("The keys here are")).length).toBeLessThan(
      20,
    );
  });

  test("8,000 unknown keys: the command line answers, and prints few of them", async () => {
    victim.config({ service: keys(8_000, "    ").slice(4, -1) });
    const { stdout, stderr, ms } = await victim.linkup("explain", "http://slim-gecko.shop.localhost/");
    expect(ms).toBeLessThan(15_000);
    expect((stdout + stderr).length).toBeLessThan(200_000);
  });

  test("regular expressions that take long to analyse", () => {
    const routes = (path: (i: number) => string, count: number) =>
      `    routes:\n${Array.from({ length: count }, (_, i) => `      - path: ${path(i)}\n        service: web\n`).join("")}`;
    const before = performance.now();
    parseConfig(
      file(
        "",
        routes((i) => `^/(a|b|c)*[a-z]+${i}.*x`, 2_000),
      ),
    );
    parseConfig(
      file(
        "",
        routes((i) => `${"(".repeat(150)}a${i}${"*)".repeat(150)}`, 400),
      ),
    );
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  test("spaces and tabs without end", () => {
    const before = performance.now();
    parseConfig(`a${" ".repeat(300_000)}\n${file("")}`);
    parseConfig(file(`    directory: x${" ".repeat(300_000)}y\n`));
    parseConfig(file(`${"\t".repeat(100_000)}\n    directory: x\n`));
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
