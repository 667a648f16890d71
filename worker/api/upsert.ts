/** Creates and changes sessions: validates the request and chooses the name. */
import * as z from "zod/mini";
import type { AccessDetails } from "../../core/api/access-api.ts";
import { MAX_EXPIRY_S } from "../../core/api/worker-api.ts";
import { lazy } from "../../core/lazy.ts";
import { parseUpsert } from "../../core/session/parse-session.ts";
import { type Session, serializeSession, type UpsertRequest } from "../../core/session/session-document.ts";
import { animalName, contentName, randomName } from "../../core/session/session-name.ts";
import { defaultAccess, type Env, isDirect } from "../env.ts";
import { type Actor, PREVIEW_TOKEN } from "../objects/owner.ts";
import { sessionObject } from "../objects/session-object.ts";
import type { SessionUpsert, TunnelRecord, UpsertResult } from "../objects/stored-session.ts";
import { invalidateLookup } from "../proxy/session-lookup.ts";
import { newSecret } from "../secret.ts";
import { locationProblems } from "./targets.ts";

export interface UpsertOptions {
  kind: "tunneled" | "preview";
  /** What to do when the desired name belongs to another owner. */
  onConflict: "refuse" | "fresh-name";
  body: unknown;
  /** Where the API is served; no service may have it as its location. */
  ownHost: string;
  actor: Actor;
}

export type SaveResult =
  | { ok: true; name: string; tunnel: TunnelRecord | null; access: AccessDetails }
  /** `taken`: another name may do. */
  | { ok: false; status: 400 | 409 | 502 | 503; reason: string; taken?: boolean };

const MAX_NAME_ATTEMPTS = 20;
/** Length of the random suffix: 10 lower-case alphanumerics are 51 bits. */
const UNGUESSABLE_LENGTH = 10;
const UNGUESSABLE_NAME = /-[a-z0-9]{10}$/;
const MAX_NAME_LENGTH = 63;

export const expiryValue = lazy(() =>
  z.nullable(
    z
      .int("must be a whole number of seconds")
      .check(
        z.minimum(1, "must be at least 1 second"),
        z.maximum(MAX_EXPIRY_S, `must be at most ${MAX_EXPIRY_S} seconds`),
      ),
  ),
);

/** Fields of upsert requests that the original does not have. */
const extensionSchema = lazy(() =>
  z.object({
    expires_in: z.optional(expiryValue()),
    replace: z.optional(z.nullable(z.boolean("must be true or false"))),
    tunnel_refused: z.optional(z.nullable(z.string("must be the id of a tunnel"))),
  }),
);

/** Saves the session of an upsert request. */
export async function saveSession(options: UpsertOptions, env: Env): Promise<SaveResult> {
  const { kind, onConflict } = options;
  const parsed = parseUpsert(withoutEmptyName(options.body));
  const extensions = extensionSchema().safeParse(options.body);
  const problems = parsed.ok ? [] : parsed.errors;
  // A body that is not an object is one problem, not two.
  if (
    !extensions.success &&
    options.body !== null &&
    !Array.isArray(options.body) &&
    typeof options.body === "object"
  )
    problems.push(...extensions.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  if (!parsed.ok || !extensions.success || problems.length > 0) return refused(problems);
  const request = parsed.value;

  const access = request.access ?? undefined;
  const isNamedByContent = kind === "preview" && !request.desired_name && access !== "unguessable";
  const session = isNamedByContent ? sorted(newSession(kind, request)) : newSession(kind, request);
  const refusedLocations = locationProblems(session, options.ownHost, isDirect(env));
  if (refusedLocations.length > 0) return refused(refusedLocations);

  const save: Save = async (name, ifExists) => {
    const result = await sessionObject(name, env).upsert({
      name,
      session,
      actor: options.actor,
      ifExists,
      workerHost: options.ownHost,
      tunnelUrl: request.tunnel_url ?? null,
      refusedTunnel: extensions.data.tunnel_refused ?? null,
      expires_in: extensions.data.expires_in ?? null,
      access,
      open: request.access_open ?? undefined,
      routed: request.routed ?? undefined,
      defaultAccess: defaultAccess(env),
    });
    invalidateLookup(name);
    return saveResult(name, result);
  };

  if (access === "unguessable") return saveUnguessable(request.desired_name ?? null, save);
  if (isNamedByContent) {
    // A private preview of what another shows to everybody is another one.
    const content = { ...serializeSession(session), ...(access === "private" ? { access } : {}) };
    return saveFirstFree((attempt) => nameByContent(content, attempt), "match", save);
  }
  if (request.desired_name) {
    const saved = await save(request.desired_name, extensions.data.replace ? "replace" : "update");
    if (saved.ok || !isTaken(saved) || onConflict === "refuse") return saved;
  }
  const animal = kind === "tunneled" && (request.name_kind === "animal" || isFromV1(options));
  return saveFirstFree((attempt) => freshName(animal, attempt), "fail", save);
}

type Save = (name: string, ifExists: SessionUpsert["ifExists"]) => Promise<SaveResult>;

async function saveFirstFree(
  newName: (attempt: number) => string | Promise<string>,
  ifExists: SessionUpsert["ifExists"],
  save: Save,
): Promise<SaveResult> {
  for (let attempt = 0; attempt < MAX_NAME_ATTEMPTS; attempt++) {
    const saved = await save(await newName(attempt), ifExists);
    if (saved.ok || !isTaken(saved)) return saved;
  }
  return {
    ok: false,
    status: 503,
    reason: `All of ${MAX_NAME_ATTEMPTS} generated names are in use. Try again.`,
  };
}

function isTaken(saved: SaveResult & { ok: false }): boolean {
  return saved.status === 409 || saved.taken === true;
}

/** Keeps an unguessable name of the same owner. Any other desired name becomes the prefix of a new one. */
async function saveUnguessable(desired: string | null, save: Save): Promise<SaveResult> {
  if (desired !== null && UNGUESSABLE_NAME.test(desired)) {
    const saved = await save(desired, "require");
    if (saved.ok || saved.status !== 409) return saved;
  }
  const start = (desired ?? animalName()).slice(0, MAX_NAME_LENGTH - 1 - UNGUESSABLE_LENGTH);
  return saveFirstFree(() => `${start}-${randomName(UNGUESSABLE_LENGTH)}`, "fail", save);
}

/** The same content gets the same name; on a collision the later content gets the next one. */
function nameByContent(content: object, attempt: number): Promise<string> {
  return contentName(attempt === 0 ? content : { ...content, attempt });
}

function refused(problems: string[]): SaveResult {
  return { ok: false, status: 400, reason: problems.join("\n") };
}

function saveResult(name: string, result: UpsertResult): SaveResult {
  switch (result.outcome) {
    case "stored":
      return { ok: true, name, tunnel: result.tunnel, access: result.access };
    case "conflict":
      return { ok: false, status: 409, reason: "Conflict" };
    case "refused":
      return refused([`desired_name: ${result.reason}`]);
    case "tunnel-failed":
      return { ok: false, status: 502, reason: result.reason, taken: result.taken };
  }
}

function newSession(kind: "tunneled" | "preview", request: UpsertRequest): Session {
  const { services, domains, cache_routes, session_cookie, baggage, share_targets, overrides } = request;
  const session_token = request.session_token ?? (kind === "preview" ? PREVIEW_TOKEN : newSecret());
  return {
    kind,
    session_token,
    services,
    domains,
    cache_routes,
    session_cookie,
    baggage,
    overrides,
    ...(share_targets === undefined ? {} : { share_targets }),
  };
}

/** The session in canonical order. The order of routes and rewrites has a meaning, and stays. */
function sorted(session: Session): Session {
  return {
    ...session,
    services: session.services.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    domains: session.domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1)),
    cache_routes: session.cache_routes.toSorted(),
  };
}

/** v1 clients ask for a new name by an empty one, and always get an animal. */
function isFromV1({ onConflict, body }: UpsertOptions): boolean {
  return onConflict === "fresh-name" || hasEmptyName(body);
}

function hasEmptyName(body: unknown): boolean {
  return (body as { desired_name?: unknown } | null)?.desired_name === "";
}

function withoutEmptyName(body: unknown): unknown {
  return hasEmptyName(body) ? { ...(body as object), desired_name: null } : body;
}

/** Later attempts use longer names, which are more likely to be free. */
function freshName(animal: boolean, attempt: number): string {
  if (!animal) return randomName();
  return attempt < MAX_NAME_ATTEMPTS / 2 ? animalName() : `${animalName()}-${randomName(4)}`;
}
