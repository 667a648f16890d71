import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Redactor, writeLog } from "./log-writer.ts";

const SECRET = "s3cret+of/the==tunnel";
const MASK = "*".repeat(SECRET.length);
let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linkup-log-"));
  log = join(folder, "cloudflared-a.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (path = log) => readFileSync(path, "latin1");
const written = (pieces: (string | Buffer)[], maxBytes?: number) =>
  writeLog(
    Readable.from(pieces.map((piece) => Buffer.from(piece as string))),
    log,
    [SECRET, "other"],
    maxBytes,
  );

test("nothing is lost and no secret is kept, in whatever pieces it comes", () => {
  const piece = fc.oneof(fc.constantFrom(SECRET, "other", "\n", SECRET.slice(0, 9)), fc.string());
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(200)), (words, cuts) => {
      const text = words.join("");
      const redactor = new Redactor([SECRET, "other"]);
      let result = "";
      let rest = text;
      for (const cut of cuts) {
        const whole = redactor.push(rest.slice(0, cut));
        rest = rest.slice(cut);
        expect(whole === "" || whole.endsWith("\n")).toBe(true);
        result += whole;
      }
      result += redactor.push(rest) + redactor.end();
      expect(result).toBe(text.replaceAll(SECRET, MASK).replaceAll("other", "*****"));
    }),
  );
});

test("a line without end is written on, and a secret at the cut is found", async () => {
  const redactor = new Redactor([SECRET]);
  const first = redactor.push("x".repeat(80_000) + SECRET.slice(0, 10));
  expect(first.length).toBeGreaterThan(79_000);
  expect(first).toMatch(/^x+$/);
  expect(redactor.push(SECRET.slice(10)) + redactor.end()).toMatch(/^x*\*+$/);
});

test("bytes that are no text stay as they are", async () => {
  await written([Buffer.from([0xff, 0x00, 0xc3]), " and the last line has no end"]);
  expect(read()).toBe("\xff\x00\xc3 and the last line has no end");
});

test("goes on behind what is there, for its user alone", async () => {
  await written(["one\n"]);
  await written([`two ${SECRET}\n`]);
  expect(read()).toBe(`one\ntwo ${MASK}\n`);
  if (process.platform !== "win32") expect(statSync(log).mode & 0o777).toBe(0o600);
});

test("a file that is full is kept as the older one, and no line is lost between them", async () => {
  const lines = Array.from({ length: 150 }, (_, line) => `line ${line} ${SECRET}\n`);
  await written(lines, 3_000);
  const both = read(`${log}.1`) + read();
  expect(both).toBe(lines.join("").replaceAll(SECRET, MASK));
  expect(statSync(`${log}.1`).size).toBeLessThan(3_100);
});

test("what cannot be written is told as soon as something can", async () => {
  const later = join(folder, "later", "a.log");
  const input = new PassThrough();
  const done = writeLog(input, later, []);
  input.write("lost\n");
  await new Promise((resolve) => setImmediate(resolve));
  mkdirSync(join(folder, "later"));
  input.write("kept\n");
  input.end();
  await done;
  expect(read(later)).toBe("(5 bytes could not be written here.)\nkept\n");
});
