/** The desired state of this machine and what was last confirmed of it: the content of `state.json`. */
import * as z from "zod/mini";
import type { TunnelData, WorkerCapabilities } from "../../core/api/worker-api.ts";
import type { Config, Target } from "../../core/config/model/config-model.ts";
import { SESSION_ACCESS, type SessionAccess, type SessionKind } from "../../core/session/session-document.ts";
import type { Text } from "../../core/text.ts";
import type { ProcessId } from "../../node/process-identity.ts";
import type { Connector } from "./connector.ts";
import type { Problem } from "./problem.ts";
import { type Answering, notStarted, type Supervised } from "./supervision.ts";

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

export interface LocalDnsState extends Answering {
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

const url = z.string().check(z.refine((text) => URL.canParse(text), "is no URL"));
const targets = z.record(z.string(), z.string());
const nullable = <T extends z.core.$ZodType>(schema: T) => z.nullable(schema);

const text: z.ZodMiniType<Text> = z.object({
  template: z.string(),
  args: z.array(z.union([z.string(), z.number(), z.lazy(() => text)])),
});
const action = z.object({
  command: z.string(),
  title: z.string(),
  terminal: z.exactOptional(z.string()),
});
const problem = z.object({
  code: z.string(),
  title: z.string(),
  message: z.string(),
  text: z.exactOptional(text),
  actions: z.array(action),
});
const processId = z.object({ pid: z.number(), started: z.string() });

const supervised = z.object({
  process: nullable(processId),
  started: z.number(),
  failures: z.number(),
  retry_at: nullable(z.number()),
  problem: nullable(problem),
});

const last_error = z.object({
  problem,
  failures: z.number(),
  retry_at: z.number(),
});

const recordSchema = z.object({
  id: z.string(),
  kind: z.enum(["tunneled", "isolated", "preview"]),
  config_path: nullable(z.string()),
  secondary: z.boolean(),
  name: nullable(z.string()),
  name_asked: z.exactOptional(z.literal(true)),
  session_token: z.string(),
  desired: z.enum(["running", "stopped"]),
  keep: z.boolean(),
  since: z.number(),
  config: z.looseObject({
    linkup: z.looseObject({ worker_url: url, cache_routes: z.array(z.string()) }),
    services: z.array(z.looseObject({ name: z.string(), local: url, remote: url })),
    domains: z.array(z.looseObject({ domain: z.string() })),
  }),
  worker_token: nullable(z.string()),
  targets,
  overrides: z.exactOptional(z.record(z.string(), z.boolean())),
  locations: z.record(z.string(), url),
  expires_at: z.exactOptional(z.number()),
  share_targets: z.exactOptional(z.literal(true)),
  followed_here: z.exactOptional(z.literal(true)),
  followed: z.exactOptional(
    z.object({ at: z.number(), fallbacks: z.record(z.string(), z.nullable(z.string())) }),
  ),
  access: z.exactOptional(z.enum(SESSION_ACCESS)),
  may_route_until: z.exactOptional(z.number()),
  routed_by: z.exactOptional(z.record(z.string(), z.string())),
  confirmed: nullable(targets),
  worker: nullable(z.looseObject({ version: z.string(), tunnel: z.string() })),
  tunnel: nullable(z.looseObject({ url })),
  origin_secret: nullable(z.string()),
  confirmed_access: z.exactOptional(z.enum(SESSION_ACCESS)),
  trace_key: z.exactOptional(z.string()),
  worker_hash: nullable(z.string()),
  registered_at: z.number(),
  checked_at: z.number(),
  edge_certificates: z.exactOptional(z.object({ hosts: z.array(z.string()), checked_at: z.number() })),
  local_server_hash: nullable(z.string()),
  last_error: nullable(last_error),
  connector: nullable(
    z.extend(supervised, {
      serves: nullable(z.string()),
      protocol: z.enum(["auto", "http2", "given"]),
      log_writer: nullable(processId),
      log_offset: z.number(),
      metrics_port: nullable(z.number()),
      ready: z.boolean(),
      unready_since: z.number(),
      was_ready: z.boolean(),
      changed_at: z.number(),
      reached: z._default(z.boolean(), false),
      refusals: z._default(z.number(), 0),
      refused: z._default(nullable(z.string()), null),
      probed_at: z.number(),
      lost: z.number(),
    }),
  ),
  env_files: nullable(z.object({ directories: z.array(z.string()), problems: z.array(problem) })),
});

const stateSchema = z.object({
  version: z.literal(STATE_VERSION),
  sessions: z.array(recordSchema),
  local_server: supervised,
  local_dns: z.extend(supervised, { ready: z.boolean(), version: z.exactOptional(z.string()) }),
  keeper: nullable(processId),
  exiting_keeper: z.exactOptional(processId),
  set_aside: z.array(problem),
  pending_deletions: z.array(
    z.extend(last_error, {
      name: z.string(),
      worker_url: url,
      worker_token: z.string(),
      session_token: z.exactOptional(z.string()),
      ended: z.number(),
      keep_tunnel: z.exactOptional(z.literal(true)),
    }),
  ),
  blocked_udp: z._default(z.record(z.string(), z.number()), {}),
});

/** Parses the state; on failure returns the reason. */
export function parseState(text: string): { state: State } | { unreadable: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { unreadable: (error as Error).message };
  }
  const result = stateSchema.safeParse(migrated(json));
  if (result.success) return { state: result.data as unknown as State };
  const [issue] = result.error.issues;
  return { unreadable: `${issue!.path.join(".") || "the file"}: ${issue!.message}` };
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

/** Leaves anything but a list of objects unchanged: the schema reports it. */
function eachOf(list: unknown, change: (item: Json) => Json): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item) => (typeof item === "object" && item !== null ? change(item) : item));
}

function withNewConnector(record: Json): Json {
  if (!record.connector) return record;
  return { ...record, connector: { ...record.connector, log_writer: null, changed_at: 0 } };
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
