/**
 * The tunnels that this Worker made, in the directory's storage: the proof without which no tunnel is deleted and no DNS
 * record is changed. Times are milliseconds since the epoch.
 */
import { randomName } from "../../core/session/session-name.ts";
import type { MadeTunnel } from "../tunnel/provider.ts";

const ID_LENGTH = 16;

export class TunnelLedger {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS tunnels (
        id TEXT PRIMARY KEY, session TEXT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL,
        created INTEGER NOT NULL, checked INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS tunnels_of_session ON tunnels (session);
      CREATE TABLE IF NOT EXISTS worker (id TEXT NOT NULL) STRICT`);
  }

  /** A random id of this deployed Worker, for its marks. */
  workerId(): string {
    const [row] = this.#sql.exec<{ id: string }>("SELECT id FROM worker").toArray();
    if (row) return row.id;
    const id = randomName(ID_LENGTH);
    this.#sql.exec("INSERT INTO worker VALUES (?)", id);
    return id;
  }

  add({ id, session, name, host, created }: MadeTunnel): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO tunnels VALUES (?, ?, ?, ?, ?, 0)",
      id,
      session,
      name,
      host,
      created,
    );
  }

  /** Which of these tunnels it has. */
  known(ids: readonly string[]): string[] {
    return ids.filter((id) => this.#sql.exec("SELECT 1 FROM tunnels WHERE id = ?", id).toArray().length > 0);
  }

  /** Whether this session has one. */
  hasOf(session: string): boolean {
    return this.#sql.exec("SELECT 1 FROM tunnels WHERE session = ? LIMIT 1", session).toArray().length > 0;
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM tunnels WHERE id = ?", id);
  }

  /** Tunnels created before this time, those first that were not handed out for longest: none keeps the others from their turn. */
  next(limit: number, createdBefore: number, now: number): MadeTunnel[] {
    const rows = this.#sql
      .exec(
        "SELECT id, session, name, host, created FROM tunnels WHERE created < ? ORDER BY checked, id LIMIT ?",
        createdBefore,
        limit,
      )
      .toArray() as unknown as MadeTunnel[];
    for (const { id } of rows) this.#sql.exec("UPDATE tunnels SET checked = ? WHERE id = ?", now, id);
    return rows;
  }
}
