import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatText } from "../../../core/text.ts";
import type { Machine } from "../system/machine.ts";
import type { SystemCommand } from "../system/step.ts";
import { readJournal } from "./journal.ts";
import { installLocalDns, localDnsStatus, proposeLocalDns, uninstallLocalDns } from "./local-dns.ts";

/** A machine whose commands are only counted: what they do is shown in a namespace of its own. */
const machine: Machine = {
  platform: "linux",
  root: true,
  resolved: true,
  networkManagerDnsmasq: false,
  trust: [
    { program: "update-ca-certificates", directory: "/usr/local/share/ca-certificates", extension: "crt" },
  ],
  bundles: [],
  nss: [],
  newNss: undefined,
  wsl: false,
  certutil: false,
  firstFreePort: 0,
  exists: () => true,
  home: "/nowhere",
};

/** What takes the link back; the unit is disabled only where it is. */
const UNLINKED = ["rm", "systemctl"];

let home: string;
let ran: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "linkup-local-dns-"));
  ran = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const execute = async ({ argv }: SystemCommand) => void ran.push(argv[0]!);
const options = () => ({ home, machine, execute });

const install = async (domains: string[], how = options()) =>
  installLocalDns(await proposeLocalDns(domains, [], how), how);

test("a proposal changes nothing, not even the authority that is there", async () => {
  await proposeLocalDns(["example.com"], [], options());
  expect(readdirSync(home)).toEqual([]);
  await install(["example.com"]);
  const certificate = readFileSync(join(home, "certificates/authority.crt.pem"), "utf8");
  await proposeLocalDns(["other.test"], [], options());
  expect(readFileSync(join(home, "certificates/authority.crt.pem"), "utf8")).toBe(certificate);
});

test("the key is for its user alone, and the authority only for the domains", async () => {
  await install(["api.example.com", "Example.com", "shop.localhost"]);
  expect(await localDnsStatus(options())).toMatchObject({ domains: ["example.com"] });
  if (process.platform !== "win32") {
    expect(statSync(join(home, "certificates")).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, "certificates/authority.key.pem")).mode & 0o777).toBe(0o600);
  }
});

test("the same domains keep their authority, others get a new one", async () => {
  const certificate = () => readFileSync(join(home, "certificates/authority.crt.pem"), "utf8");
  await install(["example.com"]);
  const first = certificate();
  await install(["example.com"]);
  expect(certificate()).toBe(first);
  await install(["example.com", "other.test"]);
  expect(certificate()).not.toBe(first);
});

test("nothing but localhost needs no local DNS", async () => {
  await expect(proposeLocalDns(["shop.localhost"], [], options())).rejects.toThrow(/at least one domain/);
});

test("installed and uninstalled", async () => {
  await installLocalDns(await proposeLocalDns(["example.com"], [], options()), options());
  expect(ran).toEqual(["install", "systemctl", "systemctl", "install", "update-ca-certificates"]);
  expect(await localDnsStatus(options())).toMatchObject({ installed: true, domains: ["example.com"] });
  ran = [];
  await uninstallLocalDns(options());
  expect(ran).toEqual(["rm", "update-ca-certificates", ...UNLINKED]);
  expect(await localDnsStatus(options())).toMatchObject({ installed: false, authorityEnds: null });
  expect(existsSync(join(home, "certificates"))).toBe(false);
});

test("an installation that breaks off is undone as far as it came, and an undoing goes on where it broke off", async () => {
  const proposal = await proposeLocalDns(["example.com"], [], options());
  const breaking = async (command: SystemCommand) => {
    await execute(command);
    if (command.argv[0] === "systemctl") throw new Error("no systemd here");
  };
  await expect(installLocalDns(proposal, { ...options(), execute: breaking })).rejects.toThrow(
    "no systemd here",
  );
  expect((await readJournal(home))?.entries).toHaveLength(1);
  await expect(uninstallLocalDns({ ...options(), execute: breaking })).rejects.toThrow("no systemd here");
  ran = [];
  await uninstallLocalDns(options());
  expect(ran).toEqual(UNLINKED);
  expect(await readJournal(home)).toBeUndefined();
});

test("installing for other domains undoes what was there", async () => {
  await installLocalDns(await proposeLocalDns(["example.com"], [], options()), options());
  ran = [];
  await installLocalDns(await proposeLocalDns(["other.test"], [], options()), options());
  expect(ran.slice(0, 4)).toEqual(["rm", "update-ca-certificates", ...UNLINKED]);
  expect(await localDnsStatus(options())).toMatchObject({ domains: ["other.test"] });
});

test("Windows: outside an administrator's terminal it says so, and changes nothing", async () => {
  const windows = { ...machine, platform: "win32" as const, root: false, trust: [] };
  const proposal = await proposeLocalDns(["example.com"], [], { ...options(), machine: windows });
  expect(proposal.gaps.map((gap) => formatText(gap))).toEqual([
    expect.stringContaining("Run as administrator"),
  ]);
  await expect(installLocalDns(proposal, { ...options(), machine: windows })).rejects.toThrow(
    "Run as administrator",
  );
  expect(ran).toEqual([]);
  expect(readdirSync(home)).toEqual([]);
  const allowed = { ...options(), machine: { ...windows, root: true } };
  const again = await proposeLocalDns(["example.com"], [], allowed);
  expect(again.gaps).toEqual([]);
  await installLocalDns(again, allowed);
  expect(ran).toEqual(["powershell", "certutil"]);
});
