/** Checks of local DNS, through the operating system's resolver, and of its certificates. */

import { lookup } from "node:dns/promises";
import { text } from "../../core/text.ts";
import { unreadableAuthorities } from "../components/certificates/authority-files.ts";
import { checkTrustStores, type StoreTrust } from "../components/certificates/verify.ts";
import { localDnsStatus } from "../components/local-dns/local-dns.ts";
import { inspectMachine } from "../components/system/machine.ts";
import type { SessionView } from "../model/snapshot.ts";
import { resolvesByItself } from "../model/urls.ts";
import { broken, type DoctorCheck, ok, warning } from "./report.ts";

const install = {
  command: "installLocalDns",
  title: "Install Local DNS…",
  terminal: "linkup local-dns install",
};

export async function checkLocalDns(home: string, sessions: readonly SessionView[]): Promise<DoctorCheck[]> {
  const machine = inspectMachine();
  const { installed, domains, gaps } = await localDnsStatus({ home, machine });
  // Reading the authority for the status moves an invalid one away.
  const unreadable = (await unreadableAuthorities(home)).map((file) =>
    warning("certificates", text("The certificate authority could not be read. It is kept as {0}.", file), {
      fixes: [install],
    }),
  );
  if (!installed) return [...unreadable, ...notInstalled(sessions)];
  const hosts = sessions
    .filter(({ state }) => state === "running")
    .flatMap(({ urls }) => urls.map((url) => new URL(url).hostname))
    .filter((host) => !resolvesByItself(host));
  const checks = await Promise.all(hosts.map(checkName));
  if (hosts.length === 0) checks.push(ok("local-dns", text("Installed for {0}.", domains.join(", "))));
  const results = await checkTrustStores(home, machine);
  return [
    ...unreadable,
    ...checks,
    ...results.map(certificateCheck),
    ...gaps.map((gap) => warning("certificates", gap)),
  ];
}

/** Sessions with a public URL and domains below localhost do without; of others the snapshot has a problem. */
function notInstalled(sessions: readonly SessionView[]): DoctorCheck[] {
  const isNeeded = sessions.some(
    ({ state, kind, urls }) =>
      state === "running" &&
      kind === "isolated" &&
      urls.some((url) => !resolvesByItself(new URL(url).hostname)),
  );
  return isNeeded ? [] : [ok("local-dns", text("Not installed. No session needs it."))];
}

function certificateCheck({ store, refusal }: StoreTrust): DoctorCheck {
  if (refusal === undefined)
    return ok("certificates", text("It trusts the certificates of the local server."), { subject: store });
  return broken("certificates", text("It refuses the certificates of the local server: {0}.", refusal), {
    subject: store,
    code: "certificates-untrusted",
    fixes: [install],
  });
}

/** Uses the operating system's resolver, like every program here. */
async function checkName(host: string): Promise<DoctorCheck> {
  try {
    const { address } = await lookup(host);
    if (address === "127.0.0.1" || address === "::1")
      return ok("local-dns", text("It resolves to this machine."), { subject: host });
    return broken("local-dns", text("It resolves to {0}, not to this machine.", address), {
      subject: host,
      fixes: [install],
    });
  } catch (error) {
    return broken("local-dns", text("It does not resolve: {0}.", (error as Error).message), {
      subject: host,
      fixes: [install],
    });
  }
}
