/**
 * The Durable Object for what concerns the whole Worker: the list of all sessions, since a session's own object can
 * only be reached by name, and the named tokens.
 */
import { DurableObject } from "cloudflare:workers";
import type { SessionKind } from "../../core/session/session-document.ts";
import type { Env } from "../env.ts";
import { newNamedToken, sha256 } from "../secret.ts";

/** Times are milliseconds since the epoch. */
export interface DirectoryEntry {
  name: string;
  kind: SessionKind;
  created: number;
  updated: number;
  /** When it will be deleted unless it is used before. */
  expires: number;
}

/** The single directory of this Worker. */
export function directory(env: Env): DurableObjectStub<DirectoryObject> {
  return (env.DIRECTORY as unknown as DurableObjectNamespace<DirectoryObject>).getByName("directory");
}

export class DirectoryObject extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        name TEXT PRIMARY KEY, kind TEXT NOT NULL,
        created INTEGER NOT NULL, updated INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS tokens (
        name TEXT PRIMARY KEY, hash BLOB NOT NULL, created INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`);
  }

  put({ name, kind, created, updated, expires }: DirectoryEntry): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)",
      name,
      kind,
      created,
      updated,
      expires,
    );
  }

  delete(name: string): void {
    this.#sql.exec("DELETE FROM sessions WHERE name = ?", name);
  }

  /** The sessions whose name matches the pattern (`*` for any characters, `?` for one), sorted by name. */
  list(pattern: string): DirectoryEntry[] {
    // In GLOB a bracket starts a character class; no name contains one.
    if (/[[\]]/.test(pattern)) return [];
    const rows = this.#sql.exec("SELECT * FROM sessions WHERE name GLOB ? ORDER BY name", pattern);
    return rows.toArray() as unknown as DirectoryEntry[];
  }

  /** The names of sessions that should have been deleted before this time, at most 1,000. */
  expiredBefore(time: number): string[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM sessions WHERE expires < ? ORDER BY expires LIMIT 1000", time)
      .toArray()
      .map(({ name }) => name);
  }

  /** Creates and returns a token with this name; only its hash is stored. Null when the name is taken. */
  async createToken(name: string): Promise<string | null> {
    const token = newNamedToken();
    const { rowsWritten } = this.#sql.exec(
      "INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)",
      name,
      await sha256(token),
      Date.now(),
    );
    return rowsWritten > 0 ? token : null;
  }

  /** The name of the token with this SHA-256; null when no token has it. */
  tokenName(hash: ArrayBuffer): string | null {
    let found: string | null = null;
    // Every hash is compared, each in constant time.
    for (const row of this.#sql.exec<{ name: string; hash: ArrayBuffer }>("SELECT name, hash FROM tokens")) {
      if (crypto.subtle.timingSafeEqual(row.hash, hash)) found = row.name;
    }
    return found;
  }

  listTokens(): { name: string; created: number }[] {
    return this.#sql
      .exec<{ name: string; created: number }>("SELECT name, created FROM tokens ORDER BY name")
      .toArray();
  }

  /** False when no token had this name. */
  revokeToken(name: string): boolean {
    return this.#sql.exec("DELETE FROM tokens WHERE name = ?", name).rowsWritten > 0;
  }
}
