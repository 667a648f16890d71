/**
 * Which of a request's candidate names is a session? Every isolate remembers the answers for `FRESH_MS`,
 * which is the longest that a change made elsewhere can stay unseen here.
 */

import {
  firstKnownSession,
  type NameSource,
  type SessionCandidate,
} from "../../core/routing/identify-session.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { sessionLabel } from "../../core/session/host-name.ts";
import type { Env } from "../env.ts";
import { type KnownSession, NO_VERSION } from "../objects/known-session.ts";
import type { SessionObject } from "../objects/session-object.ts";

export const FRESH_MS = 1000;
/** From when on a request that is answered from memory asks anew behind its answer: in traffic nobody waits then. */
const RENEW_MS = 600;
/** How long to wait for what another request has asked. */
const LATE_MS = 500;
/** Names remembered at most; the oldest go first. */
const MOST = 2000;

/** `at`: when the question was asked, in milliseconds since the epoch. */
interface Answer {
  at: number;
  /** Of the session's object: it is a hash of the name, not for nothing. */
  id: DurableObjectId;
  session: KnownSession | null;
}

const answers = new Map<string, Answer>();
/** Questions under way, shared by all requests of this isolate. */
const asking = new Map<string, Promise<KnownSession | null>>();

export interface Found {
  name: string;
  /** Where in the request its name stands. */
  source: NameSource;
  session: KnownSession;
}

/**
 * The first of the candidates that is a known session. What is remembered is answered at once, without a promise
 * and without a look at the candidates that follow; all that is not is asked in one round.
 */
export function findSession(
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): Found | undefined | Promise<Found | undefined> {
  const now = Date.now();
  const remembered = (name: string, source: NameSource): Found | "none" | "unknown" => {
    const answer = answers.get(name);
    if (answer === undefined || now - answer.at >= FRESH_MS) return "unknown";
    if (answer.session === null) return "none";
    if (now - answer.at >= RENEW_MS && !asking.has(name)) context.waitUntil(ask(name, env));
    return { name, source, session: answer.session };
  };

  // Nearly every request's host names it: then nothing else is looked at.
  const label = sessionLabel(head.host);
  const first = label === undefined ? "none" : remembered(label, "host");
  if (typeof first === "object") return first;

  const candidates: SessionCandidate[] = [];
  let unanswered = false;
  const found = firstKnownSession(head, (name, source): Found | undefined => {
    const answer = remembered(name, source);
    if (answer === "unknown") unanswered = true;
    else if (answer !== "none" && !unanswered) return answer;
    candidates.push({ name, source });
    return undefined;
  });
  return unanswered ? askForAll(candidates, now, env) : found;
}

async function askForAll(candidates: SessionCandidate[], now: number, env: Env): Promise<Found | undefined> {
  const [only] = candidates;
  if (only && candidates.length === 1) {
    const session = await ask(only.name, env);
    return session ? { ...only, session } : undefined;
  }
  const sessions = await Promise.all(
    candidates.map(({ name }) => {
      const answer = answers.get(name);
      return answer && now - answer.at < FRESH_MS ? answer.session : ask(name, env);
    }),
  );
  const first = sessions.findIndex((session) => session !== null);
  return first === -1 ? undefined : { ...candidates[first]!, session: sessions[first]! };
}

function ask(name: string, env: Env): Promise<KnownSession | null> {
  const underWay = asking.get(name);
  if (underWay) return join(underWay, name, env);
  const answer: Promise<KnownSession | null> = askObject(name, env, () => asking.get(name) === answer);
  asking.set(name, answer);
  return answer;
}

/** Waits for another request's question. It never ends when that request's client has gone: then asks anew. */
async function join(
  underWay: Promise<KnownSession | null>,
  name: string,
  env: Env,
): Promise<KnownSession | null> {
  let timer = 0;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), LATE_MS);
  });
  const first = await Promise.race([underWay, late]);
  clearTimeout(timer);
  if (first !== "late") return first;
  if (asking.get(name) === underWay) asking.delete(name);
  return ask(name, env);
}

/** `isCurrent`: whether the answer still counts when it comes. */
async function askObject(name: string, env: Env, isCurrent: () => boolean): Promise<KnownSession | null> {
  const at = Date.now();
  const known = answers.get(name);
  const id = known?.id ?? env.SESSIONS.idFromName(name);
  try {
    const object = env.SESSIONS.get(id);
    if (known && (await isUnchanged(object, known))) {
      if (isCurrent()) known.at = at;
      return known.session;
    }
    const session = await object.lookUp();
    if (isCurrent()) remember(name, { at, id, session });
    return session;
  } finally {
    if (isCurrent()) asking.delete(name);
  }
}

async function isUnchanged(object: DurableObjectStub<SessionObject>, { session }: Answer): Promise<boolean> {
  const { status } = await object.fetch(`http://session/${session?.version ?? NO_VERSION}`, HEAD);
  return status === 204;
}
const HEAD = { method: "HEAD" };

function remember(name: string, answer: Answer): void {
  answers.delete(name);
  answers.set(name, answer);
  if (answers.size > MOST) answers.delete(answers.keys().next().value!);
}

/** The session was changed here: the next request asks again, and an answer under way is not kept. */
export function forget(name: string): void {
  answers.delete(name);
  asking.delete(name);
}
