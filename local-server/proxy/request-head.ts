/** The head of the request as the service gets it. */
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
import { connectionNames, type Fields, type OwnLines } from "../http/fields.ts";
import type { Served } from "../sessions.ts";
import type { SentRequest } from "../upstream/connection.ts";

export interface ForwardedRequest extends SentRequest {
  /** The `Host` that the service sees instead of the client's. */
  rewrittenHost: string | undefined;
  /** The `Origin` that the service sees instead of the client's. */
  origins: { client: string; service: string } | undefined;
}

export function requestHead(client: ClientHead, served: Served, decision: Routed): ForwardedRequest {
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
    ...written(client, { target, host, added, shownOrigin: origins?.service }),
    rewrittenHost: rewritten ? host : undefined,
    origins,
  };
}

/** For a host that is not served here: as it came, but for the count that ends a circle. `origin` is `https://host:port`. */
export function edgeRequest(client: ClientHead, origin: string): SentRequest {
  const added: [string, string][] = [[HOPS_HEADER, String(hopsOf(client) + 1)]];
  return { origin, ...written(client, { target: client.target, host: client.host, added }) };
}

interface Changes {
  target: string;
  host: string;
  /** Lower-case name and value; they replace what is there. */
  added: [string, string][];
  /** Instead of the client's `Origin`. */
  shownOrigin?: string | undefined;
}

function written(
  client: ClientHead,
  { target, host, added, shownOrigin }: Changes,
): Omit<SentRequest, "origin"> {
  const { fields, method, upgrade } = client;
  const body = !client.hasBody ? "none" : fields.has("content-length") ? "of known length" : "chunked";
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${ownLines(fields, added, shownOrigin)}`;
  for (const [name, value] of added) head += `${name}: ${value}\r\n`;
  // The only kind of TE that a proxy may ask for is the one whose trailers it passes on.
  if (fields.has("te") && fields.list("te").includes("trailers"))
    head += "TE: trailers\r\nConnection: TE\r\n";
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  if (body === "chunked") {
    const trailer = fields.get("trailer");
    if (trailer !== undefined) head += `Trailer: ${trailer}\r\n`;
    head += "Transfer-Encoding: chunked\r\n";
  }
  return { method, head: `${head}\r\n`, upgrade: upgrade !== undefined, body };
}

/** They depend on nothing else, so they are made anew for other lines only. */
function ownLines(fields: Fields, added: [string, string][], origin: string | undefined): string {
  const { own } = fields;
  if (own && own.origin === origin && own.added.length === added.length) {
    let i = 0;
    while (i < added.length && added[i]![0] === own.added[i]) i++;
    if (i === added.length) return own.text;
  }
  fields.own = madeOwn(
    fields,
    added.map(([name]) => name),
    origin,
  );
  return fields.own.text;
}

function madeOwn(fields: Fields, added: string[], origin: string | undefined): OwnLines {
  const hop = connectionNames(fields);
  let text = "";
  for (let i = 0; i < fields.names.length; i++) {
    const lower = fields.names[i]!;
    if (DROPPED.has(lower) || hop.has(lower) || added.includes(lower)) continue;
    const name = fields.raw[2 * i]!;
    const value = fields.raw[2 * i + 1]!;
    const shown = origin !== undefined && lower === "origin" ? origin : value;
    text += `${name}: ${shown}\r\n`;
  }
  const cookies = joinedCookies(fields);
  if (cookies !== undefined) text += `Cookie: ${cookies}\r\n`;
  return { added, origin, text: inOnePiece(text) };
}

/** V8 leaves a text in the pieces that it was put together from until somebody looks into it: here once for all its uses. */
function inOnePiece(text: string): string {
  return Number.isNaN(text.charCodeAt(0)) ? "" : text;
}

/**
 * A Server Action of Next.js is refused unless its `Origin` has the host of `x-forwarded-host`, port and all; whatever
 * else compares origins takes the `Host`. Undefined for other requests.
 */
function serverActionOrigin(client: string, fields: Fields, added: [string, string][]): string | undefined {
  if (!fields.has("next-action")) return undefined;
  const forwarded =
    fields.get("x-forwarded-host") ?? added.find(([name]) => name === "x-forwarded-host")?.[1];
  const [host] = forwarded?.split(",", 1) ?? [];
  return host && client.slice(0, client.indexOf("//") + 2) + host.trim();
}

/** Left out or written anew above. */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, "host", "cookie", ORIGIN_SECRET_HEADER]);

/** The host in the browser's address bar: through the tunnel the request was sent to another one. */
function publicHost(client: ClientHead, { match }: Routed): string {
  const forwarded = match?.source === "x-forwarded-host" && client.header("x-forwarded-host");
  return forwarded ? forwarded.split(",", 1)[0]!.trim() : client.host;
}

/** HTTP/2 sends cookies in crumbs, and some clients in several lines; services expect one line. */
export function joinedCookies(fields: Fields): string | undefined {
  let joined: string | undefined;
  for (const [i, name] of fields.names.entries()) {
    if (name !== "cookie") continue;
    const value = joinCookies(fields.raw[2 * i + 1]!);
    joined = joined === undefined ? value : `${joined}; ${value}`;
  }
  return joined;
}
