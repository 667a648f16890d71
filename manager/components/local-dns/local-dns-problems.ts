/** Problems of local DNS, for the snapshot. */

import { readFile } from "node:fs/promises";
import { text } from "../../../core/text.ts";
import { isRunning } from "../../../node/process-identity.ts";
import { type Problem, problem, problemOf } from "../../model/problem.ts";
import { isDesired, needsThisMachine } from "../../model/records.ts";
import type { SessionRecord, State } from "../../model/state.ts";
import { servedHosts, uncoveredDomains } from "./coverage.ts";
import { HOSTS_FILE, hostsIn } from "./hosts-file.ts";
import { type Journal, readJournal } from "./journal.ts";

/** How many hosts a message lists. */
const MAX_LISTED_HOSTS = 3;
const DAY_MS = 86_400_000;
/** How long before the certificates expire the problem is reported. */
const EXPIRY_WARNING_MS = 30 * DAY_MS;

const install = {
  command: "installLocalDns",
  title: "Install Local DNS…",
  terminal: "linkup local-dns install",
};
const uninstall = {
  command: "uninstallLocalDns",
  title: "Uninstall Local DNS…",
  terminal: "linkup local-dns uninstall",
};
const start = { command: "start", title: "Start", terminal: "linkup start" };

/** The problems of this home's local DNS. `now`: milliseconds since the epoch. Rejects when the hosts file cannot be read. */
export async function localDnsProblems(
  home: string,
  { sessions, local_dns }: Pick<State, "sessions" | "local_dns">,
  now = Date.now(),
  hostsFile = HOSTS_FILE,
): Promise<Problem[]> {
  let journal: Journal | undefined;
  try {
    journal = await readJournal(home);
  } catch (error) {
    return [problemOf(error, "state-unusable")];
  }
  const wanted = sessions.filter(isDesired);
  const problems = wanted.flatMap((record) => unfindable(record, journal?.domains ?? []));
  if (!journal) return problems;
  if (journal.method === "hosts-file")
    problems.push(...outdatedHosts(await readFile(hostsFile, "utf8"), journal, wanted));
  else if (!wanted.some(needsThisMachine) && !local_dns.problem && !(await runs(local_dns)))
    problems.push(idle(journal));
  if (journal.ends !== undefined && journal.ends - now < EXPIRY_WARNING_MS)
    problems.push(ending(journal.ends, now));
  return problems;
}

/** An isolated session with hosts that browsers cannot resolve. */
function unfindable({ kind, name, config }: SessionRecord, installed: readonly string[]): Problem[] {
  if (kind !== "isolated" || name === null) return [];
  const lost = uncoveredDomains(
    config.domains.map(({ domain }) => domain),
    installed,
  );
  if (lost.length === 0) return [];
  const hosts = listed(lost.map((domain) => `${name}.${domain}`));
  const message = text(
    "Browsers on this machine cannot resolve {0}, because local DNS is not installed for these names. Requests to the local server's port with such a Host header are served; names under localhost need no local DNS.",
    hosts,
  );
  return [problem("no-local-dns", message, [install])];
}

/** The hosts file lists other sessions than those that run, because this user may not write it. */
function outdatedHosts(content: string, { domains }: Journal, wanted: readonly SessionRecord[]): Problem[] {
  const written = hostsIn(content);
  const hosts = servedHosts(wanted, domains);
  const missing = hosts.filter((host) => !written.includes(host));
  const stale = written.filter((host) => !hosts.includes(host));
  if (missing.length + stale.length === 0) return [];
  const found = [
    ...(missing.length > 0 ? [`It lacks ${listed(missing)}, so that browsers do not find them here.`] : []),
    ...(stale.length > 0 ? [`It still lists ${listed(stale)}, whose sessions have ended.`] : []),
  ].join(" ");
  const message = text(
    "{0} lists the sessions' host names one by one, and only an administrator can change it. {1}",
    HOSTS_FILE,
    found,
  );
  return [problem("hosts-file-outdated", message, [install])];
}

async function runs({ process }: State["local_dns"]): Promise<boolean> {
  return process !== null && isRunning(process);
}

/** The resolver sends our domains to local DNS only, so they do not resolve while it is stopped. */
function idle({ domains }: Journal): Problem {
  const message = text(
    "Local DNS is installed for {0} but is not running, so names under these domains do not resolve on this machine. It starts with a session, or with a VS Code window that has a linkup.yaml, and then keeps running.",
    domains.join(", "),
  );
  return problem("local-dns-idle", message, [start, uninstall]);
}

function ending(ends: number, now: number): Problem {
  const days = Math.floor((ends - now) / DAY_MS);
  const message =
    days < 0
      ? text(
          "The certificates of local DNS have expired. Install it again to create new ones, valid for three years.",
        )
      : text(
          "The certificates of local DNS expire in {0} days. Install it again to create new ones, valid for three years.",
          days,
        );
  return problem("certificates-ending", message, [install]);
}

function listed(hosts: readonly string[]): string {
  const more = hosts.length > MAX_LISTED_HOSTS ? ` and ${hosts.length - MAX_LISTED_HOSTS} more` : "";
  return `${hosts.slice(0, MAX_LISTED_HOSTS).join(", ")}${more}`;
}
