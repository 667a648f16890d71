import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nssDatabases } from "./machine.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "linkup-nss-"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** What a home has, and which of it are NSS databases that browsers read. Chromium's were measured with version 156. */
describe("the NSS databases of a home", () => {
  test.each([
    [[".local/share/pki/nssdb"], {}, [".local/share/pki/nssdb"]],
    [[".pki/nssdb"], {}, [".pki/nssdb"]],
    [[".pki/nssdb", ".local/share/pki/nssdb"], {}, [".pki/nssdb", ".local/share/pki/nssdb"]],
    [["data/pki/nssdb"], { XDG_DATA_HOME: "data" }, ["data/pki/nssdb"]],
    [[".local/share/pki/nssdb"], { XDG_DATA_HOME: "data" }, []],
    [[".mozilla/firefox/ab.default"], {}, [".mozilla/firefox/ab.default"]],
    [
      [".config/mozilla/firefox/ab.default", "snap/chromium/current/.pki/nssdb"],
      {},
      ["snap/chromium/current/.pki/nssdb", ".config/mozilla/firefox/ab.default"],
    ],
    [[], {}, []],
  ])("%j with %j", (databases, variables: { XDG_DATA_HOME?: string }, expected) => {
    for (const database of databases) {
      const file = join(home, database, "cert9.db");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "");
    }
    const env = Object.fromEntries(Object.entries(variables).map(([name, path]) => [name, join(home, path)]));
    expect(nssDatabases(home, env)).toEqual(expected.map((database) => join(home, database)));
  });
});
