/**
 * Which of a request's candidate names is a session? Every isolate remembers the answers for `FRESH_MS`,
 * which is the longest that a change made elsewhere can stay unseen here.
 */
import { candidates, eachCandidate, type NameSource } from "../core/identify.ts";
import type { RequestHead } from "../core/request.ts";
import type { Env } from "./env.ts";
import type { KnownSession } from "./known-session.ts";

export const FRESH_MS = 1000;
/** Names remembered at most; the oldest go first. */
const MOST = 2000;

/** `at`: when the question was asked, in milliseconds since the epoch. */
interface Answer {
  at: number;
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
  for (const { name, source } of eachCandidate(head)) {
    const answer = answers.get(name);
    if (answer === undefined || now - answer.at >= FRESH_MS) return askForAll(head, env, context);
    if (answer.session) return { name, source, session: answer.session };
  }
  return undefined;
}

async function askForAll(head: RequestHead, env: Env, context: ExecutionContext): Promise<Found | undefined> {
  const now = Date.now();
  const asked = candidates(head);
  const sessions = await Promise.all(
    asked.map(({ name }) => {
      const answer = answers.get(name);
      return answer && now - answer.at < FRESH_MS ? answer.session : ask(name, env, context);
    }),
  );
  for (const [index, session] of sessions.entries()) {
    if (session) return { ...asked[index]!, session };
  }
  return undefined;
}

function ask(name: string, env: Env, context: ExecutionContext): Promise<KnownSession | null> {
  const underWay = asking.get(name);
  if (underWay) return underWay;
  const answer: Promise<KnownSession | null> = askObject(name, env, () => asking.get(name) === answer);
  asking.set(name, answer);
  const done = () => {
    if (asking.get(name) === answer) asking.delete(name);
  };
  // Others wait for it too: it goes on when the request that asked is gone.
  context.waitUntil(answer.then(done, done));
  return answer;
}

/** `isCurrent`: whether the answer still counts when it comes. */
async function askObject(name: string, env: Env, isCurrent: () => boolean): Promise<KnownSession | null> {
  const at = Date.now();
  const known = answers.get(name)?.session ?? null;
  const said = await env.SESSIONS.getByName(name).lookUp(known?.version ?? null);
  const session = said === "unchanged" ? known : said;
  if (isCurrent()) remember(name, { at, session });
  return session;
}

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
