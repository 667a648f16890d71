/** Creating and changing sessions: whose name is it, and what is refused. */
import { animalName, contentName, randomName } from "../core/names.ts";
import { parseUpsert, printSession, type Session, type UpsertRequest } from "../core/session.ts";
import { type Env, isDirect } from "./env.ts";
import { goesThroughTunnel } from "./locality.ts";
import { forget } from "./lookup.ts";
import { newToken } from "./secret.ts";
import type { TunnelRecord, Upsert, Upserted } from "./session-object.ts";

export type SavedSession =
  | { ok: true; name: string; tunnel: TunnelRecord | null }
  | { ok: false; status: 400 | 409 | 502 | 503; reason: string };

/** The token of preview sessions whose request has none, as the original has it. */
const PREVIEW_TOKEN = "preview_session";
const NAME_TRIES = 20;

/**
 * Saves the session of an upsert request.
 * `whenTaken`: what happens when the desired name belongs to another token.
 */
export async function saveSession(
  kind: "tunneled" | "preview",
  body: unknown,
  whenTaken: "refuse" | "fresh-name",
  env: Env,
): Promise<SavedSession> {
  const parsed = parseUpsert(withoutEmptyName(body));
  if (!parsed.ok) return { ok: false, status: 400, reason: parsed.problems.join("\n") };
  const request = parsed.value;

  const session = newSession(kind, request);
  const refused = kind === "preview" ? localLocations(session, isDirect(env)) : [];
  if (refused.length > 0) return { ok: false, status: 400, reason: refused.join("\n") };

  const tunnelUrl = request.tunnel_url ?? null;
  const save = async (name: string, fresh: boolean) => {
    const upserted = await upsertSession({ name, session, fresh, tunnelUrl }, env);
    return result(name, upserted);
  };

  if (request.desired_name) {
    const saved = await save(request.desired_name, false);
    if (saved.ok || saved.status !== 409 || whenTaken === "refuse") return saved;
  } else if (kind === "preview") {
    return save(await contentName(printSession(session)), false);
  }
  const animal =
    kind === "tunneled" &&
    (request.name_kind === "animal" || asksForAnyName(body) || whenTaken === "fresh-name");
  for (let attempt = 0; attempt < NAME_TRIES; attempt++) {
    const saved = await save(freshName(animal, attempt), true);
    if (saved.ok || saved.status !== 409) return saved;
  }
  return { ok: false, status: 503, reason: `None of ${NAME_TRIES} new names was free. Try again.` };
}

async function upsertSession(upsert: Upsert, env: Env): Promise<Upserted> {
  const object = env.SESSIONS.get(env.SESSIONS.idFromName(upsert.name));
  const upserted = await object.upsert(upsert);
  forget(upsert.name);
  return upserted;
}

function result(name: string, upserted: Upserted): SavedSession {
  switch (upserted.outcome) {
    case "stored":
      return { ok: true, name, tunnel: upserted.tunnel };
    case "conflict":
      return { ok: false, status: 409, reason: "Conflict" };
    case "tunnel-failed":
      return { ok: false, status: 502, reason: upserted.reason };
  }
}

function newSession(kind: "tunneled" | "preview", request: UpsertRequest): Session {
  const { services, domains, cache_routes } = request;
  const session_token = request.session_token ?? (kind === "preview" ? PREVIEW_TOKEN : newToken());
  return { kind, session_token, services, domains, cache_routes };
}

/** What makes a preview impossible: nobody's machine serves it. */
function localLocations(session: Session, direct: boolean): string[] {
  return session.services.flatMap(({ name, location }, index) =>
    goesThroughTunnel(location, direct)
      ? [
          `services[${index}].location: ${location} (service "${name}") is on this machine, which a preview session cannot reach`,
        ]
      : [],
  );
}

/** Clients of the first API ask for a new name by an empty one. */
function asksForAnyName(body: unknown): boolean {
  return (body as { desired_name?: unknown }).desired_name === "";
}

function withoutEmptyName(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !asksForAnyName(body)) return body;
  return { ...body, desired_name: null };
}

/** When many names are taken, longer ones are likelier to be free. */
function freshName(animal: boolean, attempt: number): string {
  if (!animal) return randomName();
  return attempt < NAME_TRIES / 2 ? animalName() : `${animalName()}-${randomName(4)}`;
}
