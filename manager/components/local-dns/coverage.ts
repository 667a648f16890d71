/** Which hosts resolve to this machine. */

import type { SessionRecord } from "../../model/state.ts";
import { resolvesByItself } from "../../model/urls.ts";

/** The domains that browsers do not resolve to this machine, neither by themselves nor through local DNS for `installed`. */
export function uncoveredDomains(domains: readonly string[], installed: readonly string[]): string[] {
  return domains.filter((domain) => !resolvesByItself(domain) && !isUnder(domain, installed));
}

/** Hosts of the sessions that the local server serves, limited to domains with local DNS installed. */
export function servedHosts(sessions: readonly SessionRecord[], installed: readonly string[]): string[] {
  return sessions.flatMap(({ name, config, local_server_hash }) =>
    name === null || local_server_hash === null
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
