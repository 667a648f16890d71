/** The Durable Object of one session: its document, owner and tunnel. All mutations run here, one at a time. */
import { DurableObject } from "cloudflare:workers";
import type { Invite, InviteRequest } from "../../core/api/access-api.ts";
import type {
  RoutingAnswer,
  RoutingChange,
  RoutingRequest,
  SharedRouting,
} from "../../core/api/routing-requests-api.ts";
import type { TunnelData } from "../../core/api/worker-api.ts";
import { hostname } from "../../core/session/host-name.ts";
import { randomName } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { RateLimit } from "../rate-limit.ts";
import { newSecret, newTunnelSecret } from "../secret.ts";
import { type PendingTunnelDeletion, TunnelError, type TunnelProvider } from "../tunnel/provider.ts";
import { tunnelProvider } from "../tunnel/tunnels.ts";
import { type AccessChange, AccessLedger, type GrantedAccess, type JoinRefusal } from "./access-ledger.ts";
import { type DirectoryEntry, directory } from "./directory-object.ts";
import { lifetimes, sessionExpires, tunnelExpires } from "./lifetime.ts";
import { type Actor, isOwner, makerOf } from "./owner.ts";
import { NO_VERSION, type ResolvedSession, resolvedSession } from "./resolved-session.ts";
import { RoutingRequests } from "./routing-requests.ts";
import {
  mayUpsert,
  ownership,
  type SessionUpsert,
  type StoredSession,
  type TunnelRecord,
  type TunnelResult,
  type UpsertResult,
} from "./stored-session.ts";
import { tunnelRegistry } from "./tunnel-registry.ts";
import { type ReportBatch, Watchers } from "./watchers.ts";

/** Ends the URL by which the API opens a watcher's WebSocket. */
export const WATCH_PATH = "/watch";

// Storage keys.
const RECORD = "session";
const TUNNEL = "tunnel";
const PENDING_DELETION = "leftover";
/** Resolution of `used`: more writes would cost more than they tell. */
const USED_RESOLUTION_MS = 60 * 60 * 1000;
const VERSION_LENGTH = 10;
/** Of wrong tokens, for each network. */
const JOINS_PER_MINUTE = 30;
/** Delay before retrying what failed or was interrupted; it doubles with each failure in a row. */
const RETRY_MS = 60 * 1000;
const LONGEST_RETRY_MS = 60 * 60 * 1000;
/** A younger tunnel is not replaced because it is refused: Cloudflare may not know it everywhere yet. */
const REPLACE_MIN_AGE_MS = 60 * 1000;

type PendingDeletion = PendingTunnelDeletion & {
  /** In a row. */
  failures?: number;
};

/** The object of the session with this name, which need not exist yet. */
export function sessionObject(name: string, env: Env): DurableObjectStub<SessionObject> {
  return sessionObjects(env).getByName(name);
}

export function sessionObjects(env: Env): DurableObjectNamespace<SessionObject> {
  return env.SESSIONS as unknown as DurableObjectNamespace<SessionObject>;
}

export class SessionObject extends DurableObject<Env> {
  #record: StoredSession | undefined;
  #tunnel: TunnelRecord | undefined;
  /** A tunnel under construction or to be deleted, which may still exist. */
  #pendingDeletion: PendingDeletion | undefined;
  /** Replaced with every change, and with every restart of the object. */
  #version = randomName(VERSION_LENGTH);
  /** Settles when the last queued mutation has ended. */
  #lastMutation: Promise<unknown> = Promise.resolve();
  readonly #watchers: Watchers;
  readonly #access: AccessLedger;
  readonly #joins = new RateLimit(JOINS_PER_MINUTE);
  readonly #routing = new RoutingRequests();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#watchers = new Watchers(state);
    const { kv } = state.storage;
    this.#access = new AccessLedger(kv, () => {
      this.#version = randomName(VERSION_LENGTH);
    });
    this.#record = kv.get<StoredSession>(RECORD);
    this.#tunnel = kv.get<TunnelRecord>(TUNNEL);
    this.#pendingDeletion = kv.get<PendingDeletion>(PENDING_DELETION);
    // An interrupted mutation is finished at the object's next use, or at the latest by the alarm.
    if (this.#pendingDeletion) state.waitUntil(this.tidy());
  }

  /** The session as the proxy needs it; null when it does not exist. */
  lookUp(): ResolvedSession | null {
    const record = this.#unexpired();
    if (!record) return null;
    this.#recordUse(record);
    const watched = this.#watchers.isWatched;
    const access = this.#access.resolved(record.maker ?? null);
    const state = { version: this.#currentVersion(), updated: record.updated, watched, access };
    return resolvedSession(state, record.session, this.#tunnel ?? null, isDirect(this.env));
  }

  /**
   * 204 when the version at the end of the URL is still current, 205 otherwise.
   * Every active isolate asks every second: a fetch takes a third less CPU than an RPC call.
   * With `WATCH_PATH` the WebSocket of a watcher, whom the API has identified.
   */
  override fetch({ url }: Request): Response | Promise<Response> {
    if (url.endsWith(WATCH_PATH)) return this.#watch();
    const record = this.#unexpired();
    if (record) this.#recordUse(record);
    const version = record ? this.#currentVersion() : NO_VERSION;
    return new Response(null, { status: url.endsWith(`/${version}`) ? 204 : 205 });
  }

  /** Whether this caller may watch the session. */
  mayWatch(actor: Actor, sessionToken: string | null): "allowed" | "missing" | "forbidden" {
    const record = this.#unexpired();
    if (!record) return "missing";
    return isOwner(actor, sessionToken, ownership(record)) ? "allowed" : "forbidden";
  }

  async #watch(): Promise<Response> {
    const record = this.#unexpired();
    if (!record) return new Response(null, { status: 404 });
    const wasWatched = this.#watchers.isWatched;
    const accepted = this.#watchers.accept();
    if (!wasWatched && this.#watchers.isWatched) await directory(this.env).setWatched(record.name, true);
    return accepted;
  }

  /** Exchanges of this session. `dropped`: others, of which only the number is known. */
  report(batch: ReportBatch, traces: string[], dropped: number): void {
    this.#watchers.report(batch, traces, dropped);
  }

  /** A request without a session, with its trace: watchers get it if that trace is one of this session's. */
  reportLost(trace: string, batch: ReportBatch): void {
    this.#watchers.reportLost(trace, batch);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#watchers.answer(socket, message);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    await this.#unwatched(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#unwatched(socket);
  }

  async #unwatched(socket: WebSocket): Promise<void> {
    this.#watchers.closed(socket);
    if (this.#record && !this.#watchers.isWatched)
      await directory(this.env).setWatched(this.#record.name, false);
  }

  /** A new watcher is a change that isolates have to hear of. */
  #currentVersion(): string {
    return this.#watchers.isWatched ? `${this.#version}.watched` : this.#version;
  }

  /** Creates or changes the session. Only its owner may change it. */
  upsert(upsert: SessionUpsert): Promise<UpsertResult> {
    return this.#serialize(async () => {
      const { name, session } = upsert;
      const existing = this.#unexpired();
      if (!mayUpsert(upsert, existing)) return { outcome: "conflict" };
      // The next owner of the name inherits nothing of an expired session.
      if (this.#record && !existing) await this.#delete(null);
      const now = Date.now();
      const maker = existing ? (existing.maker ?? null) : makerOf(upsert.actor);
      // Creating the same preview again must not shorten its life, or disclose its services' locations.
      const { expires_in, routed } =
        existing && !isOwner(upsert.actor, session.session_token, ownership(existing)) ? existing : upsert;
      const record: StoredSession = {
        name,
        session,
        maker,
        created: existing?.created ?? now,
        updated: now,
        used: now,
        expires_in,
        ...(routed ? { routed } : {}),
        listed: false,
      };
      // Before anything is created, and so that requests find the object if it is interrupted.
      const reason = await directory(this.env).claim(this.#entry(record), upsert.workerHost);
      if (reason) return { outcome: "refused", reason };

      if (!existing && this.#tunnel && !isInherited(this.#tunnel, maker, session.session_token))
        this.#dropTunnel();
      const opened =
        session.kind === "tunneled"
          ? await this.#openTunnel(name, upsert.tunnelUrl, maker, upsert.refusedTunnel)
          : null;
      if (opened && opened.outcome !== "stored") {
        if (existing) await this.#list();
        else await directory(this.env).release(name);
        return opened;
      }
      this.#storeRecord(record);
      this.#setAccess(upsert, existing);
      await this.#scheduleAlarm(now + RETRY_MS);
      await this.#list(upsert.actor, existing ? "changed" : "created");
      await this.#scheduleAlarm();
      return { outcome: "stored", tunnel: opened?.tunnel ?? null, access: this.#access.details };
    });
  }

  /** Creating the same preview again must not change its access. */
  #setAccess(
    { actor, session, access, open, defaultAccess }: SessionUpsert,
    existing: StoredSession | undefined,
  ): void {
    if (existing && !isOwner(actor, session.session_token, ownership(existing))) return;
    if (!existing) this.#access.begin(session.session_token);
    this.#access.set({ access: access ?? (existing ? undefined : defaultAccess), open });
  }

  /** Calls `action` for the session's owner. */
  #forOwner<T>(actor: Actor, sessionToken: string | null, action: () => T): T | "missing" | "forbidden" {
    const record = this.#unexpired();
    if (!record) return "missing";
    return isOwner(actor, sessionToken, ownership(record)) ? action() : "forbidden";
  }

  accessDetails(actor: Actor, sessionToken: string | null) {
    return this.#forOwner(actor, sessionToken, () => this.#access.details);
  }

  async setAccess(settings: AccessChange, actor: Actor, sessionToken: string | null) {
    const changed = this.#forOwner(actor, sessionToken, () => {
      this.#access.set(settings);
      return this.#access.details;
    });
    if (typeof changed === "object")
      await directory(this.env).record("access-changed", this.#record!.name, actor);
    return changed;
  }

  /** `hash`: of the new invite's token. */
  async invite(request: InviteRequest, hash: string, actor: Actor, sessionToken: string | null) {
    const made = this.#forOwner(actor, sessionToken, () => {
      const invite = this.#access.invite(request, hash, Date.now());
      return invite ? { invite, host: this.#firstHost() } : "too-many";
    });
    if (typeof made === "object") await directory(this.env).record("invited", this.#record!.name, actor);
    return made;
  }

  invites(actor: Actor, sessionToken: string | null) {
    return this.#forOwner(actor, sessionToken, () => this.#access.list());
  }

  async revokeInvite(id: string, actor: Actor, sessionToken: string | null) {
    const revoked = this.#forOwner(actor, sessionToken, () => {
      this.#routing.drop(id);
      return this.#access.revoke(id) ? "revoked" : "no-invite";
    });
    if (revoked === "revoked") await directory(this.env).record("invite-revoked", this.#record!.name, actor);
    return revoked;
  }

  ownerLink(hash: string, to: string | null, actor: Actor, sessionToken: string | null) {
    return this.#forOwner(actor, sessionToken, () => {
      const { name, session } = this.#record!;
      const { protocol = "", hostname: host = "" } = URL.parse(to ?? "") ?? {};
      const isOwn =
        (protocol === "https:" || (protocol === "http:" && isDirect(this.env))) &&
        session.domains.some(({ domain }) => host === `${name}.${hostname(domain)}`);
      const expires = this.#access.ownerLink(hash, isOwn ? to : null, Date.now());
      return { expires, host: isOwn ? URL.parse(to!)!.host : this.#firstHost() };
    });
  }

  #firstHost(): string {
    const { name, session } = this.#record!;
    return `${name}.${hostname(session.domains[0]!.domain)}`;
  }

  /** `hash`: of the token that a browser has brought. `network`: where it is, when that is known. */
  join(hash: string, network: string | null): GrantedAccess | JoinRefusal | { retryAfter: number } {
    if (!this.#unexpired()) return "wrong";
    const retryAfter = this.#joins.take(network ?? "");
    if (retryAfter > 0) return { retryAfter };
    const now = Date.now();
    const joined = this.#access.join(hash, now);
    if (typeof joined === "string") return joined;
    this.#joins.refund(network ?? "");
    if (network !== null) this.#access.admitNetwork(network, joined.id, now);
    return joined;
  }

  /** `hash`: of the token of an invite that may route. `network`: whom wrong ones are counted for. */
  sharedRouting(
    hash: string,
    network: string,
  ): SharedRouting | "forbidden" | "missing" | { retryAfter: number } {
    const invite = this.#routerOf(hash, network, Date.now());
    if (typeof invite === "string" || "retryAfter" in invite) return invite;
    const { name, expires } = invite;
    return { invite: { name, expires }, services: this.#record!.routed ?? {} };
  }

  /** As `sharedRouting`. */
  askForRouting(
    change: RoutingChange,
    hash: string,
    network: string,
  ): { id: string } | "forbidden" | "missing" | "too-many" | { retryAfter: number } {
    const now = Date.now();
    const invite = this.#routerOf(hash, network, now);
    if (typeof invite === "string" || "retryAfter" in invite) return invite;
    const id = this.#routing.ask(change, invite, now);
    return id === undefined ? "too-many" : { id };
  }

  /** For the one who asked. */
  routingAnswer(
    id: string,
    hash: string,
    network: string,
  ): RoutingAnswer | "forbidden" | "missing" | { retryAfter: number } {
    const now = Date.now();
    const invite = this.#routerOf(hash, network, now);
    if (typeof invite === "string" || "retryAfter" in invite) return invite;
    return this.#routing.answerOf(id, invite.id, now) ?? "missing";
  }

  /** `missing`: the session was stopped; its invites are kept for its next start. */
  #routerOf(
    hash: string,
    network: string,
    now: number,
  ): Invite | "forbidden" | "missing" | { retryAfter: number } {
    const retryAfter = this.#joins.take(network);
    if (retryAfter > 0) return { retryAfter };
    const invite = this.#access.inviteOf(hash, "route", now);
    if (!invite) return "forbidden";
    this.#joins.refund(network);
    return this.#unexpired() ? invite : "missing";
  }

  routingRequests(actor: Actor, sessionToken: string | null): RoutingRequest[] | "missing" | "forbidden" {
    return this.#forOwner(actor, sessionToken, () => this.#routing.waiting(Date.now()));
  }

  answerRouting(
    id: string,
    error: string | null,
    actor: Actor,
    sessionToken: string | null,
  ): boolean | "missing" | "forbidden" {
    return this.#forOwner(actor, sessionToken, () => this.#routing.answer(id, error, Date.now()));
  }

  giveTicket(hash: string, joined: GrantedAccess): void {
    this.#access.giveTicket(hash, joined, Date.now());
  }

  takeTicket(hash: string): GrantedAccess | undefined {
    return this.#access.takeTicket(hash, Date.now());
  }

  admitNetwork(network: string, id: string): void {
    if (this.#unexpired()) this.#access.admitNetwork(network, id, Date.now());
  }

  networkProofs(network: string): { id: string; expires: number }[] {
    return this.#access.networkProofs(network, Date.now());
  }

  tokenUsed(id: string): void {
    this.#access.tokenUsed(id, Date.now());
  }

  /** The tunnel for this name, created if missing: v1 clients ask for it before they create the session. */
  openTunnel(name: string, actor: Actor, sessionToken: string | null): Promise<TunnelResult> {
    return this.#serialize(async () => {
      const existing = this.#unexpired();
      const owned = existing
        ? isOwner(actor, sessionToken, ownership(existing))
        : !this.#tunnel || actor.role === "main" || this.#tunnel.maker === actor.name;
      if (!owned && this.env.LINKUP_V1_TUNNEL !== "any-token") return { outcome: "forbidden" };
      const maker = existing ? (existing.maker ?? null) : makerOf(actor);
      const opened = await this.#openTunnel(name, this.#tunnel?.data.url ?? null, maker);
      await this.#scheduleAlarm();
      if (opened.outcome === "stored") await directory(this.env).record("tunnel-read", name, actor);
      return opened;
    });
  }

  /** Everything stored about the session; null when it does not exist. */
  inspect(): { record: StoredSession; expires: number; tunnel: TunnelData | null } | null {
    const record = this.#unexpired();
    if (!record) return null;
    return {
      record,
      expires: sessionExpires(record, lifetimes(this.env)),
      tunnel: this.#tunnel?.data ?? null,
    };
  }

  /**
   * Deletes the session and its tunnel for their owner. The alarm retries what cannot be deleted now.
   * `keepTunnel`: the tunnel stays until it is unused for long, for the next session with the same `session_token`.
   */
  remove(
    actor: Actor,
    sessionToken: string | null,
    { keepTunnel = false } = {},
  ): Promise<"deleted" | "missing" | "forbidden"> {
    return this.#serialize(async () => {
      const existing = this.#unexpired();
      if (existing && !isOwner(actor, sessionToken, ownership(existing))) return "forbidden";
      // A tunnel without a session belongs to the caller that opened it.
      if (!existing && this.#tunnel && actor.role === "named" && this.#tunnel.maker !== actor.name)
        return "missing";
      if (existing && keepTunnel && this.#tunnel)
        this.#storeTunnel({ ...this.#tunnel, kept_for: existing.session.session_token });
      await this.#delete(actor, { keepTunnel });
      await this.#scheduleAlarm();
      return existing ? "deleted" : "missing";
    });
  }

  /**
   * Lets the session live for this many seconds from now; null: for as long as it is used, counted from now.
   * Returns when it expires then.
   */
  extend(
    seconds: number | null,
    actor: Actor,
    sessionToken: string | null,
  ): Promise<"missing" | "forbidden" | { record: StoredSession; expires: number }> {
    return this.#serialize(async () => {
      const existing = this.#unexpired();
      if (!existing) return "missing";
      if (!isOwner(actor, sessionToken, ownership(existing))) return "forbidden";
      const now = Date.now();
      // The content stays as it is, and so does the time of its last change.
      const expires_in = seconds === null ? null : Math.ceil((now - existing.updated) / 1000) + seconds;
      this.#storeRecord({ ...existing, expires_in, used: now, listed: false });
      await this.#scheduleAlarm(now + RETRY_MS);
      await this.#list(actor, "extended");
      await this.#scheduleAlarm();
      const record = this.#record!;
      return { record, expires: sessionExpires(record, lifetimes(this.env)) };
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
      else if (this.#record) await this.#delete(null);
      else if (this.#pendingDeletion) await directory(this.env).release(this.#pendingDeletion.session);
      if (this.#tunnel && Date.now() >= this.#tunnelExpires()) this.#dropTunnel();
      await this.#deletePending();
      await this.#scheduleAlarm();
    });
  }

  #unexpired(): StoredSession | undefined {
    const record = this.#record;
    return record && Date.now() < sessionExpires(record, lifetimes(this.env)) ? record : undefined;
  }

  /** `refused`: the id of the tunnel that Cloudflare refuses, as a client says. */
  async #openTunnel(
    name: string,
    url: string | null,
    maker: string | null,
    refused: string | null = null,
  ): Promise<Exclude<TunnelResult, { outcome: "forbidden" }>> {
    try {
      const provider = this.#provider();
      const problem = await provider.nameProblem(name);
      if (problem) return { outcome: "refused", reason: problem };
      const existing = this.#tunnel;
      const isRefused = existing !== undefined && existing.data.id === refused;
      let reused = existing && (await provider.reuse(name, existing, { url, verify: isRefused }));
      if (isRefused && Date.now() - (existing.created ?? 0) > REPLACE_MIN_AGE_MS) reused = undefined;
      const { kept_for: _, ...kept } = existing ?? {};
      const tunnel =
        existing && reused
          ? { ...(kept as TunnelRecord), ...reused }
          : await this.#createTunnel(provider, name, url, maker);
      this.#storeTunnel(tunnel);
      return { outcome: "stored", tunnel };
    } catch (error) {
      if (!(error instanceof TunnelError)) console.error(error);
      await this.#scheduleAlarm();
      // The client gets the failure now; what was created is deleted right after, or by the alarm.
      this.ctx.waitUntil(this.tidy());
      const taken = error instanceof TunnelError && error.taken;
      return { outcome: "tunnel-failed", reason: (error as Error).message, taken };
    }
  }

  /** Stores a pending deletion before anything is created, so that neither a failure nor a crash leaves an orphan. */
  async #createTunnel(
    provider: TunnelProvider,
    name: string,
    url: string | null,
    maker: string | null,
  ): Promise<TunnelRecord> {
    const origin_secret = this.#tunnel?.origin_secret ?? newSecret();
    if (this.#tunnel) this.#dropTunnel();
    if (this.#pendingDeletion) await provider.delete(this.#pendingDeletion);
    const secret = newTunnelSecret();
    this.#storePendingDeletion({ session: name, id: null, secret });
    await this.#scheduleAlarm(Date.now() + RETRY_MS);
    const created = await provider.create(name, url, secret);
    this.#storePendingDeletion(undefined);
    return { session: name, ...created, created: Date.now(), maker, origin_secret };
  }

  /** Deletes the session at once, its tunnel after it. */
  async #delete(actor: Actor | null, { keepTunnel = false } = {}): Promise<void> {
    // The directory first: if it fails, nothing has changed; if we are interrupted after it, the alarm lists the session again.
    if (this.#record) await directory(this.env).delete(this.#record.name, actor);
    if (!this.#tunnel || !keepTunnel) this.#access.clear();
    else if (this.#record) this.#access.keepFor(this.#record.session.session_token);
    if (this.#tunnel && !keepTunnel) this.#dropTunnel();
    this.ctx.storage.kv.delete(RECORD);
    this.#record = undefined;
    this.#routing.drop();
    this.#watchers.end();
    await this.#scheduleAlarm(Date.now() + RETRY_MS);
    await this.#deletePending();
  }

  #storeTunnel(tunnel: TunnelRecord): void {
    this.ctx.storage.kv.put(TUNNEL, tunnel);
    this.#tunnel = tunnel;
    this.#version = randomName(VERSION_LENGTH);
  }

  #dropTunnel(): void {
    const { session, data } = this.#tunnel!;
    this.#storePendingDeletion({ session, id: data.id, name: data.name, host: new URL(data.url).hostname });
    this.ctx.storage.kv.delete(TUNNEL);
    this.#tunnel = undefined;
    this.#version = randomName(VERSION_LENGTH);
  }

  /** Leaves a failure to the alarm. */
  async #deletePending(): Promise<void> {
    if (!this.#pendingDeletion) return;
    try {
      await this.#provider().delete(this.#pendingDeletion);
      this.#storePendingDeletion(undefined);
    } catch (error) {
      console.error(error instanceof TunnelError ? error.message : error);
      const { failures = 0, ...pending } = this.#pendingDeletion;
      this.#storePendingDeletion({ ...pending, failures: failures + 1 });
    }
  }

  #provider(): TunnelProvider {
    return tunnelProvider(this.env, tunnelRegistry(this.env));
  }

  #entry(record: StoredSession): DirectoryEntry {
    const { name, session, created, updated, used } = record;
    return {
      name,
      kind: session.kind,
      maker: record.maker ?? null,
      domains: session.domains.map(({ domain }) => domain),
      created,
      updated,
      used,
      expires: sessionExpires(record, lifetimes(this.env)),
    };
  }

  async #list(
    actor: Actor | null = null,
    action: "created" | "changed" | "extended" | null = null,
  ): Promise<void> {
    const record = this.#record!;
    try {
      await directory(this.env).put(this.#entry(record), actor, action);
      this.#storeRecord({ ...record, listed: true });
    } catch (error) {
      // The session works without it; the alarm lists it.
      console.error(error);
    }
  }

  #recordUse(record: StoredSession): void {
    const now = Date.now();
    if (now - record.used <= USED_RESOLUTION_MS) return;
    this.#storeRecord({ ...record, used: now });
    // The directory tells when it was used, and when it expires. The request does not wait for it.
    this.ctx.waitUntil(this.#serialize(async () => this.#unexpired() && this.#list()));
  }

  #storeRecord(record: StoredSession): void {
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
    if (this.#pendingDeletion) {
      const { failures = 0 } = this.#pendingDeletion;
      due.push(Date.now() + Math.min(RETRY_MS * 2 ** Math.max(failures - 1, 0), LONGEST_RETRY_MS));
    }
    if (due.length > 0) return storage.setAlarm(Math.min(...due));
    this.#access.clear();
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

/**
 * Whether a new session gets a tunnel that is there before it: one that a stop kept, if it has the same session_token, or
 * one that the same caller opened. Others know its secret.
 */
function isInherited(tunnel: TunnelRecord, maker: string | null, sessionToken: string): boolean {
  if ((tunnel.maker ?? null) !== maker) return false;
  return tunnel.kept_for === undefined || tunnel.kept_for === sessionToken;
}
