/**
 * The control API of the local server: JSON over HTTP on a Unix socket or named pipe, version in the path.
 * Errors are `{error: string}` with a 4xx or 5xx status.
 *
 * | call | in | out |
 * |---|---|---|
 * | `GET /v1/status` | | `ServerStatus` |
 * | `GET /v1/auto/follow` | | `auto` of the status, now and with each change: a line of JSON each |
 * | `GET /v1/sessions` | | `{sessions: {[name]: ServedSession}}`, without secrets |
 * | `PUT /v1/sessions/:name` | `ServedSession` | 200 `{}`; 400 with all problems |
 * | `DELETE /v1/sessions/:name` | | 204, also when there was none |
 * | `PUT /v1/leases/:id` | `Lease` | 200 `{}` |
 * | `DELETE /v1/leases/:id` | | 204 |
 * | `POST /v1/tunnel-logs/:name`, `Upgrade: linkup-log`, the secrets to mask in `linkup-secrets` (base64 of a JSON list) | | 101; what is sent from then on is written to the log of this session's cloudflared |
 * | `DELETE /v1/tunnel-logs/:name` | | 204 when what came until then is written and its senders have ended |
 * | `POST /v1/explain` | `{url, headers, method}` | `Explanation` |
 * | `POST /v1/probe` | `ProbeRequest` | `ProbeResponse`: a GET of a service, over the proxy's own connections |
 * | `GET /v1/requests?…` | `ExchangeFilter` | `{requests: Exchange[]}`, oldest first |
 * | `GET /v1/requests/follow?…` | `ExchangeFilter` | the newest `limit`, then each exchange that begins or ends, at the Worker too: a line of JSON each (`FollowedExchange`) |
 * | `GET /v1/requests/:id` | | `ExchangeDetails`; 404 |
 * | `POST /v1/requests/:id/replay` | `ReplayRequest` | `ReplayResponse`; 404; 409 when it cannot be sent again; 502 |
 * | `DELETE /v1/requests` | | 204; completed exchanges are deleted |
 * | `GET`, `PUT /v1/requests/settings` | `Partial<RequestLogSettings>` | `RequestLogSettings`; `{}` |
 * | `POST /v1/stop` | | 202; the server then ends |
 *
 * The shapes of the request log are in `request-log-api.ts`.
 */
import type { OverrideAction } from "../session/override-action.ts";
import type { AutoState } from "../session/session-document.ts";

export interface ServerStatus {
  /** The version of the local server: a server of another version is replaced. */
  version: string;
  pid: number;
  /** Milliseconds since the epoch. */
  started: number;
  /** Ports on loopback, for browsers and for the tunnel. */
  browser_port: number;
  tunnel_port: number;
  /** The previous browser port, if another program uses it now. */
  missed_port: number | null;
  /** The port in URLs of sessions on this machine: 80 if it is available, else the browser port. */
  http_port: number;
  /** The same for https: 443, or the browser port; null without local certificates. */
  https_port: number | null;
  sessions: string[];
  leases: string[];
  /** The linkup.yaml files that each leaseholder works on, by its id; without those that named none. */
  lease_files: Record<string, string[]>;
  /** Of each local location that is routed automatically. Missing in servers of older versions. */
  auto?: Record<string, AutoState>;
  /** Of those that are `restarting`: for how long each has to listen before requests go there. Milliseconds. */
  auto_waits?: Record<string, number>;
}

/** A session as the local server serves it. `session` is as `printSession` writes it. */
export interface ServedSession {
  session: unknown;
  /** The secret that requests through the tunnel must carry; null when the Worker gave none. */
  origin_secret: string | null;
  /** Of a private session: the key of the proof that requests which begin on this machine carry on. */
  trace_key?: string | null;
  /** By the names of its overrides. Nobody else is told. Files are relative to the config file. */
  override_actions?: Record<string, OverrideAction>;
  /** The linkup.yaml it came from; null for sessions without one. */
  config_path: string | null;
  /** The Worker's API, to watch the session's requests there; null for a Worker that cannot tell them. */
  edge?: { url: string; token: string } | null;
}

/** A user of the local server, which stops when every lease has expired. A PUT renews a lease. */
export interface Lease {
  /** Milliseconds from now, at most an hour, which null stands for. */
  ttl_ms: number | null;
  /** The linkup.yaml files that it works on, absolute, at most 100: who ends one of their sessions is told of this user. */
  files?: string[];
}

/** A health check of a service. */
export interface ProbeRequest {
  /** As in a session document. */
  location: string;
  path: string;
  timeout_ms: number;
}

/** Either the status of the response, or why there was none. */
export type ProbeResponse =
  | {
      status: number;
      /** Linkup itself responded in a service's place: the location leads back to it. */
      own_failure: boolean;
    }
  | { error: { message: string; code: string | undefined; timed_out: boolean } };

/** The protocol of a connection for a tunnel's log, and the header that names the secrets in it. */
export const TUNNEL_LOG_PROTOCOL = "linkup-log";
export const LOG_SECRETS_HEADER = "linkup-secrets";

/** How long the local server keeps serving without any lease. */
export const LEASE_GRACE_MS = 45_000;

/** A name that local DNS always answers; used for readiness checks. */
export const LOCAL_DNS_PROBE_NAME = "linkup.localhost";
