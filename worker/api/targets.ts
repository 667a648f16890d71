/** Restricts the locations of services (SSRF): the Worker must not open private networks to its users. */
import { httpOrigin, type Session } from "../../core/session/session-document.ts";
import { goesThroughTunnel } from "../objects/locality.ts";
import { isNoTunnelLocation } from "../objects/resolved-session.ts";

/** The problems of all services' locations, with their paths in the document. `ownHost`: where the API is served. */
export function locationProblems(session: Session, ownHost: string, direct: boolean): string[] {
  return session.services.flatMap(({ name, location }, index) => {
    const problem = locationProblem(session, location, ownHost, direct);
    return problem ? [`services[${index}].location: ${location} (service "${name}") ${problem}`] : [];
  });
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
  if (!direct && isPrivate(hostname))
    return "is a private address, to which Linkup's Worker does not send requests";
  return undefined;
}

/** Host names that only resolve inside a private network. */
const PRIVATE_NAMES =
  /(^|\.)(internal|local|localdomain|localhost|lan|home|corp|intranet|private|home\.arpa)$/;

/** True for addresses and names of private networks. `hostname` is as the URL standard serialises it. */
export function isPrivate(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "");
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  const octets = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (octets) return isPrivateV4(octets);
  return !name.includes(".") || PRIVATE_NAMES.test(name);
}

/** The ranges of IANA's special-purpose registry that are not globally reachable. */
function isPrivateV4([a = 0, b = 0, c = 0]: number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113) ||
    a >= 224
  );
}

/** Only 2000::/3 is global, without the ranges that embed an IPv4 address or are for documentation. */
function isPrivateV6(address: string): boolean {
  const first = Number.parseInt(address.split(":")[0] || "0", 16);
  const second = Number.parseInt(address.split(":")[1] || "0", 16);
  if (first < 0x2000 || first > 0x3fff) return true;
  return first === 0x2002 || (first === 0x2001 && (second === 0 || second === 0xdb8));
}
