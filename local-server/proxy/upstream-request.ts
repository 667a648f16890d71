/** The head of a request as its service gets it. */

import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { isSessionOrigin } from "../../core/routing/cors.ts";
import { destinationOf } from "../../core/routing/destination.ts";
import { type ClientAddress, clientAddress, forwardedHeaders } from "../../core/routing/forwarded.ts";
import {
  addedHeaders,
  DESTINATION_PROOF_HEADER,
  HOP_BY_HOP,
  HOP_ID_HEADER,
  HOPS_HEADER,
  hopsOf,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import type { Listener } from "../../core/routing/request-decision.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { withoutLinkupCookies } from "../../core/routing/session-cookie.ts";
import { TARGET_SESSION_HEADER } from "../../core/routing/session-target.ts";
import { isTraceparent, newTraceparent } from "../../core/routing/trace-context.ts";
import { isH2c } from "../../core/session/host-name.ts";
import {
  type Domain,
  isLocal,
  needsOwnerMachine,
  type Service,
} from "../../core/session/session-document.ts";
import type { ClientHead } from "../downstream/client.ts";
import { connectionNames, type Fields, HeaderLines } from "../http/fields.ts";
import type { Served } from "../served-sessions.ts";
import type { UpstreamRequest } from "../upstream/upstream-stream.ts";
import { destinationProof } from "./destination-proof.ts";
import { ownerProof } from "./owner-proof.ts";

/** How a request came, beside its head. */
export interface RequestContext {
  listener: Listener;
  /** The ports at which pages of sessions are served here. */
  pagePorts: readonly number[];
}

export interface ServiceRequest extends UpstreamRequest {
  /** The address that the client used at the first hop. */
  client: ClientAddress;
  /** The override that acts. */
  override: string | undefined;
  /** The value of `x-forwarded-host`. */
  forwardedHost: string;
  /** The `Host` that the service sees instead of the client's. */
  rewrittenHost: string | undefined;
  /** The `Origin` that the service sees instead of the client's. */
  origins: { client: string; service: string } | undefined;
}

export function serviceRequest(
  head: ClientHead,
  served: Served,
  decision: Routed,
  arrival: RequestContext,
): ServiceRequest {
  const { fields, method, upgrade, hasBody } = head;
  const given = fields.get("traceparent");
  const isTraced = isTraceparent(given);
  const proof = ownerProof(served, arrival.listener, head);
  let lasting = fields.derived.forService as LastingHead | undefined;
  if (!lasting?.isFor(head, served, decision, arrival, isTraced, proof)) {
    lasting = new LastingHead(head, served, decision, arrival, isTraced, proof);
    fields.derived.forService = lasting;
  }
  return {
    origin: lasting.origin,
    h2c: lasting.h2c,
    method,
    target: decision.target,
    host: lasting.host,
    lines: lasting.lines,
    traceparent: isTraced ? given : newTraceparent(),
    hop: undefined,
    acceptsTrailers: lasting.acceptsTrailers,
    trailer: hasBody ? fields.get("trailer") : undefined,
    upgrade,
    body: bodyOf(head),
    client: lasting.client,
    override: decision.override,
    forwardedHost: lasting.forwardedHost,
    rewrittenHost: lasting.rewrittenHost,
    origins: lasting.origins,
  };
}

/** What requests with the same lines for the same service have in common: browsers send nearly the same with each. */
class LastingHead {
  readonly origin: string;
  readonly h2c: boolean;
  readonly host: string;
  readonly lines: HeaderLines;
  readonly acceptsTrailers: boolean;
  readonly client: ClientAddress;
  readonly forwardedHost: string;
  readonly rewrittenHost: string | undefined;
  readonly origins: ServiceRequest["origins"];
  readonly #served: Served;
  readonly #service: Service;
  readonly #arrival: RequestContext;
  readonly #requestedHost: string;
  readonly #secure: boolean;
  readonly #domain: Domain | undefined;
  readonly #source: string | undefined;
  readonly #reason: string;
  readonly #override: string | undefined;
  readonly #isTraced: boolean;
  readonly #proof: string | undefined;

  constructor(
    head: ClientHead,
    served: Served,
    decision: Routed,
    arrival: RequestContext,
    isTraced: boolean,
    proof: string | undefined,
  ) {
    this.#served = served;
    this.#service = decision.service;
    this.#arrival = arrival;
    this.#requestedHost = head.host;
    this.#secure = head.secure;
    this.#domain = decision.match?.domain;
    this.#source = decision.match?.source;
    this.#reason = decision.reason.by;
    this.#override = decision.override;
    this.#isTraced = isTraced;
    this.#proof = proof;

    const { fields } = head;
    const { name, session } = served;
    const { service, origin } = decision;
    const { listener, pagePorts } = arrival;
    const client = addressOf(head, listener);
    const isPage = (url: string | undefined) => isSessionOrigin(name, session, url, { client, pagePorts });
    // Through the Worker, which then asks the service.
    const isElsewhere = service.session !== undefined;
    const rewritten = needsOwnerMachine(service.location) && !service.preserve_host && !isElsewhere;
    const host =
      service.preserve_host && !isElsewhere
        ? publicHost(head, decision)
        : origin.slice(origin.indexOf("//") + 2);

    const sent = isElsewhere ? actedUpon(decision) : decision;
    const added = addedHeaders(name, session, sent, head, proof);
    const forwardedHost =
      added.find(([header]) => header === "x-forwarded-host")?.[1] ?? fields.get("x-forwarded-host")!;
    const clientOrigin = rewritten ? fields.get("origin") : undefined;
    const origins =
      clientOrigin !== undefined && isPage(clientOrigin)
        ? { client: clientOrigin, service: serverActionOrigin(clientOrigin, fields, forwardedHost) ?? origin }
        : undefined;
    added.push([HOPS_HEADER, String(hopsOf(head) + 1)]);
    if (listener === "browser" && hopsOf(head) === 0)
      // A proxy in front of Linkup knows the scheme better.
      for (const [header, value] of forwardedHeaders(forwardedHost, client))
        if (header !== "x-forwarded-proto" || !fields.has(header)) added.push([header, value]);
    if (served.originSecret !== null && (isElsewhere || !isLocal(service.location)))
      added.push([DESTINATION_PROOF_HEADER, destinationProof(served, destinationOf(service.name))]);
    const referer = rewritten ? serviceReferer(fields, origin, isPage) : undefined;

    this.origin = origin;
    this.h2c = isH2c(service.location);
    this.host = host;
    this.lines = linesOf(fields, added, { origin: origins?.service, referer });
    this.acceptsTrailers = acceptsTrailers(fields);
    this.client = client;
    this.forwardedHost = forwardedHost;
    this.rewrittenHost = rewritten ? host : undefined;
    this.origins = origins;
  }

  /** True when it would be made the same of these. */
  isFor(
    head: ClientHead,
    served: Served,
    { service, origin, match, reason, override }: Routed,
    arrival: RequestContext,
    isTraced: boolean,
    proof: string | undefined,
  ): boolean {
    return (
      this.#served === served &&
      this.#service === service &&
      this.origin === origin &&
      this.#arrival === arrival &&
      this.#requestedHost === head.host &&
      this.#secure === head.secure &&
      this.#domain === match?.domain &&
      this.#source === match?.source &&
      this.#reason === reason.by &&
      this.#override === override &&
      this.#isTraced === isTraced &&
      this.#proof === proof
    );
  }
}

/** A fault has acted here: named again, the Worker would send the request back to it. */
function actedUpon({ override, ...decision }: Routed): Routed {
  return decision;
}

/** The address that the client used: through the tunnel the Worker tells it. */
function addressOf(head: ClientHead, listener: Listener): ClientAddress {
  if (listener === "browser") return clientAddress(head.secure ? "https" : "http", head.host);
  const scheme = head.header("x-forwarded-proto") === "http" ? "http" : "https";
  const port = Number(head.header("x-forwarded-port"));
  return port > 0 ? { scheme, port } : clientAddress(scheme, "");
}

/**
 * The page's URL with the service's own origin: like `Origin`, `Referer` is compared with `Host` (by Next.js since 16 for
 * scripts, by Django's CSRF check). Undefined when there is nothing to replace.
 */
function serviceReferer(
  fields: Fields,
  origin: string,
  isPage: (url: string) => boolean,
): string | undefined {
  const referer = fields.get("referer");
  const page = referer && /^https?:\/\/[^/?#]+/i.exec(referer)?.[0];
  return page && isPage(page) ? origin + referer.slice(page.length) : undefined;
}

/** What `Sec-Fetch-Site` says of a page whose `Origin` and `Referer` name the service: Astro refuses any other one. */
function sameOrigin(site: string): string {
  return site === "cross-site" || site === "same-site" ? "same-origin" : site;
}

/** For a public origin (`https://host:port`): unchanged, but for the hop count that ends loops. */
export function publicOriginRequest(client: ClientHead, origin: string): UpstreamRequest {
  const { fields, method, target, host, hasBody, upgrade } = client;
  return {
    origin,
    h2c: false,
    method,
    target,
    host,
    lines: linesOf(fields, [[HOPS_HEADER, String(hopsOf(client) + 1)]], {}),
    traceparent: undefined,
    hop: undefined,
    acceptsTrailers: acceptsTrailers(fields),
    trailer: hasBody ? fields.get("trailer") : undefined,
    upgrade,
    body: bodyOf(client),
  };
}

function bodyOf({ hasBody, fields }: ClientHead): UpstreamRequest["body"] {
  return !hasBody ? "none" : fields.has("content-length") ? "of known length" : "chunked";
}

/** The only kind of TE that a proxy may ask for is the one whose trailers it forwards. */
function acceptsTrailers(fields: Fields): boolean {
  return fields.has("te") && fields.list("te").includes("trailers");
}

/** What the service sees instead of the client's. */
interface Replaced {
  origin?: string | undefined;
  referer?: string | undefined;
}

/** `added`: lower-case name and value; they replace the client's lines of that name. */
function linesOf(fields: Fields, added: [string, string][], replaced: Replaced): HeaderLines {
  const overridden = added.map(([name]) => name);
  const lines = [...keptLines(fields, overridden, replaced), ...added.flat()];
  const at = lines.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === "traceparent");
  return new HeaderLines(lines, at === -1 ? undefined : at + 1);
}

/** The client's end-to-end lines without those that the proxy writes itself, and with its cookies in one line. */
function keptLines(fields: Fields, overridden: string[], replaced: Replaced): string[] {
  const asOwnPage = replaced[fields.has("origin") ? "origin" : "referer"] !== undefined;
  const hopByHop = connectionNames(fields);
  const lines: string[] = [];
  for (let i = 0; i < fields.names.length; i++) {
    const lower = fields.names[i]!;
    if (DROPPED.has(lower) || hopByHop.has(lower) || overridden.includes(lower)) continue;
    const own = fields.raw[2 * i + 1]!;
    let value: string | undefined;
    if (lower === "origin" || lower === "referer") value = replaced[lower];
    else if (lower === "sec-fetch-site" && asOwnPage) value = sameOrigin(own);
    lines.push(fields.raw[2 * i]!, value ?? own);
  }
  const cookies = joinedCookies(fields);
  const kept = cookies === undefined ? null : withoutLinkupCookies(cookies);
  if (kept !== null) lines.push("Cookie", kept);
  return lines;
}

/**
 * Next.js refuses a Server Action unless its `Origin` has the host of `x-forwarded-host`, port included; everything
 * else compares it with `Host`. Undefined for other requests.
 */
function serverActionOrigin(client: string, fields: Fields, forwardedHost: string): string | undefined {
  if (!fields.has("next-action")) return undefined;
  const [host] = forwardedHost.split(",", 1);
  return host && client.slice(0, client.indexOf("//") + 2) + host.trim();
}

/** Left out, or written anew. */
const DROPPED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "host",
  "cookie",
  ACCESS_HEADER,
  ORIGIN_SECRET_HEADER,
  DESTINATION_PROOF_HEADER,
  HOP_ID_HEADER,
  TARGET_SESSION_HEADER,
  OVERRIDE_HEADER,
]);

/** The host in the browser's address bar: a request through the tunnel was sent to another one. */
function publicHost(client: ClientHead, { match }: Routed): string {
  const forwarded = match?.source === "x-forwarded-host" && client.header("x-forwarded-host");
  return forwarded ? forwarded.split(",", 1)[0]!.trim() : client.host;
}

/** HTTP/2 sends cookies as separate fields, and some clients in several lines; services expect one line. */
export function joinedCookies(fields: Fields): string | undefined {
  let joined: string | undefined;
  for (const [i, name] of fields.names.entries()) {
    if (name !== "cookie") continue;
    const value = joinCookies(fields.raw[2 * i + 1]!);
    joined = joined === undefined ? value : `${joined}; ${value}`;
  }
  return joined;
}
