/** Which hosts lead to this machine. */

import type { SessionRecord } from "../../model/state.ts";
import { resolvesByItself } from "../../model/urls.ts";

/** Those of these domains that browsers would not find here: neither by themselves, nor by local DNS for `installed`. */
export function uncovered(domains: readonly string[], installed: readonly string[]): string[] {
  return domains.filter((domain) => !resolvesByItself(domain) && !isUnder(domain, installed));
}

/** The hosts of the sessions that the local server serves, as far as local DNS is installed for them. */
export function servedHosts(sessions: readonly SessionRecord[], installed: readonly string[]): string[] {
  return sessions.flatMap(({ name, config, served }) =>
    name === null || served === null
      ? []
      : config.domains
          .filter(({ domain }) => isUnder(domain, installed))
          .map(({ domain }) => `${name}.${domain}`.toLowerCase()),
  );
}

function isUnder(domain: string, installed: readonly string[]): boolean {
  const name = domain.toLowerCase();
  return installed.some((own) => name === own || name.endsWith(`.${own}`));
}
