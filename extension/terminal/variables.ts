/** Environment variables for terminals, as a pure function of the folder's session. */
import type { SessionView } from "../../manager/model/snapshot.ts";

/**
 * `LINKUP_SESSION`, `LINKUP_URL` (of the first domain), and the hosts that a Vite dev server should accept:
 * those below the first domain.
 */
export function terminalVariables(session: SessionView | undefined): Record<string, string> {
  const [url] = session?.urls ?? [];
  if (!session?.name || session.state !== "running" || !url) return {};
  const { hostname } = new URL(url);
  const domain = hostname.slice(hostname.indexOf("."));
  return {
    LINKUP_SESSION: session.name,
    LINKUP_URL: url,
    __VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS: domain,
  };
}
