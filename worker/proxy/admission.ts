/**
 * Lets requests into private sessions: checks their proofs, and asks `decideAccess`. What was checked is cached, so that
 * the next request with the same proof costs neither crypto nor a call.
 */
import { accessCookieMac, accessCookies, parseAccessCookie } from "../../core/access/access-cookie.ts";
import { clientNetwork } from "../../core/access/client-network.ts";
import {
  type AccessDecision,
  type AccessRequest,
  type CheckedProof,
  CLOUDFLARE_ACCESS,
  decideAccess,
  isFromOwnPage,
} from "../../core/access/decide-access.ts";
import { hourOf, proofId, traceProof } from "../../core/access/trace-proof.ts";
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import type { ClientAddress } from "../../core/routing/forwarded.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { accessProofs } from "../../core/routing/trace-context.ts";
import { type Env, isDirect } from "../env.ts";
import type { ResolvedAccess } from "../objects/resolved-session.ts";
import { sessionObject } from "../objects/session-object.ts";
import { countedAddress, RateLimit } from "../rate-limit.ts";
import { sameSecret, sha256Hex } from "../secret.ts";
import { cloudflareAccess, usesCloudflareAccess } from "./cloudflare-access.ts";
import { FRESH_MS, type SessionMatch } from "./session-lookup.ts";

/** Wrong proofs per address and minute. */
const WRONG_PER_MINUTE = 60;
export const RETRY_AFTER_S = 1;
const MAX_REMEMBERED = 5_000;
/** How often the object hears that a network or a token is still in use. */
const NOTE_MS = 30 * 60 * 1000;
/** Longest token that is hashed. */
const MAX_TOKEN = 256;

const wrongProofs = new RateLimit(WRONG_PER_MINUTE);

/** A bounded map; the oldest entries go first. */
class Memory<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): V {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > MAX_REMEMBERED) this.#entries.delete(this.#entries.keys().next().value!);
    return value;
  }
}

/** Cookies by the session's key and their value; the key is another for the next session of the name. */
const cookies = new Memory<CheckedProof>();
/** Proofs of traces, by key, hour and value. */
const traces = new Memory<CheckedProof>();
/** The proofs that services get, by key, id and hour. */
const ownTraces = new Memory<string>();
const tokenHashes = new Memory<string>();
/** What the session's object was told, and when. */
const notes = new Memory<number>();
/** What the object knows of a network, and when it was asked. */
const networks = new Memory<{ at: number; proofs: CheckedProof[] }>();

/** What was found of the latest request's cookies. */
let last:
  | { access: ResolvedAccess; cookie: string; values: readonly string[]; proof: CheckedProof | undefined }
  | undefined;

/** Without a promise when everything about the proof is cached. */
export function admit(
  match: SessionMatch,
  access: ResolvedAccess,
  head: RequestHead,
  client: ClientAddress,
  env: Env,
  context: ExecutionContext,
): AccessDecision | "rate-limited" | Promise<AccessDecision | "rate-limited"> {
  const { name, session } = match;
  const request: AccessRequest = { name, routing: session.routing, access, head, client };
  const now = Date.now();
  const cookie = head.header("cookie") ?? "";
  // A browser sends the same cookies with each request.
  if (last?.access !== access || last.cookie !== cookie)
    last = { access, cookie, values: accessCookies(name, cookie), proof: undefined };
  const { values } = last;
  if (!last.proof && values[0] !== undefined) last.proof = cookies.get(`${access.key} ${values[0]}`);
  const known = last.proof;
  if (known?.genuine) {
    const decision = decideAccess(request, [known], now);
    if (decision.allowed && decision.by === "cookie") {
      noteNetwork(name, decision.id, client, env, context);
      return decision;
    }
  }
  return checkAll(request, access, values, env, context);
}

async function checkAll(
  request: AccessRequest,
  access: ResolvedAccess,
  cookieValues: readonly string[],
  env: Env,
  context: ExecutionContext,
): Promise<AccessDecision | "rate-limited"> {
  const { name, head } = request;
  const client = request.client as ClientAddress;
  const address = isDirect(env) ? undefined : countedAddress(client.ip);
  if (address !== undefined && wrongProofs.isUsed && wrongProofs.isExhausted(address)) return "rate-limited";

  const proofs = [
    ...(await Promise.all(cookieValues.map((value) => checkedCookie(value, name, access)))),
    ...(await checkedTraces(name, access, head)),
    ...(await checkedToken(access, head)),
  ];
  let decision = decideAccess(request, proofs, Date.now());
  // Any page of the same site can add wrong cookies to the right one.
  const isProven = decision.allowed && decision.by !== "open-path";
  if (address !== undefined && !isProven && proofs.some(({ genuine }) => !genuine)) wrongProofs.take(address);
  if (decision.allowed && decision.by === "cookie") noteNetwork(name, decision.id, client, env, context);
  if (decision.allowed && decision.by === "header") noteToken(name, decision.id, env, context);
  if (isProven) return decision;

  if (!isDirect(env) && isFromOwnPage(request)) {
    proofs.push(...(await networkProofs(name, client, env)));
    decision = decideAccess(request, proofs, Date.now());
    if (decision.allowed && decision.by !== "open-path") return decision;
  }
  if (usesCloudflareAccess(env) && (await cloudflareAccess(head.header, env)).ok) {
    proofs.push({ kind: "cloudflare-access", id: CLOUDFLARE_ACCESS, genuine: true });
    decision = decideAccess(request, proofs, Date.now());
    if (decision.allowed && decision.by === "cloudflare-access")
      noteNetwork(name, decision.id, client, env, context);
  }
  return decision;
}

async function checkedCookie(value: string, name: string, { key }: ResolvedAccess): Promise<CheckedProof> {
  const cacheKey = `${key} ${value}`;
  const known = cookies.get(cacheKey);
  if (known) return known;
  const cookie = parseAccessCookie(value);
  const genuine =
    cookie !== undefined && (await sameSecret(cookie.mac, await accessCookieMac(key, name, cookie)));
  const { id = null, expires = 0 } = cookie ?? {};
  return cookies.set(cacheKey, { kind: "cookie", id, genuine, expires });
}

/** In the hour that it was made in, and the one after it. */
async function checkedTraces(
  name: string,
  { trace_key }: ResolvedAccess,
  { header }: RequestHead,
): Promise<CheckedProof[]> {
  const found = [...accessProofs(header("tracestate")), ...accessProofs(header("baggage"))];
  const hour = hourOf(Date.now());
  return Promise.all(
    [...new Set(found)].map(async (proof): Promise<CheckedProof> => {
      const cacheKey = `${trace_key} ${hour} ${proof}`;
      const known = traces.get(cacheKey);
      if (known) return known;
      const id = proofId(proof);
      const isOf = async (candidate: number) =>
        sameSecret(proof, await traceProof(trace_key, name, id, candidate));
      const genuine = (await isOf(hour)) || (await isOf(hour - 1));
      return traces.set(cacheKey, { kind: "trace", id, genuine });
    }),
  );
}

async function checkedToken({ tokens }: ResolvedAccess, { header }: RequestHead): Promise<CheckedProof[]> {
  const token = header(ACCESS_HEADER)?.trim();
  if (!token || token.length > MAX_TOKEN) return [];
  const hash = tokenHashes.get(token) ?? tokenHashes.set(token, await sha256Hex(token));
  const id = Object.hasOwn(tokens, hash) ? tokens[hash]! : null;
  return [{ kind: "header", id, genuine: id !== null }];
}

/** Asked of the object before a request is refused: an isolate does not know what another one has let in. */
async function networkProofs(name: string, client: ClientAddress, env: Env): Promise<CheckedProof[]> {
  const network = clientNetwork(client.ip);
  if (network === undefined) return [];
  const key = `${name} ${network}`;
  const known = networks.get(key);
  if (known && Date.now() - known.at < FRESH_MS) return known.proofs;
  const at = Date.now();
  const found = await sessionObject(name, env).networkProofs(network);
  const proofs = found.map(
    ({ id, expires }): CheckedProof => ({ kind: "network", id, genuine: true, expires }),
  );
  return networks.set(key, { at, proofs }).proofs;
}

/** Tells the object from where a proof was given. */
function noteNetwork(
  name: string,
  id: string,
  { ip }: ClientAddress,
  env: Env,
  context: ExecutionContext,
): void {
  if (isDirect(env) || ip === undefined) return;
  const key = `${name} ${id} ${ip}`;
  if (!isDue(key)) return;
  const network = clientNetwork(ip);
  if (network !== undefined) context.waitUntil(sessionObject(name, env).admitNetwork(network, id));
}

function noteToken(name: string, id: string, env: Env, context: ExecutionContext): void {
  if (isDue(`${name} ${id}`)) context.waitUntil(sessionObject(name, env).tokenUsed(id));
}

function isDue(key: string): boolean {
  const now = Date.now();
  if (now - (notes.get(key) ?? 0) < NOTE_MS) return false;
  notes.set(key, now);
  return true;
}

/**
 * What goes to the service in the trace headers, so that its own calls are let in. A stranger on an open path gets none: the
 * service could show it. One that came along stays as it is, and so ends when its hour is over.
 */
export function proofForService(
  decision: Extract<AccessDecision, { allowed: true }>,
  name: string,
  { trace_key }: ResolvedAccess,
): string | null | undefined | Promise<string> {
  switch (decision.by) {
    case "public":
    case "trace":
      return undefined;
    case "open-path":
      return null;
  }
  const { id } = decision;
  const hour = hourOf(Date.now());
  if (lastTrace?.trace_key === trace_key && lastTrace.id === id && lastTrace.hour === hour)
    return lastTrace.proof;
  const key = `${trace_key} ${id} ${hour}`;
  const known = ownTraces.get(key);
  if (known === undefined)
    return traceProof(trace_key, name, id, hour).then((proof) => ownTraces.set(key, proof));
  lastTrace = { trace_key, id, hour, proof: known };
  return known;
}
/** Found without building and hashing its key. */
let lastTrace: { trace_key: string; id: string; hour: number; proof: string } | undefined;
