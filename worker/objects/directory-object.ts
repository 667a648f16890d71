/**
 * The Durable Object that knows what is of the whole Worker: the names of all sessions, since a session's own object
 * can only be asked by name, and the named tokens.
 */
import { DurableObject } from "cloudflare:workers";
import type { SessionKind } from "../../core/session/session-document.ts";
import { DIRECTORY_NAME, type Env } from "../env.ts";
import { newNamedToken, sha256 } from "../secret.ts";

/** Times are milliseconds since the epoch. */
export interface Listed {
  name: string;
  kind: SessionKind;
  created: number;
  updated: number;
  /** When it will be deleted, if it is not used before. */
  expires: number;
}

export function directory(env: Env) {
  return env.DIRECTORY.getByName(DIRECTORY_NAME);
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

  put({ name, kind, created, updated, expires }: Listed): void {
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

  /** The sessions whose name fits the pattern (`*` for any characters, `?` for one), by name. */
  list(pattern: string): Listed[] {
    // In GLOB a bracket begins a set of characters; no name has one.
    if (/[[\]]/.test(pattern)) return [];
    const rows = this.#sql.exec("SELECT * FROM sessions WHERE name GLOB ? ORDER BY name", pattern);
    return rows.toArray() as unknown as Listed[];
  }

  /** Those that should have been deleted before this time. */
  expiredBefore(time: number): string[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM sessions WHERE expires < ? ORDER BY expires LIMIT 1000", time)
      .toArray()
      .map(({ name }) => name);
  }

  /** Makes a token of this name and returns it: only its hash is kept. Null when the name is taken. */
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

  /** The name of the token with this SHA-256; null when there is none. */
  tokenName(hash: ArrayBuffer): string | null {
    let found: string | null = null;
    // All are compared, each in constant time.
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

  /** False when there was none. */
  revokeToken(name: string): boolean {
    return this.#sql.exec("DELETE FROM tokens WHERE name = ?", name).rowsWritten > 0;
  }
}
