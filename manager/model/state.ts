/** The desired state of this machine and what was last confirmed of it: the content of `state.json`. */
import type { TunnelData, WorkerCapabilities } from "../../core/api/worker-api.ts";
import type { Config, Target } from "../../core/config/model/config-model.ts";
import { SESSION_ACCESS, type SessionAccess, type SessionKind } from "../../core/session/session-document.ts";
import type { ProcessId } from "../../node/process-identity.ts";
import type { Connector } from "./connector.ts";
import type { Problem } from "./problem.ts";
import {
  boolean,
  either,
  list,
  nullable,
  number,
  object,
  oneOf,
  record,
  type Shape,
  string,
  url,
} from "./shape.ts";
import { notStarted, type Supervised, type SupervisedUntilReady } from "./supervision.ts";

export const STATE_VERSION = 4;

export interface State {
  version: typeof STATE_VERSION;
  sessions: SessionRecord[];
  local_server: Supervised;
  local_dns: LocalDnsState;
  /** The process that reconciles while no window is open. */
  keeper: ProcessId | null;
  /** A keeper that is about to end because it has nothing left to do: a stop waits for it. */
  exiting_keeper?: ProcessId;
  /** Unreadable files of ours that were moved away; shown until the next stop. */
  set_aside: Problem[];
  /** Sessions that ended and could not be deleted from their Worker yet. */
  pending_deletions: PendingDeletion[];
  /** Networks in which only HTTP/2 reaches Cloudflare, and since when that is known. */
  blocked_udp: Record<string, number>;
}

export interface LocalDnsState extends SupervisedUntilReady {
  /** The Linkup version that started it; missing in states of older versions. */
  version?: string;
}

/** The deletion is retried until the Worker confirms it, or the session has expired there. */
export interface PendingDeletion extends LastError {
  name: string;
  worker_url: string;
  worker_token: string;
  /** The session's own; missing in states of older versions. */
  session_token?: string;
  /** When the session ended. Milliseconds since the epoch. */
  ended: number;
  /** The Worker keeps its tunnel for the next start. */
  keep_tunnel?: true;
}

/** Why the last try failed, how often in a row it did, and when to try again. */
export interface LastError {
  problem: Problem;
  failures: number;
  /** Milliseconds since the epoch. */
  retry_at: number;
}

/**
 * A session of this machine, running or remembered: a config file keeps its name, token and targets over restarts.
 * A config file has at most one primary record (`secondary` false) per kind.
 */
export interface SessionRecord {
  /** A random id, since names change. */
  id: string;
  kind: SessionKind;
  config_path: string | null;
  /** Created in addition to the file's primary session. */
  secondary: boolean;
  /** Null until the Worker has given it one. */
  name: string | null;
  /** Set while a name that the user asked for is not confirmed: no other name will do. */
  name_asked?: true;
  session_token: string;
  desired: "running" | "stopped";
  /** Keeps running without any window or terminal. */
  keep: boolean;
  /** When `desired` last changed. Milliseconds since the epoch. */
  since: number;
  /** The last valid content of the file, without the Worker's token. */
  config: Config;
  /** Kept while the session runs: other processes need it too, to renew or delete the session. */
  worker_token: string | null;
  /** Where each service should be (core/config/model/target.ts); a service that is not named is remote. */
  targets: Record<string, Target>;
  /** The overrides of the file that its user switched on or off, by name; the others are as the file says. */
  overrides?: Record<string, boolean>;
  /** Location overrides by service, for secondary sessions. */
  locations: Record<string, string>;
  /** Other sessions may route to its services. */
  share_targets?: true;
  /** The local server follows the requests of this preview at the Worker, until no window or terminal is left. */
  followed_here?: true;
  /** Where the Worker found services of other sessions, and when it was asked: why not there, by service; null where they are. */
  followed?: { at: number; fallbacks: Record<string, string | null> };
  /** When a preview ends, as its user asked. Milliseconds since the epoch. */
  expires_at?: number;
  /** Who can open it, as its user chose on this machine; missing: what the file says. */
  access?: SessionAccess;
  /** Until when somebody else may change its routing by an invite. Milliseconds since the epoch. */
  may_route_until?: number;
  /** Who routed a service last, where it was not this machine's user: the name of the invite, by service. */
  routed_by?: Record<string, string>;

  // The confirmed state, so that nothing is sent twice.
  confirmed: Record<string, Target> | null;
  worker: WorkerCapabilities | null;
  tunnel: TunnelData | null;
  origin_secret: string | null;
  /** Who can open it, as the Worker said; missing before it did, and where Workers do not know of it. */
  confirmed_access?: SessionAccess;
  /** Of a private session: the key of the proofs that requests of this machine carry. */
  trace_key?: string;
  /** Hash of the document that the Worker has. */
  worker_hash: string | null;
  /** When the document was sent and last confirmed. Milliseconds since the epoch. */
  registered_at: number;
  checked_at: number;
  /** Hosts beyond Cloudflare's own certificates for which it has another one, and when that was checked. */
  edge_certificates?: { hosts: string[]; checked_at: number };
  /** Hash of the document that the local server has, and of that server's process. */
  local_server_hash: string | null;
  last_error: LastError | null;
  /** Its cloudflared; null where requests come without one. */
  connector: Connector | null;
  /** The directories whose env files were changed, and what failed. */
  env_files: { directories: readonly string[]; problems: readonly Problem[] } | null;
}

export function emptyState(): State {
  return {
    version: STATE_VERSION,
    sessions: [],
    local_server: notStarted(),
    local_dns: { ...notStarted(), ready: false },
    keeper: null,
    set_aside: [],
    pending_deletions: [],
    blocked_udp: {},
  };
}

const targets = record(string);
const text: Shape = (value) => object({ template: string, args: list(either(string, number, text)) })(value);
const problem = object(
  {
    code: string,
    title: string,
    message: string,
    actions: list(object({ command: string, title: string }, { terminal: string })),
  },
  { text },
);
const processId = object({ pid: number, started: string });
const SUPERVISED = {
  process: nullable(processId),
  started: number,
  failures: number,
  retry_at: nullable(number),
  problem: nullable(problem),
};
const LAST_ERROR = { problem, failures: number, retry_at: number };

const session = object(
  {
    id: string,
    kind: oneOf("tunneled", "isolated", "preview"),
    config_path: nullable(string),
    secondary: boolean,
    name: nullable(string),
    session_token: string,
    desired: oneOf("running", "stopped"),
    keep: boolean,
    since: number,
    config: object({
      linkup: object({ worker_url: url, cache_routes: list(string) }),
      services: list(object({ name: string, local: url, remote: url })),
      domains: list(object({ domain: string })),
    }),
    worker_token: nullable(string),
    targets,
    locations: record(url),
    confirmed: nullable(targets),
    worker: nullable(object({ version: string, tunnel: string })),
    tunnel: nullable(object({ url })),
    origin_secret: nullable(string),
    worker_hash: nullable(string),
    registered_at: number,
    checked_at: number,
    local_server_hash: nullable(string),
    last_error: nullable(object(LAST_ERROR)),
    connector: nullable(
      object({
        ...SUPERVISED,
        serves: nullable(string),
        protocol: oneOf("auto", "http2", "given"),
        log_offset: number,
        metrics_port: nullable(number),
        ready: boolean,
        unready_since: number,
        was_ready: boolean,
        changed_at: number,
        reached: boolean,
        refusals: number,
        refused: nullable(string),
        probed_at: number,
        lost: number,
      }),
    ),
    env_files: nullable(object({ directories: list(string), problems: list(problem) })),
  },
  {
    name_asked: oneOf(true),
    overrides: record(boolean),
    expires_at: number,
    share_targets: oneOf(true),
    followed_here: oneOf(true),
    followed: object({ at: number, fallbacks: record(nullable(string)) }),
    access: oneOf(...SESSION_ACCESS),
    may_route_until: number,
    routed_by: targets,
    confirmed_access: oneOf(...SESSION_ACCESS),
    trace_key: string,
    edge_certificates: object({ hosts: list(string), checked_at: number }),
  },
);

const wholeState = object(
  {
    version: oneOf(STATE_VERSION),
    sessions: list(session),
    local_server: object(SUPERVISED),
    local_dns: object({ ...SUPERVISED, ready: boolean }, { version: string }),
    keeper: nullable(processId),
    set_aside: list(problem),
    pending_deletions: list(
      object(
        { ...LAST_ERROR, name: string, worker_url: url, worker_token: string, ended: number },
        { session_token: string, keep_tunnel: oneOf(true) },
      ),
    ),
    blocked_udp: record(number),
  },
  { exiting_keeper: processId },
);

/** Parses the state; on failure returns the reason. */
export function parseState(text: string): { state: State } | { unreadable: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { unreadable: (error as Error).message };
  }
  const state = completed(migrated(json));
  const mismatch = wholeState(state);
  if (!mismatch) return { state: state as State };
  return { unreadable: `${mismatch.path.join(".") || "the file"}: is not ${mismatch.wanted}` };
}

const NEW_IN_2 = { locations: {}, registered_at: 0, checked_at: 0, connector: null, env_files: null };

type Json = Record<string, unknown>;

/** Migrations by source version: each converts to the next version. */
const MIGRATIONS: Record<number, (state: Json) => Json> = {
  // Version 1 knew of no supervision, of no keeper and of no tunnels.
  1: ({ local_server, local_server_trouble: _, sessions, ...state }) => ({
    ...state,
    sessions: eachOf(sessions, (record) => ({ ...record, ...NEW_IN_2 })),
    local_server: { ...notStarted(), process: local_server ?? null },
    local_dns: { ...notStarted(), ready: false },
    keeper: null,
    set_aside: null,
  }),
  // Version 2 let cloudflared write its log itself, and forgot what a Worker had not heard.
  2: ({ set_aside, sessions, ...state }) => ({
    ...state,
    sessions: eachOf(sessions, withNewConnector),
    set_aside: set_aside ? [set_aside] : [],
    undeleted: [],
  }),
  // Version 3 had other names for the same things.
  3: ({ sessions, undeleted, leaving, ...state }) => ({
    ...state,
    sessions: eachOf(sessions, ({ beside, wanted, registered, served, trouble, ...record }) => ({
      ...record,
      secondary: beside,
      desired: wanted,
      worker_hash: registered,
      local_server_hash: served,
      last_error: trouble,
    })),
    pending_deletions: undeleted,
    ...(leaving === undefined ? {} : { exiting_keeper: leaving }),
  }),
};

/** With what version 4 did not have from its beginning. */
function completed(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  const { sessions, ...state } = json as Json;
  return {
    blocked_udp: {},
    ...state,
    sessions: eachOf(sessions, (record) =>
      record.connector
        ? { ...record, connector: { reached: false, refusals: 0, refused: null, ...record.connector } }
        : record,
    ),
  };
}

/** Leaves anything but a list of objects unchanged: the schema reports it. */
function eachOf(list: unknown, change: (item: Json) => Json): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item) => (typeof item === "object" && item !== null ? change(item) : item));
}

function withNewConnector(record: Json): Json {
  if (!record.connector) return record;
  return { ...record, connector: { ...record.connector, changed_at: 0 } };
}

/** Migrates the content of an older version to the current one. */
function migrated(json: unknown): unknown {
  let state = json as Record<string, unknown>;
  for (;;) {
    const migrate = typeof state?.version === "number" ? MIGRATIONS[state.version] : undefined;
    if (!migrate) return state;
    state = { ...migrate(state), version: (state.version as number) + 1 };
  }
}
