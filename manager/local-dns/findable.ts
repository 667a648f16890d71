/** Do browsers find the sessions that are on this machine only? */
import { type Problem, problem } from "../problem.ts";
import { isWanted } from "../session/records.ts";
import type { SessionRecord } from "../state/state.ts";
import { uncovered } from "./coverage.ts";

/** So many hosts are named. */
const NAMED = 3;

/** A problem for each isolated session with hosts that browsers do not find: it runs, and its other hosts are found. */
export async function unfindable(home: string, sessions: readonly SessionRecord[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const record of sessions) {
    if (record.kind !== "isolated" || record.name === null || !isWanted(record)) continue;
    const lost = await uncovered(
      home,
      record.config.domains.map(({ domain }) => domain),
    );
    if (lost.length > 0) problems.push(notFound(lost.map((domain) => `${record.name}.${domain}`)));
  }
  return problems;
}

function notFound(hosts: readonly string[]): Problem {
  const more = hosts.length > NAMED ? ` and ${hosts.length - NAMED} more` : "";
  const named = `${hosts.slice(0, NAMED).join(", ")}${more}`;
  return problem(
    "no-local-dns",
    `Browsers on this machine will not find ${named}: local DNS is not installed for them. Requests to the local server's port with such a Host header are served; names under localhost work by themselves.`,
    [{ command: "installLocalDns", title: "Install Local DNS…", terminal: "linkup local-dns install" }],
  );
}
