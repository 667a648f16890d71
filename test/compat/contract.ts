/**
 * Sections 3 to 5 of the contract, written once more from their text and from nothing of ours:
 * what the original decides for a request. Patterns are JavaScript's, so only plain ones may be used here.
 */

export interface ContractRewrite {
  source: string;
  target: string;
}

interface Service {
  name: string;
  location: string;
  rewrites?: ContractRewrite[] | null;
}

export interface ContractDomain {
  domain: string;
  default_service: string;
  routes?: { path: string; service: string }[] | null;
}

export interface ContractSession {
  services: Service[];
  domains: ContractDomain[];
  cache_routes?: string[] | null;
}

/** Header names are in lower case. */
export interface Request {
  host: string;
  target: string;
  headers: Readonly<Record<string, string | undefined>>;
}

export interface ContractTarget {
  service: string;
  origin: string;
  target: string;
  /** The domain that was found; undefined when the destination was named. */
  domain: string | undefined;
}

const bare = (host: string) => host.trim().toLowerCase().replace(/:\d+$/, "");

/** The host of a URL in a header; `null` (an opaque origin) and what is no URL have none. */
function hostOf(url: string | undefined): string | undefined {
  const [first = "", rest] = (url ?? "").split("://");
  if (rest !== undefined) return rest.split("/")[0];
  // A host counts without a scheme, too.
  return /^[\w-]+(\.[\w-]+)+\.?(:\d+)?(\/|$)/.test(first) ? first.split("/")[0] : undefined;
}

/** The hosts that a request names, in the order of the contract. */
function hostsOf({ host, headers }: Request): string[] {
  const named = [host, headers["x-forwarded-host"], hostOf(headers.referer), hostOf(headers.origin)];
  return named.filter((host) => host !== undefined && host !== "").map((host) => bare(host!));
}

function inTracestate(tracestate = ""): string | undefined {
  const pairs = tracestate.split(",").map((member) => member.trim().split("="));
  return pairs.find(([key]) => key === "linkup-session")?.[1];
}

/** Section 3: the first name that is known. */
export function sessionOf(request: Request, isKnown: (name: string) => boolean): string | undefined {
  const labels = hostsOf(request)
    .map((host) => host.split("."))
    // Two labels are enough for a session on the domain localhost: ours.
    .filter(({ length, ...labels }) => length >= 3 || (length === 2 && labels[1] === "localhost"))
    .map(([label]) => label!);
  const tracestate = inTracestate(request.headers.tracestate);
  return [...labels, ...(tracestate ? [tracestate] : [])].find(isKnown);
}

/** Section 4. */
export function targetOf(
  name: string,
  session: ContractSession,
  request: Request,
): ContractTarget | undefined {
  const service = (wanted: string) => session.services.find(({ name }) => name === wanted);
  const at = ({ name, location }: Service, target: string, domain?: string): ContractTarget => ({
    service: name,
    origin: new URL(location).origin,
    target,
    domain,
  });

  const destination = service(request.headers["linkup-destination"] ?? "");
  if (destination) return at(destination, request.target);

  const domains = hostsOf(request).map((host) =>
    host.startsWith(`${name}.`) ? host.slice(name.length + 1) : host,
  );
  const domain = domains
    .map((host) => session.domains.find(({ domain }) => domain === host))
    .find((found) => found);
  if (!domain) return undefined;

  const [path, ...query] = request.target.split("?");
  const route = (domain.routes ?? []).find(({ path: pattern }) => new RegExp(pattern).test(path!));
  const serving = service(route?.service ?? domain.default_service)!;
  const rewritten = (serving.rewrites ?? []).reduce(
    (path, { source, target }) => path.replaceAll(new RegExp(source, "g"), target),
    path!,
  );
  return at(serving, [rewritten, ...query].join("?"), domain.domain);
}

const hex = (digits: number) =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join("");

/** Section 5: the headers that a hop of the original adds. */
export function addedBy(name: string, target: ContractTarget, request: Request): Record<string, string> {
  const { headers } = request;
  const added: Record<string, string> = {};
  if (!headers.traceparent) added.traceparent = `00-${hex(32)}-${hex(16)}-00`;
  const member = `linkup-session=${name}`;
  if (!headers.tracestate) added.tracestate = member;
  else if (!headers.tracestate.includes(member)) added.tracestate = `${headers.tracestate},${member}`;
  if (!headers["linkup-destination"]) added["linkup-destination"] = target.service;
  if (!headers["x-forwarded-host"])
    added["x-forwarded-host"] = `${name}.${target.domain ?? bare(request.host)}`;
  return added;
}
