import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogTender } from "./log-tender.ts";

const SECRET = "s3cret-of-the-tunnel";
let folder: string;
let log: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linkup-logs-"));
  log = openSync(join(folder, "local-server.log"), "a", 0o600);
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name = "local-server.log") => readFileSync(join(folder, name), "utf8");
const write = (text: string) => writeSync(log, text);

test("secrets are overwritten while their writer goes on", async () => {
  const tender = new LogTender(folder);
  write(`one ${SECRET} and ${SECRET}\n`);
  await tender.tend([SECRET]);
  write(`two ${SECRET.slice(0, 8)}`);
  await tender.tend([SECRET]);
  write(`${SECRET.slice(8)}\nthree\n`);
  await tender.tend([SECRET]);
  const mask = "*".repeat(SECRET.length);
  expect(read()).toBe(`one ${mask} and ${mask}\ntwo ${mask}\nthree\n`);
});

test("a log that grew too long begins anew, in the same file, and the old one has no secret either", async () => {
  const tender = new LogTender(folder, 1_000);
  for (let line = 0; line < 100; line++) write(`${line} ${SECRET}\n`);
  await tender.tend([SECRET]);
  write(`after ${SECRET}\n`);
  await tender.tend([SECRET]);
  expect(read()).toBe(`after ${"*".repeat(SECRET.length)}\n`);
  expect(read("local-server.log.1")).toMatch(/^0 \*+\n(.+\n)*99 \*+\n$/);
  expect(read("local-server.log.1")).not.toContain(SECRET);
  if (process.platform !== "win32")
    expect(statSync(join(folder, "local-server.log.1")).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toHaveLength(2);
});

test("a log that was emptied by others is read from its start", async () => {
  const tender = new LogTender(folder);
  write("something long enough to be more than what comes later on, and then some more\n");
  await tender.tend([SECRET]);
  rmSync(join(folder, "local-server.log"));
  log = openSync(join(folder, "local-server.log"), "a", 0o600);
  write(`${SECRET}\n`);
  await tender.tend([SECRET]);
  expect(read()).toBe(`${"*".repeat(SECRET.length)}\n`);
});

test("the logs of cloudflared are their writer's", async () => {
  const text = `${SECRET}\n`.repeat(100);
  writeFileSync(join(folder, "cloudflared-a.log"), text);
  await new LogTender(folder, 1_000).tend([SECRET]);
  expect(read("cloudflared-a.log")).toBe(text);
});
