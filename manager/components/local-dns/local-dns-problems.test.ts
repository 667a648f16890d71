import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Config } from "../../../core/config/model/config-model.ts";
import { newRecord } from "../../model/records.ts";
import { emptyState, type SessionRecord } from "../../model/state.ts";
import { withHosts } from "./hosts-file.ts";
import { journalFile } from "./journal.ts";
import { localDnsProblems } from "./local-dns-problems.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20);

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "linkup-problems-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function config(...domains: string[]): Config {
  return {
    linkup: { worker_url: "http://127.0.0.1:8787", cache_routes: [] },
    services: [],
    domains: domains.map((domain) => ({ domain, default_service: "web", routes: [] })),
  };
}

function running(name: string, ...domains: string[]): SessionRecord {
  return newRecord("isolated", config(...domains), { name, desired: "running", local_server_hash: "x" });
}

function installed(method: string, more: { domains?: string[]; ends?: number } = {}): void {
  writeFileSync(
    journalFile(home),
    JSON.stringify({ version: 1, method, domains: ["example.com"], entries: [], ...more }),
  );
}

/** `code: message` of each. */
async function told(sessions: SessionRecord[], hosts = ""): Promise<string[]> {
  const file = join(home, "hosts");
  writeFileSync(file, hosts);
  const problems = await localDnsProblems(home, { ...emptyState(), sessions }, NOW, file);
  for (const { actions } of problems) expect(actions.every(({ terminal }) => terminal)).toBe(true);
  return problems.map(({ code, message }) => `${code}: ${message}`);
}

test("hosts that local DNS is not installed for are named, those under localhost are not", async () => {
  const session = running("slim-gecko", "example.com", "api.other.test", "shop.localhost");
  expect(await told([session])).toEqual([
    expect.stringMatching(
      /^no-local-dns: .*resolve slim-gecko\.example\.com, slim-gecko\.api\.other\.test, /,
    ),
  ]);
  installed("systemd-resolved");
  const [found, ...more] = await told([session]);
  expect(more).toEqual([]);
  expect(found).toMatch(/resolve slim-gecko\.api\.other\.test, /);
  expect(await told([{ ...session, desired: "stopped" }])).toEqual([
    expect.stringMatching(/^local-dns-idle/),
  ]);
});

test("while local DNS does not run, the domains lead nowhere, and it is said", async () => {
  installed("resolver-files");
  expect(await told([])).toEqual([
    expect.stringMatching(/^local-dns-idle: .*for example\.com but is not running/),
  ]);
  const preview = { ...running("fat-toad", "example.com"), kind: "preview" as const };
  expect(await told([preview])).toHaveLength(1);
  expect(await told([running("slim-gecko", "example.com")])).toEqual([]);
});

test("a hosts file that could not follow lists missing and stale names", async () => {
  installed("hosts-file");
  const session = running("slim-gecko", "example.com", "shop.localhost");
  expect(await told([session], withHosts("", ["slim-gecko.example.com"]))).toEqual([]);
  expect(await told([], "127.0.0.1 localhost\n")).toEqual([]);
  expect(await told([session], withHosts("", ["old.example.com"]))).toEqual([
    expect.stringMatching(
      /^hosts-file-outdated: .*lacks slim-gecko\.example\.com, .*still lists old\.example\.com,/,
    ),
  ]);
});

test("certificates that expire within a month are reported, and those that have expired", async () => {
  const session = running("slim-gecko", "example.com");
  installed("systemd-resolved", { ends: NOW + 31 * DAY_MS });
  expect(await told([session])).toEqual([]);
  installed("systemd-resolved", { ends: NOW + 29.5 * DAY_MS });
  expect(await told([session])).toEqual([
    expect.stringMatching(/^certificates-ending: .* expire in 29 days/),
  ]);
  installed("systemd-resolved", { ends: NOW - DAY_MS });
  expect(await told([session])).toEqual([expect.stringMatching(/^certificates-ending: .* have expired/)]);
});

test("a journal that cannot be read is a problem, not an end", async () => {
  writeFileSync(journalFile(home), '{"version": 9}');
  expect(await told([])).toEqual([expect.stringMatching(/^state-unusable: .*another version/)]);
});
