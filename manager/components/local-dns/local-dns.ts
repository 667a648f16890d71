/** Installs, uninstalls and inspects local DNS and its certificates, the only part of Linkup that changes the system. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refusedDomainError } from "../../../core/session/domain-name.ts";
import { hostname } from "../../../core/session/host-name.ts";
import { formatText, type Text, text } from "../../../core/text.ts";
import { LinkupError } from "../../model/problem.ts";
import {
  type ProposedAuthority,
  proposeAuthority,
  readAuthority,
  removeAuthority,
  writeAuthority,
} from "../certificates/authority-files.ts";
import { planTrust, trustGaps } from "../certificates/trust.ts";
import { inspectMachine, type Machine, run } from "../system/machine.ts";
import {
  asAdministrator,
  asText,
  type SystemCommand,
  type SystemStep,
  type UndoStep,
} from "../system/step.ts";
import { systemChanges } from "./changes.ts";
import { HOSTS_FILE, withHosts, withoutHosts } from "./hosts-file.ts";
import { type Journal, readJournal, removeJournal, writeJournal } from "./journal.ts";
import { chooseMethod, type Method, planNames, planPorts, type StagedFile } from "./name-plan.ts";

/** Labels of letters, digits and hyphens, as they stand in DNS. */
const HOST_NAME = /^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))+$/;

export interface LocalDnsOptions {
  /** The state folder. */
  home: string;
  machine?: Machine;
  /** Runs one command, through sudo when it needs an administrator. Rejects when it fails. Default: without a terminal. */
  execute?: (command: SystemCommand) => Promise<unknown>;
}

export interface LocalDnsProposal {
  domains: string[];
  method: Method;
  steps: SystemStep[];
  /** The commands in order, as typed in a terminal. */
  commands: string[];
  /** What is not possible on this machine, and what would help. */
  gaps: Text[];
  staged: StagedFile[];
  authority: ProposedAuthority;
}

/**
 * Plans an installation for these domains. Changes nothing.
 * `hosts`: host names of running sessions, for machines that can only use a hosts file.
 */
export async function proposeLocalDns(
  domains: string[],
  hosts: string[],
  { home, machine = inspectMachine() }: LocalDnsOptions,
): Promise<LocalDnsProposal> {
  const wanted = outermost(domains);
  if (wanted.length === 0)
    throw new LinkupError(
      "local-dns-needless",
      text(
        "Local DNS needs at least one domain outside localhost; browsers resolve names under localhost themselves.",
      ),
    );
  assertInstallable(wanted);
  const staging = join(home, "staged");
  const authority = await proposeAuthority(home, wanted);
  const names = planNames(machine, wanted, hosts, staging);
  const ports = planPorts(machine, staging);
  const steps = [...names.steps, ...ports.steps, ...planTrust(machine, authority.file, authority.facts)];
  return {
    domains: wanted,
    method: names.method,
    steps,
    commands: steps.flatMap(({ commands }) => commands.map((command) => asText(command, machine))),
    gaps: [...rightsGaps(machine), ...trustGaps(machine)],
    staged: [...names.staged, ...ports.staged],
    authority,
  };
}

/** Carries out a proposal, after undoing an earlier installation. */
export async function installLocalDns(proposal: LocalDnsProposal, options: LocalDnsOptions): Promise<void> {
  const { home, machine = inspectMachine(), execute = executor(machine) } = options;
  mustBeAllowed(machine);
  const before = await readJournal(home);
  if (before) await undoAll(home, before, execute);

  const { domains, method, steps, staged, authority } = proposal;
  if (authority.identity) await writeAuthority(home, authority.identity);
  const staging = join(home, "staged");
  await mkdir(staging, { recursive: true, mode: 0o700 });
  for (const { name, content } of staged) {
    const hosts =
      name === "hosts"
        ? withHosts(await readFile(HOSTS_FILE, "utf8"), content.split("\n").filter(Boolean))
        : content;
    await writeFile(join(staging, name), hosts, { mode: 0o644 });
  }
  const journal: Journal = { version: 1, domains, method, ends: authority.facts.notAfter, entries: [] };
  for (const { title, commands, undo } of steps) {
    journal.entries.push({ title, undo });
    await writeJournal(home, journal);
    for (const command of commands) await execute(command);
  }
  await rm(staging, { recursive: true, force: true });
}

/** Undoes every change; does nothing without an installation. Rejects at the first command that fails; a second call continues there. */
export async function uninstallLocalDns(options: LocalDnsOptions): Promise<void> {
  const { home, machine = inspectMachine(), execute = executor(machine) } = options;
  const journal = await readJournal(home);
  if (journal) {
    mustBeAllowed(machine);
    await undoAll(home, journal, execute);
  }
  await removeAuthority(home);
}

/** The commands that `uninstallLocalDns` would run, as typed in a terminal. */
export async function proposeUninstall({ home, machine }: LocalDnsOptions): Promise<string[]> {
  return (await systemChanges(home, machine)).flatMap(({ commands }) => commands);
}

export interface LocalDnsStatus {
  installed: boolean;
  method: Method;
  domains: string[];
  /** When the authority expires. Milliseconds since the epoch; null without an authority. */
  authorityEnds: number | null;
  gaps: Text[];
}

export async function localDnsStatus({
  home,
  machine = inspectMachine(),
}: LocalDnsOptions): Promise<LocalDnsStatus> {
  const journal = await readJournal(home);
  const authority = await readAuthority(home);
  return {
    installed: journal !== undefined,
    method: (journal?.method as Method | undefined) ?? chooseMethod(machine),
    domains: journal?.domains ?? [],
    authorityEnds: authority?.facts.notAfter ?? null,
    gaps: trustGaps(machine),
  };
}

/** Undoes in reverse order, and drops each entry from the journal once it is undone. */
async function undoAll(
  home: string,
  journal: Journal,
  execute: NonNullable<LocalDnsOptions["execute"]>,
): Promise<void> {
  while (journal.entries.length > 0) {
    for (const undo of journal.entries.at(-1)!.undo) await undoOne(home, undo, execute);
    journal.entries.pop();
    await writeJournal(home, journal);
  }
  await removeJournal(home);
}

async function undoOne(
  home: string,
  undo: UndoStep,
  execute: NonNullable<LocalDnsOptions["execute"]>,
): Promise<void> {
  if ("argv" in undo) {
    if (await isNeeded(undo)) await execute(undo);
    return;
  }
  const text = await readFile(undo.hostsFile, "utf8");
  const restored = withoutHosts(text);
  if (restored === text) return;
  const staged = join(home, "hosts");
  await writeFile(staged, restored);
  await execute(asAdministrator("cp", staged, undo.hostsFile));
  await rm(staged);
}

/**
 * The names become paths, lines of a unit and parts of commands, and an authority for a public suffix could vouch for
 * everybody's sites: they are checked here too, whatever the file's own check has said. Throws a LinkupError.
 */
function assertInstallable(domains: string[]): void {
  for (const domain of domains) {
    const error = HOST_NAME.test(domain)
      ? refusedDomainError(domain)
      : `${JSON.stringify(domain)} is not a host name.`;
    if (error !== undefined) throw new LinkupError("domain-refused", error);
  }
}

/** Windows has no sudo on every machine, so the whole terminal has to be elevated. */
function rightsGaps({ platform, root }: Machine): Text[] {
  if (platform !== "win32" || root) return [];
  return [
    text(
      "Windows lets only an administrator change rules for names: start a terminal by “Run as administrator”, and run this command there.",
    ),
  ];
}

/** Called before any change. Throws an Error that says what to do. */
function mustBeAllowed(machine: Machine): void {
  const [gap] = rightsGaps(machine);
  if (gap !== undefined) throw new Error(formatText(gap));
}

/** False for what was never done, or is undone already. */
function isNeeded({ when, whenPrints = "" }: SystemCommand): Promise<boolean> {
  if (when === undefined) return Promise.resolve(true);
  return run(when).then(
    (output) => output.includes(whenPrints),
    () => false,
  );
}

function executor(machine: Machine) {
  return ({ argv, admin }: SystemCommand) =>
    run(admin && !machine.root && machine.platform !== "win32" ? ["sudo", ...argv] : argv);
}

/** Drops domains below another one of the list, and those that browsers resolve by themselves. */
function outermost(domains: string[]): string[] {
  const all = [...new Set(domains.map(hostname))].filter(
    (domain) => domain !== "localhost" && !domain.endsWith(".localhost"),
  );
  return all.filter((domain) => !all.some((other) => domain.endsWith(`.${other}`))).sort();
}
