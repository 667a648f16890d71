/** The headers that carry the session from service to service: W3C Trace Context and W3C Baggage. */
import { hex } from "../hex.ts";

const SESSION_KEY = "linkup-session";

/** A list has at most 32 members, and is forwarded by everyone up to 512 characters (Trace Context, 3.3.1.5). */
const MAX_MEMBERS = 32;
const MAX_TRACESTATE = 512;
/** Members above this length are the first to go when a list is too long. */
const LONG_MEMBER = 128;

/** Baggage has at most 64 members and 8,192 bytes (Baggage, 3.3.2). */
const MAX_BAGGAGE_MEMBERS = 64;
const MAX_BAGGAGE = 8_192;

/** The values of `linkup-session` in `tracestate`: one, unless an earlier hop left another session's. */
export function tracestateSessions(tracestate: string | null | undefined): string[] {
  return sessionMembers(tracestate);
}

/** The values of `linkup-session` in `baggage`, without properties. */
export function baggageSessions(baggage: string | null | undefined): string[] {
  return sessionMembers(baggage).map((value) => value.split(";", 1)[0]!.trim());
}

function sessionMembers(list: string | null | undefined): string[] {
  if (!list?.includes(SESSION_KEY)) return [];
  return list
    .split(",")
    .map((member) => member.trim())
    .filter(isSessionMember)
    .map((member) => member.slice(member.indexOf("=") + 1).trim());
}

/** The key of the member that lets calls between services into a private session: `linkup-access=PROOF`. */
const ACCESS_KEY = "linkup-access";

/** The proofs in a `tracestate` or `baggage`, at most two: an earlier hop may have left an old one. */
export function accessProofs(list: string | null | undefined): string[] {
  if (!list?.includes(ACCESS_KEY)) return [];
  return list
    .split(",")
    .map((member) => /^\s*linkup-access\s*=\s*([a-z0-9]{1,32}\.[0-9a-f]{32})\s*(?:;|$)/.exec(member)?.[1])
    .filter((proof) => proof !== undefined)
    .slice(0, 2);
}

const isAccessMember = (member: string): boolean => /^linkup-access\s*=/.test(member);
const isSessionMember = (member: string): boolean => /^linkup-session\s*=/.test(member);

/**
 * True for a `traceparent` that a tracer accepts: lower-case hexadecimal, ids that are not all zeros, one line, and no
 * more fields than version 00 has (later versions may have more).
 */
export function isTraceparent(value: string | null | undefined): boolean {
  if (!value) return false;
  const [, version, trace, parent, rest] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return false;
  return !/^0+$/.test(trace!) && !/^0+$/.test(parent!);
}
/** The trace id of a valid `traceparent`, else null. */
export function traceIdOf(traceparent: string | null | undefined): string | null {
  return isTraceparent(traceparent) ? traceparent!.slice(3, 35) : null;
}
/** The span id (`parent-id`) of a valid `traceparent`, else null. */
export function spanIdOf(traceparent: string | null | undefined): string | null {
  return isTraceparent(traceparent) ? traceparent!.slice(36, 52) : null;
}
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[^,]*)?$/;

/** Version 00, random ids, sampled: 00 would tell every OpenTelemetry service to record nothing. */
export function newTraceparent(): string {
  return `00-${randomDigits(32)}-${randomDigits(16)}-01`;
}

/** This many random hexadecimal digits. */
export function randomDigits(count: number): string {
  if (randomUsed + count > randomHex.length) {
    crypto.getRandomValues(RANDOM);
    randomHex = hex(RANDOM);
    randomUsed = 0;
  }
  randomUsed += count;
  return randomHex.slice(randomUsed - count, randomUsed);
}
/** Random bytes for 64 traceparents: requesting them one by one costs more than building the header. */
const RANDOM = new Uint8Array(24 * 64);
let randomHex = "";
let randomUsed = 0;

/**
 * The `tracestate` for a service of this session. A changed member moves to the front; illegal and repeated members go,
 * since a tracer drops the whole list because of one, and what exceeds the limits. `proof`: of a private session, null to
 * remove one.
 */
export function tracestateFor(
  name: string,
  tracestate: string | null | undefined,
  proof?: string | null,
): string {
  const own = ownMembers(name, proof);
  if (!tracestate || tracestate === own) return own;
  const session = `${SESSION_KEY}=${name}`;
  const access = proof ? `${ACCESS_KEY}=${proof}` : undefined;
  const keys = new Set<string>();
  const valid = tracestate
    .split(",")
    .map((member) => member.trim())
    .filter((member) => {
      const key = member.slice(0, Math.max(0, member.indexOf("=")));
      if (keys.has(key) || !TRACESTATE_MEMBER.test(member)) return false;
      keys.add(key);
      return true;
    });
  let members = valid;
  if (access !== undefined ? !valid.includes(access) : proof === null && valid.some(isAccessMember))
    members = [
      ...(access === undefined ? [] : [access]),
      ...valid.filter((member) => !isAccessMember(member)),
    ];
  if (!members.includes(session))
    members = [session, ...members.filter((member) => !isSessionMember(member))];
  return withinLimits(members, (member) => member === session || member === access).join(",");
}

/** What Linkup itself puts into both lists: the same for many requests in a row. */
function ownMembers(name: string, proof: string | null | undefined): string {
  if (name !== lastName || proof !== lastProof) {
    const session = `${SESSION_KEY}=${name}`;
    lastOwn = proof ? `${session},${ACCESS_KEY}=${proof}` : session;
    lastName = name;
    lastProof = proof;
  }
  return lastOwn;
}
let lastName: string | undefined;
let lastProof: string | null | undefined;
let lastOwn = "";

/** Without members at the end, the long ones first. Linkup's own stay. */
function withinLimits(members: string[], isOwn: (member: string) => boolean): string[] {
  const kept = [...members];
  let length = kept.join(",").length;
  const drop = (isCandidate: (member: string) => boolean): void => {
    for (let i = kept.length - 1; i >= 0; i--) {
      if (kept.length <= MAX_MEMBERS && length <= MAX_TRACESTATE) return;
      const member = kept[i]!;
      if (isOwn(member) || !isCandidate(member)) continue;
      kept.splice(i, 1);
      length -= member.length + 1;
    }
  };
  drop((member) => member.length > LONG_MEMBER);
  drop(() => true);
  return kept;
}

/** Key and value as Trace Context allows them (3.3.1.3). */
const TRACESTATE_MEMBER =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** The `baggage` for a service of this session; undefined to leave it as it is. `proof` as in `tracestateFor`. */
export function baggageFor(
  name: string,
  baggage: string | null | undefined,
  proof?: string | null,
): string | undefined {
  const own = ownMembers(name, proof);
  if (!baggage) return own;
  const sessions = baggageSessions(baggage);
  const isOwnProof = proof === undefined || hasOnlyProof(baggage, proof);
  if (sessions.length === 1 && sessions[0] === name && isOwnProof) return undefined;
  const others = baggage
    .split(",")
    .map((member) => member.trim())
    .filter(
      (member) =>
        member !== "" && !isSessionMember(member) && !(proof !== undefined && isAccessMember(member)),
    );
  // What the services sent each other matters more than a second way to find the session.
  const list = [...own.split(","), ...others];
  const text = list.join(",");
  const fits = list.length <= MAX_BAGGAGE_MEMBERS && text.length <= MAX_BAGGAGE;
  return fits ? text : sessions.length > 0 || !isOwnProof ? others.join(",") : undefined;
}

function hasOnlyProof(baggage: string, proof: string | null): boolean {
  if (!baggage.includes(ACCESS_KEY)) return proof === null;
  const proofs = accessProofs(baggage);
  return proofs.length === 1 && proofs[0] === proof;
}
