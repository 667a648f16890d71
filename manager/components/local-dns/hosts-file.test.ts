import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { followSessions, hostsIn, withHosts, withoutHosts } from "./hosts-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "linkup-hosts-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("a hosts file gets its block, once, and is afterwards as it was, byte for byte", () => {
  const line = fc.stringMatching(/^[ -~\t]{0,40}$/);
  const file = fc
    .tuple(fc.array(line), fc.constantFrom("\n", "\r\n"), fc.boolean())
    .map(([lines, end, last]) => {
      const text = lines.join(end);
      return last && text !== "" ? text + end : text;
    });
  fc.assert(
    fc.property(file, (text) => {
      const once = withHosts(text, ["slim-gecko.example.com"]);
      expect(once).toContain("\n127.0.0.1 slim-gecko.example.com\n::1 slim-gecko.example.com\n");
      expect(hostsIn(once)).toEqual(["slim-gecko.example.com"]);
      expect(withHosts(once, ["slim-gecko.example.com"])).toBe(once);
      expect(withoutHosts(once)).toBe(text);
    }),
  );
});

test("what others wrote behind the block stays", () => {
  const file = `${withHosts("127.0.0.1 localhost\n", ["a.example.com"])}10.0.0.1 other\n`;
  expect(withoutHosts(file)).toBe("127.0.0.1 localhost\n10.0.0.1 other\n");
});

test("the block follows sessions that come and go, in the same file, whose rights stay", async () => {
  const file = join(directory, "hosts");
  writeFileSync(file, "127.0.0.1 localhost\n");
  for (const hosts of [["a.example.com"], ["a.example.com", "b.example.com"], ["b.example.com"], []]) {
    expect(await followSessions(hosts, file)).toBe(true);
    expect(hostsIn(readFileSync(file, "utf8"))).toEqual(hosts);
  }
  expect(readFileSync(file, "utf8")).toBe("127.0.0.1 localhost\n");
});

// Nothing is the administrator's alone for root: `npm run test:dns` tries it with a file that is mounted read-only.
test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
  "a file of the administrator's stays as it is",
  async () => {
    const file = join(directory, "hosts");
    writeFileSync(file, "127.0.0.1 localhost\n");
    chmodSync(file, 0o444);
    expect(await followSessions(["a.example.com"], file)).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("127.0.0.1 localhost\n");
  },
);
