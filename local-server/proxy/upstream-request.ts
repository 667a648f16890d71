/** The head of a request as its service gets it. */
import {
  addedHeaders,
  HOP_BY_HOP,
  HOPS_HEADER,
  hopsOf,
  isSessionOrigin,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { isLocal } from "../../core/session/session-document.ts";
import type { ClientHead } from "../downstream/client.ts";
import { connectionNames, type Fields, type ForwardedLines, HeaderLines } from "../http/fields.ts";
import type { Served } from "../sessions.ts";
import type { UpstreamRequest } from "../upstream/upstream-stream.ts";

export interface ServiceRequest extends UpstreamRequest {
  /** The `Host` that the service sees instead of the client's. */
  rewrittenHost: string | undefined;
  /** The `Origin` that the service sees instead of the client's. */
  origins: { client: string; service: string } | undefined;
}

export function serviceRequest(client: ClientHead, served: Served, decision: Routed): ServiceRequest {
  const { fields } = client;
  const { name, session } = served;
  const { service, origin, target } = decision;
  const rewritten = isLocal(service.location) && !service.preserve_host;
  const clientOrigin = rewritten ? fields.get("origin") : undefined;
  const host = service.preserve_host ? publicHost(client, decision) : origin.slice(origin.indexOf("//") + 2);

  const added = addedHeaders(name, session, decision, client);
  const origins = isSessionOrigin(name, session, clientOrigin)
    ? { client: clientOrigin, service: serverActionOrigin(clientOrigin, fields, added) ?? origin }
    : undefined;
  added.push([HOPS_HEADER, String(hopsOf(client) + 1)]);
  if (client.secure && !fields.has("x-forwarded-proto")) added.push(["x-forwarded-proto", "https"]);
  return {
    origin,
    ...upstreamHead(client, { target, host, added, origin: origins?.service }),
    rewrittenHost: rewritten ? host : undefined,
    origins,
  };
}

/** For a public origin (`https://host:port`): unchanged, but for the hop count that ends loops. */
export function publicOriginRequest(client: ClientHead, origin: string): UpstreamRequest {
  const added: [string, string][] = [[HOPS_HEADER, String(hopsOf(client) + 1)]];
  return { origin, ...upstreamHead(client, { target: client.target, host: client.host, added }) };
}

interface Changes {
  target: string;
  host: string;
  /** Lower-case name and value; they replace the client's lines of that name. */
  added: [string, string][];
  /** Instead of the client's. */
  origin?: string | undefined;
}

function upstreamHead(client: ClientHead, changes: Changes): Omit<UpstreamRequest, "origin"> {
  const { fields, method, upgrade } = client;
  const { target, host, added } = changes;
  return {
    method,
    target,
    host,
    forwarded: forwardedLines(fields, changes),
    added: added.flat(),
    // The only kind of TE that a proxy may ask for is the one whose trailers it forwards.
    acceptsTrailers: fields.has("te") && fields.list("te").includes("trailers"),
    trailer: client.hasBody ? fields.get("trailer") : undefined,
    upgrade,
    body: !client.hasBody ? "none" : fields.has("content-length") ? "of known length" : "chunked",
  };
}

/** Memoised; recomputed when the overridden names or the origin change. */
function forwardedLines(fields: Fields, { added, origin }: Changes): HeaderLines {
  const { forwarded } = fields;
  if (forwarded && forwarded.origin === origin && isSameNames(forwarded, added)) return forwarded.lines;
  const overridden = added.map(([name]) => name);
  const lines = new HeaderLines(keptLines(fields, overridden, origin));
  fields.forwarded = { overridden, origin, lines };
  return lines;
}

function isSameNames({ overridden }: ForwardedLines, added: [string, string][]): boolean {
  if (overridden.length !== added.length) return false;
  for (let i = 0; i < added.length; i++) if (added[i]![0] !== overridden[i]) return false;
  return true;
}

/** The client's end-to-end lines without those that the proxy writes itself, and with its cookies in one line. */
function keptLines(fields: Fields, overridden: string[], origin: string | undefined): string[] {
  const hopByHop = connectionNames(fields);
  const lines: string[] = [];
  for (let i = 0; i < fields.names.length; i++) {
    const lower = fields.names[i]!;
    if (DROPPED.has(lower) || hopByHop.has(lower) || overridden.includes(lower)) continue;
    const value = fields.raw[2 * i + 1]!;
    lines.push(fields.raw[2 * i]!, origin !== undefined && lower === "origin" ? origin : value);
  }
  const cookies = joinedCookies(fields);
  if (cookies !== undefined) lines.push("Cookie", cookies);
  return lines;
}

/**
 * Next.js refuses a Server Action unless its `Origin` has the host of `x-forwarded-host`, port included; everything
 * else compares it with `Host`. Undefined for other requests.
 */
function serverActionOrigin(client: string, fields: Fields, added: [string, string][]): string | undefined {
  if (!fields.has("next-action")) return undefined;
  const forwarded =
    fields.get("x-forwarded-host") ?? added.find(([name]) => name === "x-forwarded-host")?.[1];
  const [host] = forwarded?.split(",", 1) ?? [];
  return host && client.slice(0, client.indexOf("//") + 2) + host.trim();
}

/** Left out, or written anew. */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, "host", "cookie", ORIGIN_SECRET_HEADER]);

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
