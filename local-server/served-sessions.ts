/** The sessions that this machine serves, and the previews whose requests it follows. */
import * as z from "zod/mini";
import type { ServedSession } from "../core/api/control-api.ts";
import { resolveAuto } from "../core/session/auto-target.ts";
import type { OverrideAction } from "../core/session/override-action.ts";
import { type ParseResult, parseSession } from "../core/session/parse-session.ts";
import type { AutoState } from "../core/session/session-document.ts";
import { type Session, serializeSession } from "../core/session/session-document.ts";
import { sessionNameError } from "../core/session/session-name.ts";
import { formatText } from "../core/text.ts";

const MAX_BODY = 10 * 1024 * 1024;
const MAX_DELAY_MS = 60_000;

export interface Served {
  name: string;
  session: Session;
  originSecret: string | null;
  /** Of a private session: the key of the proof that requests which begin on this machine carry on. */
  traceKey: string | null;
  configPath: string | null;
  /** What its overrides do here, by their names. */
  overrideActions: ReadonlyMap<string, OverrideAction>;
  /** The Worker's API, to watch the session's requests there; null for a Worker that cannot tell them. */
  edge?: ServedSession["edge"];
}

export class Sessions {
  readonly #served = new Map<string, Served>();
  /** Previews: requests to them do not come here, but are followed at the Worker. */
  readonly #previews = new Map<string, Served>();
  /** The same with services that are routed automatically where they are now. */
  readonly #current = new Map<string, Served>();
  readonly #listeners = new Set<() => void>();
  /** Where a service of this local location, which is routed automatically, is now. */
  stateOf: (location: string) => AutoState = () => "local";

  /** Tells when a session comes, goes or is replaced. Returns how to stop that. */
  onDidChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get names(): string[] {
    return [...this.#served.keys(), ...this.#previews.keys()].sort();
  }

  get(name: string): Served | undefined {
    return this.#current.get(name);
  }

  /** As it was put. */
  given(name: string): Served | undefined {
    return this.#served.get(name) ?? this.#previews.get(name);
  }

  /** Those whose requests the Worker may tell. */
  *followed(): Generator<Served> {
    yield* this.#current.values();
    yield* this.#previews.values();
  }

  /** As `get`, and previews. */
  followedAs(name: string): Served | undefined {
    return this.#current.get(name) ?? this.#previews.get(name);
  }

  *[Symbol.iterator](): Generator<Served> {
    yield* this.#current.values();
  }

  /** Of a service that is routed automatically, wherever it is now. */
  autoLocation(name: string, service: string): string | undefined {
    const given = this.#served.get(name)?.session.services.find((each) => each.name === service);
    return given?.fallback === undefined ? undefined : given.location;
  }

  /** The local locations of services that are routed automatically. */
  get autoLocations(): Set<string> {
    const all = Array.from(this.#served.values(), ({ session }) => session.services).flat();
    return new Set(all.filter(({ fallback }) => fallback !== undefined).map(({ location }) => location));
  }

  /** Moves services that are routed automatically, for all requests from now on. */
  resolve(): void {
    for (const served of this.#served.values()) this.#resolve(served);
  }

  #resolve(served: Served): void {
    const session = resolveAuto(served.session, this.stateOf);
    this.#current.set(served.name, session === served.session ? served : { ...served, session });
  }

  /** Adds or replaces a session, for all requests from now on. */
  put(name: string, body: unknown): ParseResult<Served> {
    const served = parseServed(name, body);
    if (!served.ok) return served;
    this.#remove(name);
    if (served.value.session.kind === "preview") this.#previews.set(name, served.value);
    else {
      this.#served.set(name, served.value);
      this.#resolve(served.value);
    }
    this.#tell();
    return served;
  }

  delete(name: string): void {
    this.#remove(name);
    this.#tell();
  }

  #remove(name: string): void {
    this.#served.delete(name);
    this.#current.delete(name);
    this.#previews.delete(name);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const status = z.int().check(z.gte(200), z.lte(599));

/** The file is not ours: its limits hold here too. */
const overrideActions: z.ZodMiniType<Record<string, OverrideAction>> = z.record(
  z.string(),
  z.union([
    z.object({
      respond: z.object({
        status: z.exactOptional(status),
        headers: z.exactOptional(
          z.record(
            z.string().check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/)),
            z.string().check(z.regex(/^[^\p{Cc}]*$/u), z.maxLength(8_000)),
          ),
        ),
        body: z.exactOptional(z.string().check(z.maxLength(MAX_BODY))),
        file: z.exactOptional(z.string()),
      }),
    }),
    z.object({
      fault: z.object({
        delay_ms: z.exactOptional(z.number().check(z.gte(0), z.lte(MAX_DELAY_MS))),
        status: z.exactOptional(status),
        abort: z.exactOptional(z.boolean()),
        share: z.exactOptional(z.number().check(z.gt(0), z.lte(1))),
      }),
    }),
  ]),
);

function parseServed(name: string, body: unknown): ParseResult<Served> {
  const problems: string[] = [];
  const problem = sessionNameError(name);
  if (problem) problems.push(formatText(problem));
  const members: Partial<ServedSession> = typeof body === "object" && body !== null ? body : {};
  const text = (member: "origin_secret" | "trace_key" | "config_path"): string | null => {
    const value: unknown = members[member] ?? null;
    if (value === null || (typeof value === "string" && value !== "")) return value;
    problems.push(`${member}: must be a non-empty string, or null`);
    return null;
  };
  const originSecret = text("origin_secret");
  const traceKey = text("trace_key");
  const configPath = text("config_path");
  const { edge } = members;
  const actions = z.safeParse(overrideActions, members.override_actions ?? {});
  if (!actions.success) problems.push("override_actions: must say what each override does");
  if (edge && !(/^https?:/.test(edge.url) && URL.canParse(edge.url) && typeof edge.token === "string"))
    problems.push("edge: must have the http(s) url and the token of the Worker's API, or be null");
  const session = parseSession(members.session);
  if (!session.ok) problems.push(...session.errors.map((text) => `session: ${text}`));
  if (!session.ok || problems.length > 0) return { ok: false, errors: problems };
  return {
    ok: true,
    value: {
      name,
      session: session.value,
      originSecret,
      traceKey,
      configPath,
      overrideActions: new Map(Object.entries(actions.data ?? {})),
      ...(edge === undefined ? {} : { edge }),
    },
  };
}

/** As the control API shows it: without the origin secret and the tokens. */
export function printServed({ session, configPath }: Served): ServedSession {
  return {
    session: { ...serializeSession(session), session_token: "" },
    origin_secret: null,
    config_path: configPath,
  };
}
