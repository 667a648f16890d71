/**
 * Decides whether a request may enter a session. A pure function: the Worker calls it with the proofs that it has checked,
 * `explain` with those that it knows of.
 */
import { compile, type Pattern, StepBudget } from "../regex/pattern.ts";
import { isSessionOrigin } from "../routing/cors.ts";
import type { ClientAddress } from "../routing/forwarded.ts";
import { type RequestHead, splitTarget } from "../routing/routing-input.ts";
import { hostname, hostOfUrl } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { OWNER } from "./access-cookie.ts";

/** What a proof came in, in the order in which they count. */
export type ProofKind = "cookie" | "header" | "trace" | "network" | "cloudflare-access";

export interface CheckedProof {
  kind: ProofKind;
  /** Of the invite, or `OWNER`; null for a token that belongs to none. */
  id: string | null;
  /** False for a forged one, and one of another session. */
  genuine: boolean;
  /** Its own end, in milliseconds since the epoch, beside that of its invite. */
  expires?: number;
}

/** Who may enter a private session. */
export interface PrivateAccess {
  /** Regular expressions: paths that are open to everybody. */
  open: readonly string[];
  /** The invites to visit, by id, and when they end. */
  invites: Readonly<Record<string, number>>;
}

export type RefusedAccess =
  | "no-proof"
  /** A page of another site, or of another session, sent it with the browser's cookie. */
  | "foreign-page"
  | "wrong"
  | "expired"
  | "revoked";

export type AccessDecision =
  | { allowed: true; by: "public" }
  /** `pattern`: the one of `access.open` that matches. */
  | { allowed: true; by: "open-path"; pattern: string }
  | { allowed: true; by: ProofKind; id: string }
  | { allowed: false; why: RefusedAccess };

export interface AccessRequest {
  name: string;
  routing: Pick<Routing, "domains">;
  /** Null for a session that is not private. */
  access: PrivateAccess | null;
  head: RequestHead;
  client: Pick<ClientAddress, "scheme" | "port">;
}

/** The end of what never ends by itself. */
const NEVER = Number.MAX_SAFE_INTEGER;
/** The id of everyone whom Cloudflare Access lets in. */
export const CLOUDFLARE_ACCESS = "cloudflare";

/** `now`: milliseconds since the epoch. */
export function decideAccess(
  request: AccessRequest,
  proofs: readonly CheckedProof[],
  now: number,
): AccessDecision {
  const { access } = request;
  if (access === null) return { allowed: true, by: "public" };
  let why: RefusedAccess = "no-proof";
  for (const proof of proofs) {
    const problem = problemOf(proof, access, request, now);
    if (problem === undefined) return { allowed: true, by: proof.kind, id: proof.id! };
    if (SEVERITY.indexOf(problem) > SEVERITY.indexOf(why)) why = problem;
  }
  const pattern = openPattern(access, request.head);
  return pattern === undefined ? { allowed: false, why } : { allowed: true, by: "open-path", pattern };
}
/** Of several refused proofs the last of these tells most. */
const SEVERITY: readonly RefusedAccess[] = ["no-proof", "wrong", "foreign-page", "expired", "revoked"];

function problemOf(
  { kind, id, genuine, expires = NEVER }: CheckedProof,
  { invites }: PrivateAccess,
  request: AccessRequest,
  now: number,
): RefusedAccess | undefined {
  if (!genuine || id === null) return "wrong";
  if (expires <= now) return "expired";
  const ends =
    id === OWNER || id === CLOUDFLARE_ACCESS ? NEVER : Object.hasOwn(invites, id) ? invites[id]! : undefined;
  if (ends === undefined) return "revoked";
  if (ends <= now) return "expired";
  // Browsers send these of their own accord, on behalf of any page.
  if (isAmbient(kind) && isFromForeignPage(request)) return "foreign-page";
  if (kind === "network" && !isFromOwnPage(request)) return "no-proof";
  return undefined;
}

function isAmbient(kind: ProofKind): boolean {
  return kind === "cookie" || kind === "network" || kind === "cloudflare-access";
}

/**
 * Whether a page of the session sent the request: only then its client's network counts, for what carries no cookie
 * (cross-origin fetches without credentials, images, preflights).
 */
export function isFromOwnPage(request: AccessRequest): boolean {
  const { header } = request.head;
  const origin = header("origin");
  if (origin && origin !== "null") return isOwnPage(origin, request);
  if (header("sec-fetch-site") === "same-origin") return true;
  const page = /^https?:\/\/[^/?#]+/i.exec(header("referer")?.trim() ?? "")?.[0];
  return page !== undefined && isOwnPage(page, request);
}

function isFromForeignPage(request: AccessRequest): boolean {
  const { client } = request;
  const { header, host } = request.head;
  const origin = header("origin");
  if (!origin) return isPartOfForeignPage(request);
  if (header("sec-fetch-site") === "same-origin") return false;
  return origin.toLowerCase() !== `${client.scheme}://${host.toLowerCase()}` && !isOwnPage(origin, request);
}

/**
 * Images and scripts of a page come without `Origin`, and with the cookie where that page is on the same site, as those of
 * other sessions are: then `Referer` has to name a page of the session, or a domain that it shares.
 */
function isPartOfForeignPage({ name, routing, head: { header } }: AccessRequest): boolean {
  const site = header("sec-fetch-site");
  if (site !== "same-site" && site !== "cross-site") return false;
  // Links lead here from anywhere.
  if (header("sec-fetch-mode") === "navigate") return false;
  const page = hostname(hostOfUrl(header("referer")?.trim() ?? "") ?? "");
  return !routing.domains.some(({ domain }) => {
    const own = hostname(domain);
    return page === own || page === `${name}.${own}`;
  });
}

/** At a host that begins with the session's name: any session may have served the page at a domain without one. */
function isOwnPage(origin: string, { name, routing, client }: AccessRequest): boolean {
  const host = hostname(hostOfUrl(origin) ?? "");
  return (
    routing.domains.some(({ domain }) => host === `${name}.${hostname(domain)}`) &&
    isSessionOrigin(name, routing, origin, { client })
  );
}

const OTHER_TARGET = ["x-original-url", "x-rewrite-url"];
const openPatterns = new WeakMap<readonly string[], Pattern[]>();

/** The first pattern that matches the path of the target. */
function openPattern({ open }: PrivateAccess, { target, header }: RequestHead): string | undefined {
  if (open.length === 0) return undefined;
  // Some frameworks serve the path that these name.
  if (OTHER_TARGET.some((name) => header(name))) return undefined;
  const { path } = splitTarget(target);
  if (!isPlain(path)) return undefined;
  let patterns = openPatterns.get(open);
  if (!patterns) {
    patterns = open.flatMap((source) => {
      const compiled = compile(source);
      return compiled.ok ? [compiled.pattern] : [];
    });
    openPatterns.set(open, patterns);
  }
  const budget = new StepBudget();
  return patterns.find((pattern) => pattern.test(path, budget) === "match")?.source;
}

/** A path that a service cannot read as another one: `/webhooks/../admin` is not below `/webhooks/`. */
function isPlain(path: string): boolean {
  return !/(?:^|\/)(?:\.|%(?:25)*2e){1,2}(?:\/|;|%(?:25)*3b|$)|\\|%(?:25)*(?:2f|5c|0[09ad]|c[01])|\/\/|[^!-~]/i.test(
    path,
  );
}
