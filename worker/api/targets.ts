/** Restricts the locations of services (SSRF): the Worker must not open private networks to its users. */
import { isPrivateHost } from "../../core/session/host-name.ts";
import { httpOrigin, type Session } from "../../core/session/session-document.ts";
import { goesThroughTunnel } from "../objects/locality.ts";
import { isNoTunnelLocation } from "../objects/resolved-session.ts";

/** The problems of all locations, with their paths in the document. `ownHost`: where the API is served. */
export function locationProblems(session: Session, ownHost: string, direct: boolean): string[] {
  const problemAt = (location: string, at: string, what: string) => {
    const problem = locationProblem(session, location, ownHost, direct);
    return problem ? [`${at}.location: ${location} (${what}) ${problem}`] : [];
  };
  return [
    ...session.services.flatMap(({ name, location }, index) =>
      problemAt(location, `services[${index}]`, `service "${name}"`),
    ),
    ...(session.overrides ?? []).flatMap(({ name, location }, index) =>
      location === undefined ? [] : problemAt(location, `overrides[${index}]`, `override "${name}"`),
    ),
  ];
}

function locationProblem(
  session: Session,
  location: string,
  ownHost: string,
  direct: boolean,
): string | undefined {
  if (goesThroughTunnel(location, direct)) {
    return session.kind === "preview"
      ? "is on this machine, which a preview session cannot reach"
      : undefined;
  }
  if (isNoTunnelLocation(location)) return undefined;
  const origin = httpOrigin(location);
  // The proxy fetches the origin, so that is what has to be checked.
  if (origin === undefined || !URL.canParse(origin)) return "has no host";
  const { hostname, host } = new URL(origin);
  if (host === ownHost) return "is the address of Linkup's Worker itself";
  // With `direct` every service is on a private address.
  if (!direct && isPrivateHost(hostname))
    return "is a private address, to which Linkup's Worker does not send requests";
  return undefined;
}
