/** How requests reach a laptop: the contract of tunnel providers. */
import type { TunnelData } from "../../core/api/worker-api.ts";

/** A tunnel that exists, and when that was last verified (milliseconds since the epoch). */
export interface VerifiedTunnel {
  data: TunnelData;
  verified: number;
}

/** A tunnel that has to be deleted; parts of it may be missing. */
export interface PendingTunnelDeletion {
  session: string;
  /** Null when its creation may or may not have succeeded. */
  id: string | null;
}

/**
 * Creates and deletes the tunnels of sessions. All calls are idempotent, and throw `TunnelError`.
 * `url` is where the session's local server listens, as its client says; used by `direct` only.
 */
export interface TunnelProvider {
  /** Why this session's name cannot have a tunnel; undefined when it can. */
  nameProblem(session: string): string | undefined;
  /** Reuses the session's tunnel; undefined when it no longer exists. */
  reuse(existing: VerifiedTunnel, url: string | null): Promise<VerifiedTunnel | undefined>;
  /** Creates a tunnel. After a failure parts of it may exist: `delete` with a null id removes them. */
  create(session: string, url: string | null): Promise<VerifiedTunnel>;
  /** Deletes the tunnel and its DNS record; does nothing when there are none. */
  delete(pending: PendingTunnelDeletion): Promise<void>;
  /**
   * Deletes tunnels and records that carry our prefix and belong to no session. `isOwned` says whether a session has
   * this tunnel. Returns descriptions of what was deleted.
   */
  sweep(isOwned: (session: string, tunnelId: string) => Promise<boolean>): Promise<string[]>;
}

/** The message is for the person who wanted the session. */
export class TunnelError extends Error {}
