/** Creating and changing sessions: whose name is it, and what is refused. */
import * as z from "zod/mini";
import {
  parseUpsert,
  type Session,
  serializeSession,
  type UpsertRequest,
} from "../../core/session/session-document.ts";
import { animalName, contentName, randomName } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import type { TunnelRecord, Upsert, Upserted } from "../objects/session-record.ts";
import { forget } from "../proxy/lookup.ts";
import { newSecret } from "../secret.ts";
import { refusedLocations } from "./targets.ts";

export interface UpsertCall {
  kind: "tunneled" | "preview";
  /** What happens when the desired name belongs to another token. */
  whenTaken: "refuse" | "fresh-name";
  body: unknown;
  /** Where the Worker answers its API: no target for a session. */
  ownHost: string;
}

export type SavedSession =
  | { ok: true; name: string; tunnel: TunnelRecord | null }
  | { ok: false; status: 400 | 409 | 502 | 503; reason: string };

/** The token of preview sessions whose request has none, as the original has it. */
const PREVIEW_TOKEN = "preview_session";
const NAME_TRIES = 20;
/** Lower-case alphanumerics that carry 51 bits. */
const UNGUESSABLE_LENGTH = 10;
const UNGUESSABLE = /-[a-z0-9]{10}$/;
const LONGEST_NAME = 63;
const LONGEST_EXPIRY_S = 366 * 24 * 60 * 60;

/** What requests of ours may say beyond those of the original. */
const extrasSchema = z.object({
  expires_in: z.optional(
    z.nullable(
      z
        .int("must be a whole number of seconds")
        .check(
          z.minimum(1, "must be at least 1 second"),
          z.maximum(LONGEST_EXPIRY_S, `must be at most ${LONGEST_EXPIRY_S} seconds`),
        ),
    ),
  ),
  access: z.optional(z.nullable(z.enum(["public", "unguessable"], 'must be "public" or "unguessable"'))),
});

/** Saves the session of an upsert request. */
export async function saveSession(call: UpsertCall, env: Env): Promise<SavedSession> {
  const { kind, whenTaken } = call;
  const parsed = parseUpsert(withoutEmptyName(call.body));
  const extras = extrasSchema.safeParse(call.body);
  const problems = parsed.ok ? [] : parsed.problems;
  // A body that is no object is one problem, not two.
  if (!extras.success && call.body !== null && !Array.isArray(call.body) && typeof call.body === "object")
    problems.push(...extras.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  if (!parsed.ok || !extras.success || problems.length > 0) return refused(problems);
  const request = parsed.value;

  const isNamedByContent =
    kind === "preview" && !request.desired_name && extras.data.access !== "unguessable";
  const session = isNamedByContent ? sorted(newSession(kind, request)) : newSession(kind, request);
  const locations = refusedLocations(session, call.ownHost, isDirect(env));
  if (locations.length > 0) return refused(locations);

  const save: Save = async (name, over) => {
    const upserted = await env.SESSIONS.getByName(name).upsert({
      name,
      session,
      over,
      tunnelUrl: request.tunnel_url ?? null,
      expires_in: extras.data.expires_in ?? null,
    });
    forget(name);
    return result(name, upserted);
  };

  if (extras.data.access === "unguessable") return saveUnguessable(request.desired_name ?? null, save);
  if (isNamedByContent) return saveFirstFree((attempt) => nameByContent(session, attempt), "same", save);
  if (request.desired_name) {
    const saved = await save(request.desired_name, "own");
    if (saved.ok || saved.status !== 409 || whenTaken === "refuse") return saved;
  }
  const animal = kind === "tunneled" && (request.name_kind === "animal" || isFromFirstApi(call));
  return saveFirstFree((attempt) => freshName(animal, attempt), "nothing", save);
}

type Save = (name: string, over: Upsert["over"]) => Promise<SavedSession>;

async function saveFirstFree(
  newName: (attempt: number) => string | Promise<string>,
  over: Upsert["over"],
  save: Save,
): Promise<SavedSession> {
  for (let attempt = 0; attempt < NAME_TRIES; attempt++) {
    const saved = await save(await newName(attempt), over);
    if (saved.ok || saved.status !== 409) return saved;
  }
  return { ok: false, status: 503, reason: `None of ${NAME_TRIES} new names was free. Try again.` };
}

/** A name that is the owner's already is kept. Any other is only what a new name starts with. */
async function saveUnguessable(desired: string | null, save: Save): Promise<SavedSession> {
  if (desired !== null && UNGUESSABLE.test(desired)) {
    const saved = await save(desired, "only-own");
    if (saved.ok || saved.status !== 409) return saved;
  }
  const start = (desired ?? animalName()).slice(0, LONGEST_NAME - 1 - UNGUESSABLE_LENGTH);
  return saveFirstFree(() => `${start}-${randomName(UNGUESSABLE_LENGTH)}`, "nothing", save);
}

/** The same content has the same name; where two contents would share one, the later takes the next. */
function nameByContent(session: Session, attempt: number): Promise<string> {
  const content = serializeSession(session);
  return contentName(attempt === 0 ? content : { ...content, attempt });
}

function refused(problems: string[]): SavedSession {
  return { ok: false, status: 400, reason: problems.join("\n") };
}

function result(name: string, upserted: Upserted): SavedSession {
  switch (upserted.outcome) {
    case "stored":
      return { ok: true, name, tunnel: upserted.tunnel };
    case "conflict":
      return { ok: false, status: 409, reason: "Conflict" };
    case "refused":
      return refused([`desired_name: ${upserted.reason}`]);
    case "tunnel-failed":
      return { ok: false, status: 502, reason: upserted.reason };
  }
}

function newSession(kind: "tunneled" | "preview", request: UpsertRequest): Session {
  const { services, domains, cache_routes } = request;
  const session_token = request.session_token ?? (kind === "preview" ? PREVIEW_TOKEN : newSecret());
  return { kind, session_token, services, domains, cache_routes };
}

/** The same session in the one order of all that mean the same: that of routes and rewrites counts, and stays. */
function sorted(session: Session): Session {
  return {
    ...session,
    services: session.services.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    domains: session.domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1)),
    cache_routes: session.cache_routes.toSorted(),
  };
}

/** Clients of the first API ask for a new name by an empty one, and always get an animal. */
function isFromFirstApi({ whenTaken, body }: UpsertCall): boolean {
  return whenTaken === "fresh-name" || hasEmptyName(body);
}

function hasEmptyName(body: unknown): boolean {
  return (body as { desired_name?: unknown } | null)?.desired_name === "";
}

function withoutEmptyName(body: unknown): unknown {
  return hasEmptyName(body) ? { ...(body as object), desired_name: null } : body;
}

/** When many names are taken, longer ones are likelier to be free. */
function freshName(animal: boolean, attempt: number): string {
  if (!animal) return randomName();
  return attempt < NAME_TRIES / 2 ? animalName() : `${animalName()}-${randomName(4)}`;
}
