/** The Durable Object of one session: its document, its owner, its tunnel. All changes of a session happen here, one after the other. */
import { DurableObject } from "cloudflare:workers";
import type { TunnelData } from "../core/control.ts";
import { httpOrigin, type Routing, type Session, type SessionKind } from "../core/session.ts";
import { DIRECTORY_NAME, type Env, isDirect } from "./env.ts";
import { goesThroughTunnel } from "./locality.ts";
import { newToken } from "./secret.ts";
import { tunnelProvider } from "./tunnel.ts";

/** What is kept of a session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  name: string;
  session: Session;
  created: number;
  updated: number;
  /** When a request last asked for it, to within `USED_EVERY_MS`. */
  used: number;
}

export interface TunnelRecord {
  data: TunnelData;
  /** What requests through the tunnel carry, so that the laptop knows that they come from here. */
  origin_secret: string;
}

/** What the proxy needs to serve a session's requests. */
export interface KnownSession {
  kind: SessionKind;
  /** Locations on the laptop are the tunnel's URL. */
  routing: Routing;
  tunnel: { origin: string; secret: string } | null;
}

export interface Upsert {
  name: string;
  session: Session;
  /** A new session is wanted: an existing one is a conflict even for its owner. */
  fresh: boolean;
  /** The laptop's address, for `direct`. */
  tunnelUrl: string | null;
}

export type Upserted =
  | { outcome: "stored"; tunnel: TunnelRecord | null }
  | { outcome: "conflict" }
  | { outcome: "tunnel-failed"; reason: string };

const RECORD = "session";
const TUNNEL = "tunnel";
const USED_EVERY_MS = 60 * 60 * 1000;

export class SessionObject extends DurableObject<Env> {
  #record: SessionRecord | undefined;
  #tunnel: TunnelRecord | undefined;
  /** Ends when the change that is under way has ended. */
  #change: Promise<unknown> = Promise.resolve();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#record = state.storage.kv.get<SessionRecord>(RECORD);
    this.#tunnel = state.storage.kv.get<TunnelRecord>(TUNNEL);
  }

  /** The session as requests are routed by it; null when there is none. */
  lookUp(): KnownSession | null {
    if (!this.#record) return null;
    const now = Date.now();
    if (now - this.#record.used > USED_EVERY_MS) this.#keep({ ...this.#record, used: now });
    return {
      kind: this.#record.session.kind,
      routing: throughTunnel(this.#record.session, this.#tunnel?.data.url, isDirect(this.env)),
      tunnel:
        (this.#tunnel && {
          origin: httpOrigin(this.#tunnel.data.url) ?? this.#tunnel.data.url,
          secret: this.#tunnel.origin_secret,
        }) ||
        null,
    };
  }

  /** Creates or changes the session. Only the one who knows its token may change it. */
  upsert(wanted: Upsert): Promise<Upserted> {
    return this.#oneByOne(async () => {
      const existing = this.#record;
      if (existing && (wanted.fresh || existing.session.session_token !== wanted.session.session_token))
        return { outcome: "conflict" };
      if (wanted.session.kind === "tunneled") {
        const failed = await this.#openTunnel(wanted.name, wanted.tunnelUrl);
        if (failed) return failed;
      }
      const now = Date.now();
      this.#keep({
        name: wanted.name,
        session: wanted.session,
        created: existing?.created ?? now,
        updated: now,
        used: now,
      });
      await this.#directory().put({ name: wanted.name, kind: wanted.session.kind, updated: now });
      return { outcome: "stored", tunnel: wanted.session.kind === "tunneled" ? this.#tunnel! : null };
    });
  }

  /** The tunnel of this name, made if there is none, as clients of the first API ask for it. */
  openTunnel(name: string): Promise<Upserted> {
    return this.#oneByOne(async () => {
      const failed = await this.#openTunnel(name, null);
      return failed ?? { outcome: "stored", tunnel: this.#tunnel! };
    });
  }

  /** All that is known of the session, for its users' eyes; null when there is none. */
  inspect(): { record: SessionRecord; tunnel: TunnelData | null } | null {
    return this.#record ? { record: this.#record, tunnel: this.#tunnel?.data ?? null } : null;
  }

  /** Deletes the session and its tunnel; false when there was none. */
  remove(): Promise<boolean> {
    return this.#oneByOne(async () => {
      const record = this.#record;
      if (this.#tunnel) await tunnelProvider(this.env).close(this.#tunnel.data);
      await this.ctx.storage.deleteAll();
      this.#record = undefined;
      this.#tunnel = undefined;
      if (record) await this.#directory().delete(record.name);
      return record !== undefined;
    });
  }

  async #openTunnel(name: string, url: string | null): Promise<Upserted | undefined> {
    try {
      const existing = this.#tunnel;
      const data = await tunnelProvider(this.env).open({
        session: name,
        existing: existing?.data ?? null,
        url,
      });
      this.#tunnel = { data, origin_secret: existing?.origin_secret ?? newToken() };
      this.ctx.storage.kv.put(TUNNEL, this.#tunnel);
      return undefined;
    } catch (error) {
      return { outcome: "tunnel-failed", reason: (error as Error).message };
    }
  }

  #keep(record: SessionRecord): void {
    this.ctx.storage.kv.put(RECORD, record);
    this.#record = record;
  }

  #directory() {
    return this.env.DIRECTORY.get(this.env.DIRECTORY.idFromName(DIRECTORY_NAME));
  }

  /** A change talks to others in the middle, when the next one could start: it waits instead. */
  #oneByOne<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#change.then(change);
    this.#change = result.catch(() => {});
    return result;
  }
}

/** The routing with every location on the laptop replaced by the tunnel's URL. */
function throughTunnel(session: Session, tunnelUrl: string | undefined, direct: boolean): Routing {
  const { services, domains, cache_routes } = session;
  if (!tunnelUrl) return { services, domains, cache_routes };
  return {
    services: services.map((service) =>
      goesThroughTunnel(service.location, direct) ? { ...service, location: tunnelUrl } : service,
    ),
    domains,
    cache_routes,
  };
}
