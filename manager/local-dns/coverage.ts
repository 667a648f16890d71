/** Which domains lead to this machine. */
import { resolvesByItself } from "../session/urls.ts";
import { readJournal } from "./journal.ts";

/** Those of these domains that browsers would not find here: neither by themselves, nor by local DNS as it is installed. */
export async function uncovered(home: string, domains: readonly string[]): Promise<string[]> {
  const others = domains.filter((domain) => !resolvesByItself(domain));
  if (others.length === 0) return [];
  const installed = (await readJournal(home))?.domains ?? [];
  return others.filter((domain) => !installed.some((own) => domain === own || domain.endsWith(`.${own}`)));
}

/** True when names are answered by our DNS server, and not by a file. */
export async function needsDnsServer(home: string): Promise<boolean> {
  const journal = await readJournal(home);
  return journal !== undefined && journal.method !== "hosts-file";
}
