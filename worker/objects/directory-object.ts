/**
 * The Durable Object for what concerns the whole Worker: the list of all sessions, since a session's own object can
 * only be reached by name, the named tokens, the audit log, and the limit of authentication attempts.
 */
import { DurableObject } from "cloudflare:workers";
import type { AuditEntry } from "../../core/api/worker-api.ts";
import { firstLabel, reservedNameError, takenLabelError } from "../../core/session/reserved-names.ts";
import type { SessionKind } from "../../core/session/session-document.ts";
import { formatText } from "../../core/text.ts";
import { type Env, reservedNames } from "../env.ts";
import { RateLimit } from "../rate-limit.ts";
import { newNamedToken, newSecret, sha256 } from "../secret.ts";
import type { MadeTunnel } from "../tunnel/provider.ts";
import { NameChanges } from "./name-changes.ts";
import { matchesPattern } from "./name-pattern.ts";
import type { Actor } from "./owner.ts";
import { TunnelLedger } from "./tunnel-ledger.ts";

/** Times are milliseconds since the epoch. */
export interface DirectoryEntry {
  name: string;
  kind: SessionKind;
  /** The named token that made it; null for the main token. */
  maker: string | null;
  domains: string[];
  created: number;
  updated: number;
  /** When a request last came for it, to within an hour. */
  used: number;
  /** When it will be deleted unless it is used before. */
  expires: number;
}

export type ListedSession = Omit<DirectoryEntry, "domains">;

/** Which sessions to list. */
export interface ListQuery {
  /** For their names; default: all. */
  pattern?: string;
  /** Only those that this named token made. */
  maker?: string | undefined;
  /** Only names after this one. */
  after?: string | undefined;
  limit?: number | undefined;
}

/** The names of all sessions, at one version of the list. */
export interface SessionNames {
  version: string;
  /** True when `names` and `gone` are changes of the caller's version. */
  isChange: boolean;
  /** Separated by spaces. */
  names: string;
  /** Those that are not there any more. */
  gone: string[];
  /** Those whose requests somebody watches. */
  watched: string[];
}

/** Failed authentications per address and minute. */
export const ATTEMPTS_PER_MINUTE = 60;
export const MAX_AUDIT_ENTRIES = 10_000;
/** A login to the operators' page. */
export const LOGIN_MS = 8 * 60 * 60 * 1000;

/** The single directory of this Worker. */
export function directory(env: Env): DurableObjectStub<DirectoryObject> {
  return (env.DIRECTORY as unknown as DurableObjectNamespace<DirectoryObject>).getByName("directory");
}

export class DirectoryObject extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  readonly #tunnels: TunnelLedger;
  /** In memory: an object in use is not evicted, and guesses keep it in use. */
  readonly #attempts = new RateLimit(ATTEMPTS_PER_MINUTE);
  readonly #changes = new NameChanges();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#tunnels = new TunnelLedger(this.#sql);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        name TEXT PRIMARY KEY, kind TEXT NOT NULL,
        created INTEGER NOT NULL, updated INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS makers (
        session TEXT PRIMARY KEY, maker TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS watched (session TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS uses (
        session TEXT PRIMARY KEY, used INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS domains (
        label TEXT NOT NULL, session TEXT NOT NULL, domain TEXT NOT NULL, PRIMARY KEY (label, session, domain)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS domains_of_session ON domains (session);
      CREATE TABLE IF NOT EXISTS tokens (
        name TEXT PRIMARY KEY, hash BLOB NOT NULL, created INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS logins (
        id BLOB PRIMARY KEY, credential BLOB NOT NULL, expires INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
        role TEXT NOT NULL, token TEXT
      ) STRICT`);
  }

  /**
   * Claims the name for a session about to be stored. Returns why the session must not have this name or one of its
   * domains; checking and claiming are one step, so that two sessions cannot take each other's labels.
   */
  claim(entry: DirectoryEntry, workerHost: string): string | null {
    const { name, domains } = entry;
    const others = this.#sql
      .exec<{ domain: string }>("SELECT domain FROM domains WHERE label = ? LIMIT 1", name)
      .toArray()
      .map(({ domain }) => domain);
    const nameError = reservedNameError(name, {
      workerHost,
      domains: [...domains, ...others],
      reserved: reservedNames(this.env),
    });
    if (nameError) return formatText(nameError);
    for (const domain of domains) {
      const labelError = takenLabelError(domain, (label) => this.#has(label));
      if (labelError) return labelError;
    }
    if (!this.#has(name)) this.#write(entry);
    else this.#writeDomains(entry);
    return null;
  }

  /** Lists the session as it is stored now. `action` is null when nothing changed but its times. */
  put(entry: DirectoryEntry, actor: Actor | null, action: "created" | "changed" | "extended" | null): void {
    this.#write(entry);
    if (action) this.record(action, entry.name, actor);
  }

  /** Removes the session from the list. `actor` is null when it expired. */
  delete(name: string, actor: Actor | null = null): void {
    const { rowsWritten } = this.#sql.exec("DELETE FROM sessions WHERE name = ?", name);
    if (rowsWritten > 0) this.record(actor ? "deleted" : "expired", name, actor);
    this.release(name);
  }

  /** Undoes a claim whose session was not stored. */
  release(name: string): void {
    for (const table of ["domains", "makers", "watched", "uses"])
      this.#sql.exec(`DELETE FROM ${table} WHERE session = ?`, name);
    this.#sql.exec("DELETE FROM sessions WHERE name = ?", name);
    this.#changes.add(name);
  }

  /** The names of all sessions, or what changed of the caller's version; null when nothing did. */
  names(version: string | null): SessionNames | null {
    const changed = this.#changes.since(version);
    const now = this.#changes.version;
    if (version === now) return null;
    const names = changed?.filter((name) => this.#has(name)) ?? this.#allNames();
    const watched = this.#sql.exec<{ session: string }>("SELECT session FROM watched").toArray();
    return {
      version: now,
      isChange: changed !== undefined,
      names: names.join(" "),
      gone: changed?.filter((name) => !names.includes(name)) ?? [],
      watched: watched.map(({ session }) => session),
    };
  }

  /** Requests without a session that carry a trace are reported to the watched sessions. */
  setWatched(name: string, watched: boolean): void {
    const sql = watched
      ? "INSERT OR IGNORE INTO watched (session) VALUES (?)"
      : "DELETE FROM watched WHERE session = ?";
    if (this.#sql.exec(sql, name).rowsWritten > 0) this.#changes.add(null);
  }

  /** Sorted by name. */
  list({ pattern = "*", maker, after = "", limit = Number.POSITIVE_INFINITY }: ListQuery): ListedSession[] {
    const rows = this.#sql.exec(
      `SELECT sessions.*, makers.maker, coalesce(uses.used, sessions.updated) AS used
       FROM sessions LEFT JOIN makers ON makers.session = name LEFT JOIN uses ON uses.session = name
       WHERE name > ?1 AND (?2 IS NULL OR maker = ?2) ORDER BY name`,
      after,
      maker ?? null,
    );
    const found: ListedSession[] = [];
    // SQLite's own patterns are limited to 50 characters on the platform.
    for (const row of rows as unknown as Iterable<ListedSession>) {
      if (!matchesPattern(pattern, row.name)) continue;
      found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** The names of sessions that should have been deleted before this time, at most 1,000. */
  expiredBefore(time: number): string[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM sessions WHERE expires < ? ORDER BY expires LIMIT 1000", time)
      .toArray()
      .map(({ name }) => name);
  }

  /**
   * Admits an attempt to authenticate, before anything is compared. Returns the seconds to wait when the address has
   * used up its attempts; otherwise the name of the token with this SHA-256, if any. Take an attempt back with `refund`. `address` is null when attempts
   * are not limited.
   */
  authenticate(
    address: string | null,
    hash: ArrayBuffer | null,
  ): { retryAfter: number; tokenName: string | null } {
    const retryAfter = address === null ? 0 : this.#attempts.take(address);
    return { retryAfter, tokenName: retryAfter === 0 && hash ? this.#tokenName(hash) : null };
  }

  /** The attempt was successful. */
  refund(address: string): void {
    this.#attempts.refund(address);
  }

  /**
   * Logs in to the operators' page with the token of this SHA-256; returns the login's id, of which only a hash is stored. It
   * ends with the token.
   */
  async logIn(credential: ArrayBuffer, actor: Actor): Promise<string> {
    const id = newSecret();
    const now = Date.now();
    this.#sql.exec("DELETE FROM logins WHERE expires < ?", now);
    this.#sql.exec("INSERT INTO logins VALUES (?, ?, ?)", await sha256(id), credential, now + LOGIN_MS);
    this.record("logged-in", actor.role === "named" ? actor.name : "WORKER_TOKEN", actor);
    return id;
  }

  /**
   * The SHA-256 of the token that logged in with the id of this one, and the name of that token, if it is a named one that still
   * exists. A wrong id counts as an attempt to authenticate.
   */
  login(
    address: string | null,
    id: ArrayBuffer,
  ): { retryAfter: number; credential: ArrayBuffer | null; tokenName: string | null } {
    const retryAfter = address === null ? 0 : this.#attempts.take(address);
    if (retryAfter > 0) return { retryAfter, credential: null, tokenName: null };
    const [row] = this.#sql
      .exec<{ credential: ArrayBuffer }>(
        "SELECT credential FROM logins WHERE id = ? AND expires > ?",
        id,
        Date.now(),
      )
      .toArray();
    if (!row) return { retryAfter: 0, credential: null, tokenName: null };
    if (address !== null) this.#attempts.refund(address);
    return { retryAfter: 0, credential: row.credential, tokenName: this.#tokenName(row.credential) };
  }

  logOut(id: ArrayBuffer): void {
    this.#sql.exec("DELETE FROM logins WHERE id = ?", id);
  }

  countSessions(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM sessions").one().count;
  }

  /** Creates and returns a token with this name; only its hash is stored. Null when the name is taken. */
  async createToken(name: string, actor: Actor): Promise<string | null> {
    const token = newNamedToken();
    const { rowsWritten } = this.#sql.exec(
      "INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)",
      name,
      await sha256(token),
      Date.now(),
    );
    if (rowsWritten === 0) return null;
    this.record("token-created", name, actor);
    return token;
  }

  listTokens(): { name: string; created: number }[] {
    return this.#sql
      .exec<{ name: string; created: number }>("SELECT name, created FROM tokens ORDER BY name")
      .toArray();
  }

  /** False when no token had this name. A new token with the same name owns what this one made. */
  revokeToken(name: string, actor: Actor): boolean {
    if (this.#sql.exec("DELETE FROM tokens WHERE name = ?", name).rowsWritten === 0) return false;
    this.record("token-revoked", name, actor);
    return true;
  }

  /** As `TunnelLedger`, like the four after it. */
  tunnelWorkerId(): string {
    return this.#tunnels.workerId();
  }

  addTunnel(tunnel: MadeTunnel): void {
    this.#tunnels.add(tunnel);
  }

  knownTunnels(ids: string[]): string[] {
    return this.#tunnels.known(ids);
  }

  hasTunnelOf(session: string): boolean {
    return this.#tunnels.hasOf(session);
  }

  removeTunnel(id: string): void {
    this.#tunnels.remove(id);
  }

  nextTunnels(limit: number, createdBefore: number): MadeTunnel[] {
    return this.#tunnels.next(limit, createdBefore, Date.now());
  }

  /** Adds to the audit log. `actor` is null for the Worker itself. */
  record(action: AuditEntry["action"], subject: string, actor: Actor | null): void {
    this.#sql.exec(
      "INSERT INTO audit (at, action, subject, role, token) VALUES (?, ?, ?, ?, ?)",
      Date.now(),
      action,
      subject,
      actor?.role ?? "worker",
      actor?.role === "named" ? actor.name : null,
    );
    this.#sql.exec("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", MAX_AUDIT_ENTRIES);
  }

  /** The newest entries of the audit log, newest first. */
  auditLog(limit: number, skip = 0): AuditEntry[] {
    const rows = this.#sql.exec(
      "SELECT at, action, subject, role, token FROM audit ORDER BY id DESC LIMIT ? OFFSET ?",
      limit,
      skip,
    );
    return rows.toArray() as unknown as AuditEntry[];
  }

  #allNames(): string[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM sessions")
      .toArray()
      .map(({ name }) => name);
  }

  #has(name: string): boolean {
    return this.#sql.exec("SELECT 1 FROM sessions WHERE name = ?", name).toArray().length > 0;
  }

  #write(entry: DirectoryEntry): void {
    const { name, kind, maker, created, updated, used, expires } = entry;
    if (!this.#has(name)) this.#changes.add(name);
    this.#sql.exec(
      "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)",
      name,
      kind,
      created,
      updated,
      expires,
    );
    this.#sql.exec("INSERT OR REPLACE INTO uses VALUES (?, ?)", name, used);
    if (maker === null) this.#sql.exec("DELETE FROM makers WHERE session = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO makers VALUES (?, ?)", name, maker);
    this.#writeDomains(entry);
  }

  #writeDomains({ name, domains }: DirectoryEntry): void {
    this.#sql.exec("DELETE FROM domains WHERE session = ?", name);
    for (const domain of domains) {
      const label = firstLabel(domain);
      if (label) this.#sql.exec("INSERT OR IGNORE INTO domains VALUES (?, ?, ?)", label, name, domain);
    }
  }

  #tokenName(hash: ArrayBuffer): string | null {
    let found: string | null = null;
    // Every hash is compared, each in constant time.
    for (const row of this.#sql.exec<{ name: string; hash: ArrayBuffer }>("SELECT name, hash FROM tokens")) {
      if (crypto.subtle.timingSafeEqual(row.hash, hash)) found = row.name;
    }
    return found;
  }
}
