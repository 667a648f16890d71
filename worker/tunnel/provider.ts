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
  /** The secret with which it was to be created: nobody else knows it. */
  secret?: string;
  /** The tunnel's name and host, where they are known: the prefix may have changed since. */
  name?: string;
  host?: string;
}

/** A tunnel that this Worker made. */
export interface MadeTunnel {
  id: string;
  session: string;
  name: string;
  host: string;
  /** Milliseconds since the epoch. */
  created: number;
}

/** Which tunnels this Worker made: nothing else at Cloudflare is deleted or repointed. */
export interface TunnelRegistry {
  /** Identifies this deployed Worker in its marks. */
  workerId(): Promise<string>;
  /** Which of these tunnels it made. */
  known(ids: readonly string[]): Promise<string[]>;
  add(tunnel: MadeTunnel): Promise<void>;
  remove(id: string): Promise<void>;
  /** Some of the tunnels made before this time; every call goes on where the last one ended. */
  next(limit: number, createdBefore: number): Promise<MadeTunnel[]>;
}

export interface ReuseOptions {
  /** Where the session's local server listens, as its client says; used by `direct` only. */
  url: string | null;
  /** Look now, however recently that was done. */
  verify: boolean;
}

/** What a sweep did, for the Worker's log: each a sentence. */
export interface SweepReport {
  deleted: string[];
  failed: string[];
  /** What has our prefix, and no proof of being ours. */
  left: string[];
}

/** Creates and deletes the tunnels of sessions. All calls are idempotent, and throw `TunnelError`. */
export interface TunnelProvider {
  /** Why this session's name cannot have a tunnel; undefined when it can. */
  nameProblem(session: string): Promise<string | undefined>;
  /** Rejects with a `TunnelError` when no tunnel could be made now: a variable, the token or one of its rights is missing. */
  check(): Promise<void>;
  /** Reuses the session's tunnel; undefined when it no longer exists. */
  reuse(
    session: string,
    existing: VerifiedTunnel,
    options: ReuseOptions,
  ): Promise<VerifiedTunnel | undefined>;
  /**
   * Creates a tunnel with this secret (`newTunnelSecret`). After a failure parts of it may exist: `delete` with a null id
   * and the secret removes them.
   */
  create(session: string, url: string | null, secret: string): Promise<VerifiedTunnel>;
  /** Deletes the tunnel and its DNS record; nothing is wrong when they are gone already. */
  delete(pending: PendingTunnelDeletion): Promise<void>;
  /**
   * Deletes tunnels of ours that belong to no session, and their records; some of them when there are many. `isOwned`
   * says whether a session has this tunnel.
   */
  sweep(isOwned: (session: string, tunnelId: string) => Promise<boolean>): Promise<SweepReport>;
}

/** The message is for the person who wanted the session. */
export class TunnelError extends Error {
  /** True when something of others has the name: another session name may do. */
  readonly taken: boolean;

  constructor(message: string, { taken = false, ...options }: ErrorOptions & { taken?: boolean } = {}) {
    super(message, options);
    this.taken = taken;
  }
}
