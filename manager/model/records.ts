/** Finding and making the records of sessions. Pure functions over the state. */

import type { Config } from "../../core/config/model/config-model.ts";
import type { SessionKind } from "../../core/session/session-document.ts";
import { randomName } from "../../core/session/session-name.ts";
import { text } from "../../core/text.ts";
import { LinkupError } from "./problem.ts";
import { withoutToken } from "./session-documents.ts";
import type { SessionRecord, State } from "./state.ts";

/** Selects a session by config file or by name. */
export type Selector = { configPath: string } | { name: string };

export function isDesired(record: SessionRecord): boolean {
  return record.desired === "running";
}

/** True for sessions that the local server serves: all but previews. */
export function needsThisMachine({ kind }: SessionRecord): boolean {
  return kind !== "preview";
}

/** True for sessions for which the local server runs: all but previews whose requests nobody follows. */
export function needsLocalServer(record: SessionRecord): boolean {
  return needsThisMachine(record) || record.followed_here === true;
}

/** True while there is something to show or to clean up. */
export function isPresent(record: SessionRecord): boolean {
  return (
    isDesired(record) ||
    record.local_server_hash !== null ||
    record.worker_hash !== null ||
    record.connector !== null
  );
}

/** True for a preview whose time is over. `now`: milliseconds since the epoch. */
export function isExpired({ expires_at }: Pick<SessionRecord, "expires_at">, now: number): boolean {
  return expires_at !== undefined && expires_at <= now;
}

/** Finds the selected running session. Throws a LinkupError that lists the running ones. */
export function findRunning(state: State, selector: Selector): SessionRecord {
  const found = state.sessions.find(
    (record) =>
      isPresent(record) &&
      ("name" in selector
        ? record.name === selector.name
        : record.config_path === selector.configPath && !record.secondary),
  );
  if (found) return found;
  const names = state.sessions.filter(isDesired).map(({ name }) => name ?? "(starting)");
  const running = names.length > 0 ? text("Running: {0}.", names.join(", ")) : text("No session is running.");
  const what =
    "name" in selector
      ? text('There is no session "{0}"', selector.name)
      : text("No session of {0} is running", selector.configPath);
  throw new LinkupError("session-unknown", text("{0}. {1}", what, running), [
    { command: "start", title: "Start", terminal: "linkup start" },
  ]);
}

export function isOwnRecord(record: SessionRecord, configPath: string, kind: SessionKind): boolean {
  return record.config_path === configPath && record.kind === kind && !record.secondary;
}

/** The file's primary session of this kind, created if missing. */
export function ownRecord(
  state: State,
  configPath: string,
  kind: SessionKind,
  config: Config,
): SessionRecord {
  const found = state.sessions.find((record) => isOwnRecord(record, configPath, kind));
  if (found) return found;
  const record = newRecord(kind, config, { config_path: configPath });
  state.sessions.push(record);
  return record;
}

export function newRecord(
  kind: SessionKind,
  config: Config,
  more: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    id: randomName(12),
    kind,
    config_path: null,
    secondary: false,
    name: null,
    session_token: randomName(32),
    desired: "stopped",
    keep: false,
    since: 0,
    config: withoutToken(config),
    worker_token: null,
    targets: {},
    locations: {},
    confirmed: null,
    worker: null,
    tunnel: null,
    origin_secret: null,
    worker_hash: null,
    registered_at: 0,
    checked_at: 0,
    local_server_hash: null,
    last_error: null,
    connector: null,
    env_files: null,
    ...more,
  };
}

/** Clears what was only valid while the session ran. Its name, token and targets stay. */
export function forgetRun(record: SessionRecord, now: number): void {
  record.since = now;
  record.worker_token = null;
  record.confirmed = null;
  record.worker = null;
  record.tunnel = null;
  record.origin_secret = null;
  record.worker_hash = null;
  delete record.confirmed_access;
  delete record.trace_key;
  delete record.edge_certificates;
  delete record.followed;
  record.local_server_hash = null;
  record.last_error = null;
  record.connector = null;
  record.env_files = null;
}

/** Makes the reconciler send everything again. The non-null hashes still mark what to clean up. */
export function distrustHashes(state: State): void {
  for (const record of state.sessions) {
    if (record.worker_hash !== null) record.worker_hash = "unknown";
    if (record.local_server_hash !== null) record.local_server_hash = "unknown";
  }
}

const DAY_MS = 24 * 3600_000;
/** A file may be missing for a while: on another branch, or on an unmounted disk. */
const GONE_MS = 14 * DAY_MS;
const UNUSED_MS = 90 * DAY_MS;

/** Drops sessions that were not started for a long time. `isThere`: whether a config file still exists. */
export function forgetUnused(state: State, now: number, isThere: (configPath: string) => boolean): void {
  state.sessions = state.sessions.filter((record) => {
    const unused = now - record.since;
    if (isPresent(record) || unused < GONE_MS) return true;
    return unused < UNUSED_MS && record.config_path !== null && isThere(record.config_path);
  });
}

/** True when outside requests reach this session, or need not. */
export function isConnected({ kind, worker, connector }: SessionRecord): boolean {
  return (
    kind !== "tunneled" || worker?.tunnel === "direct" || (connector?.was_ready && connector.reached) || false
  );
}
