/** The bodies of the Worker's HTTP API, below `/linkup`. */
import type { Fallback } from "../routing/fallback.ts";
import type { SessionAccess, SessionKind, serializeRouting } from "../session/session-document.ts";

/** Of Workers that send what an override matches where it says; others only know where whole services are. */
export const OVERRIDES_CAPABILITY = "overrides";

/** What the Worker can do beyond the original, as `GET /linkup/v2/capabilities` answers. */
export interface WorkerCapabilities {
  version: string;
  /** How requests reach a laptop: Cloudflare tunnels, or straight on one machine. */
  tunnel: "cloudflare" | "direct";
  capabilities: string[];
}

/** Follows services to other sessions (`services[].session`), and takes `share_targets`. */
export const SESSION_TARGETS_CAPABILITY = "session-targets";

/** `GET /linkup/v2/sessions/:name/targets`'s answer: the services that other sessions serve, by name. */
export interface SessionTargets {
  targets: Record<
    string,
    {
      session: string;
      /** Why it goes to the remote copy instead; null when it goes there. */
      fallback: Fallback | null;
    }
  >;
}

/** `POST /linkup/v2/sessions/tunneled`'s answer. */
export interface TunneledSession {
  session_name: string;
  tunnel_data: TunnelData;
  /** Ours: a Worker of the original gives none. */
  origin_secret?: string;
  /** Ours: who reaches it now, also when the Worker's default decided; missing of a public session. */
  access?: SessionAccess;
  /** Ours, of a private session: the key of `traceProof`. */
  trace_key?: string;
}

/** `POST /linkup/v2/sessions/preview`'s answer. */
export interface PreviewSession {
  session_name: string;
  /** Ours, as of a tunneled session. */
  access?: SessionAccess;
}

export interface TunnelData {
  account_id: string;
  /** `<prefix><session>` */
  name: string;
  /** Where the Worker reaches the tunnel. */
  url: string;
  id: string;
  /** Base64 of 32 random bytes. */
  secret: string;
  /** Milliseconds since the epoch. */
  last_started: number;
}

/**
 * `GET /linkup/v2/sessions[?name=PATTERN][&limit=N][&after=NAME]`'s answer, sorted by name. In a pattern `*` stands for any
 * characters and `?` for one. `DELETE` with a pattern answers `{deleted: string[]}`.
 */
export interface SessionPage {
  sessions: SessionSummary[];
  /** With a limit, when there are more: `after` of the next page. */
  next?: string;
}

/** A session in a list. Times are milliseconds since the epoch. */
export interface SessionSummary {
  session_name: string;
  session_kind: SessionKind;
  /** The named token that made it; null for `WORKER_TOKEN`. */
  maker: string | null;
  created: number;
  updated: number;
  /** When a request last came for it, to within an hour. */
  used: number;
  /** When it will be deleted, if it is not used before. */
  expires: number;
}

/** `GET /linkup/v2/sessions/:name`'s answer: what is known of a session, without its secrets. */
export interface SessionDetails extends SessionSummary, ReturnType<typeof serializeRouting> {
  tunnel: { name: string; url: string; last_started: number } | null;
}

/** The longest life of a session without changes that a client may ask for, in seconds. */
export const MAX_EXPIRY_S = 366 * 24 * 60 * 60;

/** `GET /linkup/v2/tunnel-check`'s answer. */
export interface TunnelCheck {
  /** Why no tunnel could be made now: a variable, the Worker's own token or one of its rights is missing. */
  problem: string | null;
}

/** An entry of `GET /linkup/v2/audit`'s answer, `{entries: AuditEntry[]}`, newest first. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  at: number;
  action:
    | "created"
    | "changed"
    | "extended"
    | "deleted"
    | "expired"
    | "tunnel-read"
    | "access-changed"
    | "invited"
    | "invite-revoked"
    | "token-created"
    | "token-revoked"
    | "logged-in";
  /** The session's name, or the token's. */
  subject: string;
  /** Who did it: with `WORKER_TOKEN`, with a named token, or the Worker by itself. */
  role: "main" | "named" | "worker";
  /** Name of the named token. */
  token: string | null;
}

/** Proves that the caller owns the session, to `DELETE` it or to read its tunnel with a token that did not make it. */
export const SESSION_TOKEN_HEADER = "linkup-session-token";

/** Deployed Workers refuse a shorter `WORKER_TOKEN`: of random characters it is out of reach for guesses. */
export const MIN_WORKER_TOKEN_LENGTH = 16;
