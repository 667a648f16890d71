/** The Durable Object of one session: its document, its owner, its tunnel. All its changes happen here, one after the other. */
import { DurableObject } from "cloudflare:workers";
import type { TunnelData } from "../../core/api/control-api.ts";
import { randomName } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { newSecret } from "../secret.ts";
import { type DoomedTunnel, TunnelError, type TunnelProvider, tunnelProvider } from "../tunnel/provider.ts";
import { directory } from "./directory-object.ts";
import { type KnownSession, knownSession, NO_VERSION } from "./known-session.ts";
import { lifetimes, sessionExpires, tunnelExpires } from "./lifetime.ts";
import {
  isFree,
  type OpenedTunnel,
  type SessionRecord,
  type TunnelRecord,
  type Upsert,
  type Upserted,
} from "./session-record.ts";

const RECORD = "session";
const TUNNEL = "tunnel";
const LEFTOVER = "leftover";
const USED_EVERY_MS = 60 * 60 * 1000;
const VERSION_LENGTH = 10;
/** When to try again what failed, or was interrupted. */
const RETRY_MS = 60 * 1000;

export class SessionObject extends DurableObject<Env> {
  #record: SessionRecord | undefined;
  #tunnel: TunnelRecord | undefined;
  /** A tunnel that was begun or is to be deleted, and may still be there. */
  #leftover: DoomedTunnel | undefined;
  /** Another one after each change, and after each start of the object. */
  #version = randomName(VERSION_LENGTH);
  /** Ends when the change that is under way has ended. */
  #change: Promise<unknown> = Promise.resolve();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { kv } = state.storage;
    this.#record = kv.get<SessionRecord>(RECORD);
    this.#tunnel = kv.get<TunnelRecord>(TUNNEL);
    this.#leftover = kv.get<DoomedTunnel>(LEFTOVER);
    // What the object was interrupted in is finished at its next use, or at the latest by the alarm.
    if (this.#leftover) state.waitUntil(this.tidy());
  }

  /** The session as requests are routed by it; null when there is none. */
  lookUp(): KnownSession | null {
    const record = this.#living();
    if (!record) return null;
    this.#noteUse(record);
    const state = { version: this.#version, updated: record.updated };
    return knownSession(state, record.session, this.#tunnel ?? null, isDirect(this.env));
  }

  /**
   * 204 when the version at the end of the URL is the session's, or none and there is no session; else 205.
   * Every isolate in use asks every second: a request costs it a third less than a call.
   */
  override fetch({ url }: Request): Response {
    const record = this.#living();
    if (record) this.#noteUse(record);
    const version = record ? this.#version : NO_VERSION;
    return new Response(null, { status: url.endsWith(`/${version}`) ? 204 : 205 });
  }

  /** Creates or changes the session. Only the one who knows its token may change it. */
  upsert(wanted: Upsert): Promise<Upserted> {
    return this.#oneByOne(async () => {
      const { name, session } = wanted;
      const existing = this.#living();
      if (!isFree(wanted, existing)) return { outcome: "conflict" };
      // An expired one leaves nothing to the next owner of its name.
      if (this.#record && !existing) await this.#delete();
      const opened = session.kind === "tunneled" ? await this.#openTunnel(name, wanted.tunnelUrl) : null;
      if (opened && opened.outcome !== "stored") return opened;
      const now = Date.now();
      this.#keepRecord({
        name,
        session,
        created: existing?.created ?? now,
        updated: now,
        used: now,
        expires_in: wanted.expires_in,
        listed: false,
      });
      await this.#wake(now + RETRY_MS);
      await this.#list();
      await this.#wake();
      return { outcome: "stored", tunnel: opened?.tunnel ?? null };
    });
  }

  /** The tunnel of this name, made if there is none, as clients of the first API ask for it. */
  openTunnel(name: string): Promise<OpenedTunnel> {
    return this.#oneByOne(async () => {
      const opened = await this.#openTunnel(name, this.#tunnel?.data.url ?? null);
      await this.#wake();
      return opened;
    });
  }

  /** All that is known of the session; null when there is none. */
  inspect(): { record: SessionRecord; expires: number; tunnel: TunnelData | null } | null {
    const record = this.#living();
    if (!record) return null;
    return {
      record,
      expires: sessionExpires(record, lifetimes(this.env)),
      tunnel: this.#tunnel?.data ?? null,
    };
  }

  /** Deletes the session and its tunnel; false when there was none. What cannot be deleted now is deleted later. */
  remove(): Promise<boolean> {
    return this.#oneByOne(async () => {
      const existed = this.#living() !== undefined;
      await this.#delete();
      await this.#wake();
      return existed;
    });
  }

  /** Whether this tunnel is the session's, or is about to be deleted by it. */
  ownsTunnel(id: string): boolean {
    return this.#tunnel?.data.id === id || this.#leftover !== undefined;
  }

  override alarm(): Promise<void> {
    return this.tidy();
  }

  /** Deletes what has expired, and finishes what was interrupted. */
  tidy(): Promise<void> {
    return this.#oneByOne(async () => {
      if (this.#living()) await this.#list();
      else if (this.#record) await this.#delete();
      if (this.#tunnel && Date.now() >= this.#tunnelExpires()) this.#dropTunnel();
      await this.#closeLeftover();
      await this.#wake();
    });
  }

  #living(): SessionRecord | undefined {
    const record = this.#record;
    return record && Date.now() < sessionExpires(record, lifetimes(this.env)) ? record : undefined;
  }

  async #openTunnel(name: string, url: string | null): Promise<OpenedTunnel> {
    try {
      const provider = tunnelProvider(this.env);
      const problem = provider.nameProblem(name);
      if (problem) return { outcome: "refused", reason: problem };
      const existing = this.#tunnel;
      const kept = existing && (await provider.keep(existing, url));
      const tunnel =
        existing && kept ? { ...existing, ...kept } : await this.#makeTunnel(provider, name, url);
      this.#keepTunnel(tunnel);
      return { outcome: "stored", tunnel };
    } catch (error) {
      if (!(error instanceof TunnelError)) console.error(error);
      await this.#wake();
      // The client hears of it now; what was made is deleted right after, or by the alarm.
      this.ctx.waitUntil(this.tidy());
      return { outcome: "tunnel-failed", reason: (error as Error).message };
    }
  }

  /**
   * Notes the tunnel as a leftover before anything is made, so that neither a failure nor a crash orphans it:
   * the alarm deletes what a leftover names.
   */
  async #makeTunnel(provider: TunnelProvider, name: string, url: string | null): Promise<TunnelRecord> {
    const origin_secret = this.#tunnel?.origin_secret ?? newSecret();
    if (this.#tunnel) this.#dropTunnel();
    if (this.#leftover) await provider.close(this.#leftover);
    this.#keepLeftover({ session: name, id: null });
    await this.#wake(Date.now() + RETRY_MS);
    const opened = await provider.open(name, url);
    this.#keepLeftover(undefined);
    return { session: name, ...opened, origin_secret };
  }

  /** The session is gone at once; its tunnel follows. */
  async #delete(): Promise<void> {
    // First the directory: should it fail, nothing has happened; should the rest not follow, the alarm lists it again.
    if (this.#record) await directory(this.env).delete(this.#record.name);
    if (this.#tunnel) this.#dropTunnel();
    this.ctx.storage.kv.delete(RECORD);
    this.#record = undefined;
    await this.#wake(Date.now() + RETRY_MS);
    await this.#closeLeftover();
  }

  #keepTunnel(tunnel: TunnelRecord): void {
    this.ctx.storage.kv.put(TUNNEL, tunnel);
    this.#tunnel = tunnel;
    this.#version = randomName(VERSION_LENGTH);
  }

  #dropTunnel(): void {
    this.#keepLeftover({ session: this.#tunnel!.session, id: this.#tunnel!.data.id });
    this.ctx.storage.kv.delete(TUNNEL);
    this.#tunnel = undefined;
    this.#version = randomName(VERSION_LENGTH);
  }

  /** Failing, it is left to the alarm. */
  async #closeLeftover(): Promise<void> {
    if (!this.#leftover) return;
    try {
      await tunnelProvider(this.env).close(this.#leftover);
      this.#keepLeftover(undefined);
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
      this.#keepRecord({ ...record, listed: true });
    } catch (error) {
      // The session serves all the same; the alarm lists it.
      console.error(error);
    }
  }

  #noteUse(record: SessionRecord): void {
    const now = Date.now();
    if (now - record.used > USED_EVERY_MS) this.#keepRecord({ ...record, used: now });
  }

  #keepRecord(record: SessionRecord): void {
    this.ctx.storage.kv.put(RECORD, record);
    this.#record = record;
    this.#version = randomName(VERSION_LENGTH);
  }

  #keepLeftover(leftover: DoomedTunnel | undefined): void {
    if (leftover) this.ctx.storage.kv.put(LEFTOVER, leftover);
    else this.ctx.storage.kv.delete(LEFTOVER);
    this.#leftover = leftover;
  }

  #tunnelExpires(): number {
    return tunnelExpires(this.#tunnel!.data.last_started, this.#record?.used ?? 0, lifetimes(this.env));
  }

  /** Sets the alarm for what comes next. With nothing left to do or to keep, the object ceases to exist. */
  async #wake(at?: number): Promise<void> {
    const { storage } = this.ctx;
    if (at !== undefined) return storage.setAlarm(at);
    const due: number[] = [];
    if (this.#record) due.push(sessionExpires(this.#record, lifetimes(this.env)));
    if (this.#record && !this.#record.listed) due.push(Date.now() + RETRY_MS);
    if (this.#tunnel) due.push(this.#tunnelExpires());
    if (this.#leftover) due.push(Date.now() + RETRY_MS);
    if (due.length > 0) return storage.setAlarm(Math.min(...due));
    await storage.deleteAlarm();
    await storage.deleteAll();
  }

  /** A change asks others in the middle, when the next one could start: it waits instead. */
  #oneByOne<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#change.then(change);
    this.#change = result.catch(() => {});
    return result;
  }
}
