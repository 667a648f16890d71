import { execFileSync } from "node:child_process";
import { getHeapSpaceStatistics } from "node:v8";
import { expect, test } from "vitest";
import { collectGarbage, collectYoungGarbage } from "../../../node/v8.ts";

test("garbage is collected", () => {
  const garbage = new WeakRef(Array.from({ length: 1_000_000 }, (_, i) => ({ i })));
  const before = process.memoryUsage().heapUsed;
  collectGarbage();
  expect(process.memoryUsage().heapUsed).toBeLessThan(before);
  void garbage;
});

test("young garbage is collected", () => {
  collectYoungGarbage();
  const used = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")!.space_used_size;
  const before = used();
  expect(Array.from({ length: 10_000 }, (_, i) => [i]).length).toBe(10_000);
  expect(used()).toBeGreaterThan(before + 100_000);
  collectYoungGarbage();
  collectYoungGarbage();
  expect(used()).toBeLessThan(before + 100_000);
});

test.each([
  ["compiled", ""],
  ["left to the interpreter", "compileNothing();"],
])("code that runs often is %s", (what, first) => {
  const module = new URL("../../../node/v8.ts", import.meta.url);
  const code = `import { compileNothing } from "${module}"; ${first}
    const add = (sum, i) => sum + i;
    let sum = 0;
    for (let i = 0; i < 1e6; i++) sum = add(sum, i);`;
  const run = ["--trace-opt", "--input-type=module", "--eval", code];
  const said = execFileSync(process.execPath, run, { encoding: "utf8", maxBuffer: 1e7 });
  expect(said.includes("completed optimizing") ? "compiled" : "left to the interpreter").toBe(what);
});
