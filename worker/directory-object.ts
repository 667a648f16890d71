/** The Durable Object that knows the names of all sessions: a session's own object can only be asked by name. */
import { DurableObject } from "cloudflare:workers";
import type { SessionKind } from "../core/session.ts";
import type { Env } from "./env.ts";

export interface Entry {
  name: string;
  kind: SessionKind;
  /** Milliseconds since the epoch. */
  updated: number;
}

export class DirectoryObject extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS sessions (name TEXT PRIMARY KEY, kind TEXT NOT NULL, updated INTEGER NOT NULL) STRICT",
    );
  }

  put({ name, kind, updated }: Entry): void {
    this.#sql.exec("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", name, kind, updated);
  }

  delete(name: string): void {
    this.#sql.exec("DELETE FROM sessions WHERE name = ?", name);
  }

  /** The sessions whose name fits the pattern (`*` for any characters, `?` for one), by name. */
  list(pattern = "*"): Entry[] {
    return this.#sql
      .exec("SELECT name, kind, updated FROM sessions WHERE name GLOB ? ORDER BY name", pattern)
      .toArray() as unknown as Entry[];
  }
}
