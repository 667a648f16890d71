/** The Durable Object of one session: its document, owner and tunnel. All mutations run here, one at a time. */
import { DurableObject } from "cloudflare:workers";
import type { TunnelData } from "../../core/api/worker-api.ts";
import { randomName } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { newSecret } from "../secret.ts";
import { type PendingDeletion, TunnelError, type TunnelProvider } from "../tunnel/provider.ts";
import { tunnelProvider } from "../tunnel/tunnels.ts";
import { directory } from "./directory-object.ts";
import { lifetimes, sessionExpires, tunnelExpires } from "./lifetime.ts";
import { NO_VERSION, type RoutableSession, routableSession } from "./routable-session.ts";
import {
  mayUpsert,
  type SessionRecord,
  type SessionUpsert,
  type TunnelRecord,
  type TunnelResult,
  type UpsertResult,
} from "./session-record.ts";

// Storage keys.
const RECORD = "session";
const TUNNEL = "tunnel";
const PENDING_DELETION = "leftover";
/** Resolution of `used`: more writes would cost more than they tell. */
const USED_RESOLUTION_MS = 60 * 60 * 1000;
const VERSION_LENGTH = 10;
/** Delay before retrying what failed or was interrupted. */
const RETRY_MS = 60 * 1000;

/** The object of the session with this name, which need not exist yet. */
export function sessionObject(name: string, env: Env): DurableObjectStub<SessionObject> {
  return sessionObjects(env).getByName(name);
}

export function sessionObjects(env: Env): DurableObjectNamespace<SessionObject> {
  return env.SESSIONS as unknown as DurableObjectNamespace<SessionObject>;
}

export class SessionObject extends DurableObject<Env> {
  #record: SessionRecord | undefined;
  #tunnel: TunnelRecord | undefined;
  /** A tunnel under construction or to be deleted, which may still exist. */
  #pendingDeletion: PendingDeletion | undefined;
  /** Replaced with every change, and with every restart of the object. */
  #version = randomName(VERSION_LENGTH);
  /** Settles when the last queued mutation has ended. */
  #lastMutation: Promise<unknown> = Promise.resolve();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { kv } = state.storage;
    this.#record = kv.get<SessionRecord>(RECORD);
    this.#tunnel = kv.get<TunnelRecord>(TUNNEL);
    this.#pendingDeletion = kv.get<PendingDeletion>(PENDING_DELETION);
    // An interrupted mutation is finished at the object's next use, or at the latest by the alarm.
    if (this.#pendingDeletion) state.waitUntil(this.tidy());
  }

  /** The session as the proxy needs it; null when it does not exist. */
  lookUp(): RoutableSession | null {
    const record = this.#unexpired();
    if (!record) return null;
    this.#recordUse(record);
    const state = { version: this.#version, updated: record.updated };
    return routableSession(state, record.session, this.#tunnel ?? null, isDirect(this.env));
  }

  /**
   * 204 when the version at the end of the URL is still current, 205 otherwise.
   * Every active isolate asks every second: a fetch takes a third less CPU than an RPC call.
   */
  override fetch({ url }: Request): Response {
    const record = this.#unexpired();
    if (record) this.#recordUse(record);
    const version = record ? this.#version : NO_VERSION;
    return new Response(null, { status: url.endsWith(`/${version}`) ? 204 : 205 });
  }

  /** Creates or changes the session. Only its owner may change it. */
  upsert(upsert: SessionUpsert): Promise<UpsertResult> {
    return this.#serialize(async () => {
      const { name, session } = upsert;
      const existing = this.#unexpired();
      if (!mayUpsert(upsert, existing)) return { outcome: "conflict" };
      // The next owner of the name inherits nothing of an expired session.
      if (this.#record && !existing) await this.#delete();
      const opened = session.kind === "tunneled" ? await this.#openTunnel(name, upsert.tunnelUrl) : null;
      if (opened && opened.outcome !== "stored") return opened;
      const now = Date.now();
      this.#storeRecord({
        name,
        session,
        created: existing?.created ?? now,
        updated: now,
        used: now,
        expires_in: upsert.expires_in,
        listed: false,
      });
      await this.#scheduleAlarm(now + RETRY_MS);
      await this.#list();
      await this.#scheduleAlarm();
      return { outcome: "stored", tunnel: opened?.tunnel ?? null };
    });
  }

  /** The tunnel for this name, created if missing: v1 clients ask for it before they create the session. */
  openTunnel(name: string): Promise<TunnelResult> {
    return this.#serialize(async () => {
      const opened = await this.#openTunnel(name, this.#tunnel?.data.url ?? null);
      await this.#scheduleAlarm();
      return opened;
    });
  }

  /** Everything stored about the session; null when it does not exist. */
  inspect(): { record: SessionRecord; expires: number; tunnel: TunnelData | null } | null {
    const record = this.#unexpired();
    if (!record) return null;
    return {
      record,
      expires: sessionExpires(record, lifetimes(this.env)),
      tunnel: this.#tunnel?.data ?? null,
    };
  }

  /** Deletes the session and its tunnel; false when it did not exist. The alarm retries what cannot be deleted now. */
  remove(): Promise<boolean> {
    return this.#serialize(async () => {
      const existed = this.#unexpired() !== undefined;
      await this.#delete();
      await this.#scheduleAlarm();
      return existed;
    });
  }

  /** Whether this tunnel is the session's, or its object is about to delete it. */
  ownsTunnel(id: string): boolean {
    return this.#tunnel?.data.id === id || this.#pendingDeletion !== undefined;
  }

  override alarm(): Promise<void> {
    return this.tidy();
  }

  /** Deletes what has expired, and finishes interrupted mutations. */
  tidy(): Promise<void> {
    return this.#serialize(async () => {
      if (this.#unexpired()) await this.#list();
      else if (this.#record) await this.#delete();
      if (this.#tunnel && Date.now() >= this.#tunnelExpires()) this.#dropTunnel();
      await this.#deletePending();
      await this.#scheduleAlarm();
    });
  }

  #unexpired(): SessionRecord | undefined {
    const record = this.#record;
    return record && Date.now() < sessionExpires(record, lifetimes(this.env)) ? record : undefined;
  }

  async #openTunnel(name: string, url: string | null): Promise<TunnelResult> {
    try {
      const provider = tunnelProvider(this.env);
      const problem = provider.nameProblem(name);
      if (problem) return { outcome: "refused", reason: problem };
      const existing = this.#tunnel;
      const reused = existing && (await provider.reuse(existing, url));
      const tunnel =
        existing && reused ? { ...existing, ...reused } : await this.#createTunnel(provider, name, url);
      this.#storeTunnel(tunnel);
      return { outcome: "stored", tunnel };
    } catch (error) {
      if (!(error instanceof TunnelError)) console.error(error);
      await this.#scheduleAlarm();
      // The client gets the failure now; what was created is deleted right after, or by the alarm.
      this.ctx.waitUntil(this.tidy());
      return { outcome: "tunnel-failed", reason: (error as Error).message };
    }
  }

  /** Stores a pending deletion before anything is created, so that neither a failure nor a crash leaves an orphan. */
  async #createTunnel(provider: TunnelProvider, name: string, url: string | null): Promise<TunnelRecord> {
    const origin_secret = this.#tunnel?.origin_secret ?? newSecret();
    if (this.#tunnel) this.#dropTunnel();
    if (this.#pendingDeletion) await provider.delete(this.#pendingDeletion);
    this.#storePendingDeletion({ session: name, id: null });
    await this.#scheduleAlarm(Date.now() + RETRY_MS);
    const created = await provider.create(name, url);
    this.#storePendingDeletion(undefined);
    return { session: name, ...created, origin_secret };
  }

  /** Deletes the session at once, its tunnel after it. */
  async #delete(): Promise<void> {
    // The directory first: if it fails, nothing has changed; if we are interrupted after it, the alarm lists the session again.
    if (this.#record) await directory(this.env).delete(this.#record.name);
    if (this.#tunnel) this.#dropTunnel();
    this.ctx.storage.kv.delete(RECORD);
    this.#record = undefined;
    await this.#scheduleAlarm(Date.now() + RETRY_MS);
    await this.#deletePending();
  }

  #storeTunnel(tunnel: TunnelRecord): void {
    this.ctx.storage.kv.put(TUNNEL, tunnel);
    this.#tunnel = tunnel;
    this.#version = randomName(VERSION_LENGTH);
  }

  #dropTunnel(): void {
    this.#storePendingDeletion({ session: this.#tunnel!.session, id: this.#tunnel!.data.id });
    this.ctx.storage.kv.delete(TUNNEL);
    this.#tunnel = undefined;
    this.#version = randomName(VERSION_LENGTH);
  }

  /** Leaves a failure to the alarm. */
  async #deletePending(): Promise<void> {
    if (!this.#pendingDeletion) return;
    try {
      await tunnelProvider(this.env).delete(this.#pendingDeletion);
      this.#storePendingDeletion(undefined);
    } catch (error) {
      console.error(error instanceof TunnelError ? error.message : error);
    }
  }

  async #list(): Promise<void> {
    const record = this.#record!;
    try {
      await directory(this.env).put({
        name: record.name,
        kind: record.session.kind,
        created: record.created,
        updated: record.updated,
        expires: sessionExpires(record, lifetimes(this.env)),
      });
      this.#storeRecord({ ...record, listed: true });
    } catch (error) {
      // The session works without it; the alarm lists it.
      console.error(error);
    }
  }

  #recordUse(record: SessionRecord): void {
    const now = Date.now();
    if (now - record.used > USED_RESOLUTION_MS) this.#storeRecord({ ...record, used: now });
  }

  #storeRecord(record: SessionRecord): void {
    this.ctx.storage.kv.put(RECORD, record);
    this.#record = record;
    this.#version = randomName(VERSION_LENGTH);
  }

  #storePendingDeletion(pending: PendingDeletion | undefined): void {
    if (pending) this.ctx.storage.kv.put(PENDING_DELETION, pending);
    else this.ctx.storage.kv.delete(PENDING_DELETION);
    this.#pendingDeletion = pending;
  }

  #tunnelExpires(): number {
    return tunnelExpires(this.#tunnel!.data.last_started, this.#record?.used ?? 0, lifetimes(this.env));
  }

  /** Sets the alarm, by default for the next due time. An object with nothing due deletes all its storage. */
  async #scheduleAlarm(at?: number): Promise<void> {
    const { storage } = this.ctx;
    if (at !== undefined) return storage.setAlarm(at);
    const due: number[] = [];
    if (this.#record) due.push(sessionExpires(this.#record, lifetimes(this.env)));
    if (this.#record && !this.#record.listed) due.push(Date.now() + RETRY_MS);
    if (this.#tunnel) due.push(this.#tunnelExpires());
    if (this.#pendingDeletion) due.push(Date.now() + RETRY_MS);
    if (due.length > 0) return storage.setAlarm(Math.min(...due));
    await storage.deleteAlarm();
    await storage.deleteAll();
  }

  /** Mutations await other services; run them one at a time. */
  #serialize<T>(mutation: () => Promise<T>): Promise<T> {
    const result = this.#lastMutation.then(mutation);
    this.#lastMutation = result.catch(() => {});
    return result;
  }
}
