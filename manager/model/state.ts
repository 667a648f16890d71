/** What is wanted on this machine and what was last confirmed of it: the content of `state.json`. */
import * as z from "zod/mini";
import type { TunnelData, WorkerCapabilities } from "../../core/api/control-api.ts";
import type { Config, Target } from "../../core/config/parse-config.ts";
import type { SessionKind } from "../../core/session/session-document.ts";
import type { ProcessId } from "../../node/process-identity.ts";
import type { Connector } from "./connector.ts";
import type { Problem } from "./problem.ts";
import { type Answering, notStarted, type Supervised } from "./supervision.ts";

export const STATE_VERSION = 3;

export interface State {
  version: typeof STATE_VERSION;
  sessions: SessionRecord[];
  local_server: Supervised;
  local_dns: LocalDnsState;
  /** The process that keeps what is wanted running while no window does. */
  keeper: ProcessId | null;
  /** A keeper that has nothing left to keep and is about to end: whoever stops a session waits for it. */
  leaving?: ProcessId;
  /** Told until the next stop: a file of ours that could not be read was set aside. */
  set_aside: Problem[];
  /** Sessions that ended, and whose Worker could not be told. */
  undeleted: Undeleted[];
}

export interface LocalDnsState extends Answering {
  /** The Linkup that started it; missing from what older versions wrote. */
  version?: string;
}

/** It is told again, until it knows or has forgotten the session by itself. */
export interface Undeleted extends Trouble {
  name: string;
  worker_url: string;
  worker_token: string;
  /** When the session ended. Milliseconds since the epoch. */
  ended: number;
}

/** What stands in the way of a session: how often in a row, and when to try again. */
export interface Trouble {
  problem: Problem;
  failures: number;
  /** Milliseconds since the epoch. */
  retry_at: number;
}

/**
 * A session of this machine, running or remembered: a config file keeps its name, token and targets over restarts.
 * A config file has at most one record per kind that is its own (`beside` false).
 */
export interface SessionRecord {
  /** Random, ours alone: names change. */
  id: string;
  kind: SessionKind;
  config_path: string | null;
  /** Created beside the file's own session. */
  beside: boolean;
  /** Null until the Worker has given it one. */
  name: string | null;
  /** The name was asked for by a person, and the Worker has not given it yet: no other one will do. */
  name_asked?: true;
  session_token: string;
  wanted: "running" | "stopped";
  /** Goes on without any window or terminal. */
  keep: boolean;
  /** Since when it is wanted, or is not. Milliseconds since the epoch. */
  since: number;
  /** The last valid content of the file, without the Worker's token. */
  config: Config;
  /** While it is wanted: other processes need it too, to renew or delete the session. */
  worker_token: string | null;
  /** Where each service should run; a service that is not named runs remote. */
  targets: Record<string, Target>;
  /** Of services that are elsewhere than the file says: for sessions beside the file's own. */
  locations: Record<string, string>;

  // What was confirmed, so that nothing is asked for twice.
  confirmed: Record<string, Target> | null;
  worker: WorkerCapabilities | null;
  tunnel: TunnelData | null;
  origin_secret: string | null;
  /** Fingerprint of what the Worker has. */
  registered: string | null;
  /** When it was sent, and when the Worker was last seen to have it. Milliseconds since the epoch. */
  registered_at: number;
  checked_at: number;
  /** Fingerprint of what the local server has, and of which local server. */
  served: string | null;
  trouble: Trouble | null;
  /** Its cloudflared; null where requests come without one. */
  connector: Connector | null;
  /** Its env files: for which directories they were changed, and what could not be. */
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
    undeleted: [],
  };
}

const targets = z.record(z.string(), z.enum(["local", "remote"]));
const nullable = <T extends z.core.$ZodType>(schema: T) => z.nullable(schema);

const problem = z.looseObject({ code: z.string(), title: z.string(), message: z.string() });
const processId = z.object({ pid: z.number(), started: z.string() });

const supervised = z.object({
  process: nullable(processId),
  started: z.number(),
  failures: z.number(),
  retry_at: nullable(z.number()),
  problem: nullable(problem),
});

const trouble = z.object({
  problem,
  failures: z.number(),
  retry_at: z.number(),
});

const recordSchema = z.object({
  id: z.string(),
  kind: z.enum(["tunneled", "isolated", "preview"]),
  config_path: nullable(z.string()),
  beside: z.boolean(),
  name: nullable(z.string()),
  name_asked: z.exactOptional(z.literal(true)),
  session_token: z.string(),
  wanted: z.enum(["running", "stopped"]),
  keep: z.boolean(),
  since: z.number(),
  config: z.looseObject({
    linkup: z.looseObject({ worker_url: z.string(), cache_routes: z.array(z.string()) }),
    services: z.array(z.looseObject({ name: z.string(), local: z.string(), remote: z.string() })),
    domains: z.array(z.looseObject({ domain: z.string() })),
  }),
  worker_token: nullable(z.string()),
  targets,
  locations: z.record(z.string(), z.string()),
  confirmed: nullable(targets),
  worker: nullable(z.looseObject({ version: z.string(), tunnel: z.string() })),
  tunnel: nullable(z.looseObject({ url: z.string() })),
  origin_secret: nullable(z.string()),
  registered: nullable(z.string()),
  registered_at: z.number(),
  checked_at: z.number(),
  served: nullable(z.string()),
  trouble: nullable(trouble),
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
  leaving: z.exactOptional(processId),
  set_aside: z.array(problem),
  undeleted: z.array(
    z.extend(trouble, {
      name: z.string(),
      worker_url: z.string(),
      worker_token: z.string(),
      ended: z.number(),
    }),
  ),
});

/** The state, or in words why this text is none. */
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

/** By the version they start from: each makes the next one's shape of what it is given. */
const MIGRATIONS: Record<number, (state: Record<string, unknown>) => Record<string, unknown>> = {
  // Version 1 knew of no supervision, of no keeper and of no tunnels.
  1: ({ local_server, local_server_trouble: _, sessions, ...state }) => ({
    ...state,
    sessions: Array.isArray(sessions) ? sessions.map((record) => ({ ...record, ...NEW_IN_2 })) : sessions,
    local_server: { ...notStarted(), process: local_server ?? null },
    local_dns: { ...notStarted(), ready: false },
    keeper: null,
    set_aside: null,
  }),
  // Version 2 let cloudflared write its log itself, and forgot what a Worker had not heard.
  2: ({ set_aside, sessions, ...state }) => ({
    ...state,
    sessions: Array.isArray(sessions) ? sessions.map(withNewConnector) : sessions,
    set_aside: set_aside ? [set_aside] : [],
    undeleted: [],
  }),
};

function withNewConnector(record: { connector?: object | null }): unknown {
  if (!record?.connector) return record;
  return { ...record, connector: { ...record.connector, log_writer: null, changed_at: 0 } };
}

/** The content in today's shape, where it is of an older version; else as it is. */
function migrated(json: unknown): unknown {
  let state = json as Record<string, unknown>;
  for (;;) {
    const migrate = typeof state?.version === "number" ? MIGRATIONS[state.version] : undefined;
    if (!migrate) return state;
    state = { ...migrate(state), version: (state.version as number) + 1 };
  }
}
